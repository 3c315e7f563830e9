"""Calls of my data."""

from kulla.keeper.calls.form import Call

CALLS: dict[str, Call] = {}
