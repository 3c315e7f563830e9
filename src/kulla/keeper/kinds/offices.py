"""Kinds of records of offices, and the tables that they fill."""

from kulla.keeper.kinds.form import Change

SCHEMA = """
"""
KINDS: dict[str, Change] = {}
