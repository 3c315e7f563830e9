"""The kinds of records, area by area, and the tables of the register that they fill.

The kinds of records. A kind is never reused for another meaning; new fields are optional. An unknown kind means
that a newer keeper wrote it, perhaps to take something away: this one refuses to serve. A record of a known kind
that lacks something changes nothing and is passed over, with an alarm: one bad record must not end the keeper.
"""

from kulla.keeper.kinds import (
    accounts,
    approvals,
    counter,
    erasure,
    families,
    imports,
    my_data,
    offices,
    security,
    spine,
)
from kulla.keeper.kinds.form import Body, Change

__all__ = ["KINDS", "SCHEMA", "Body", "Change"]
_AREAS = (spine, accounts, approvals, counter, erasure, families, imports, my_data, offices, security)
SCHEMA = "".join(area.SCHEMA for area in _AREAS)
KINDS: dict[str, Change] = {}
for _area in _AREAS:
    if _twice := KINDS.keys() & _area.KINDS.keys():
        raise RuntimeError(f"Two areas declare the kinds {', '.join(sorted(_twice))}.")
    KINDS.update(_area.KINDS)
