"""Calls of counter."""

from kulla.keeper.calls.form import Call

CALLS: dict[str, Call] = {}
