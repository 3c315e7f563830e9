"""Erasure carried out: what names a person, the tombstones for it, and the end of the person's rows.

finding.py looks through the records; rows.py knows which rows of the register are a person's; plans.py draws tombstones
up and finishes when the copies have carried them out; judge.py says which blank records are as they should be.
"""

from kulla.keeper.erasing.plans import Erasing

__all__ = ["Erasing"]
