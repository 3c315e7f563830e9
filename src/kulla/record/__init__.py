"""Joins Django to the journal: kept tables, entries, outbox, sequencer, receipts, rebuild.

Import it as `from kulla.record import api as record` (what services use) and
`from kulla.record.kept import Kept` (the base of every kept table).
"""
