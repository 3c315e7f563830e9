"""The verifiable log: tiles, checkpoints, sealed segments, receipts. Imports nothing of ours and no Django.

`ids`, `merkle`, `note`, `checkpoint`, `tiles`, `policy`, `proof` and `verify` need only the standard library
and `cryptography`, so that a receipt can be checked on any machine. `entry` needs `cbor2` besides.
docs/journal.md explains the whole; each module says which specification it follows.
"""
