"""Calls of offices."""

from kulla.keeper.calls.form import Call

CALLS: dict[str, Call] = {}
