"""The calls by name, area by area."""

from kulla.keeper.calls import (
    accounts,
    approvals,
    counter,
    families,
    my_data,
    offices,
    security,
    spine,
    tracing,
)
from kulla.keeper.calls.form import Call, guarded

__all__ = ["CALLS", "Call"]
CALLS: dict[str, Call] = {}
for _area in (spine, accounts, approvals, counter, families, my_data, offices, security, tracing):
    if _twice := CALLS.keys() & _area.CALLS.keys():
        raise RuntimeError(f"Two areas declare the calls {', '.join(sorted(_twice))}.")
    CALLS.update({name: guarded(name, call) for name, call in _area.CALLS.items()})
