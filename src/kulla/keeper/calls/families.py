"""Calls of families."""

from kulla.keeper.calls.form import Call

CALLS: dict[str, Call] = {}
