"""Calls of accounts."""

from kulla.keeper.calls.form import Call

CALLS: dict[str, Call] = {}
