"""Families: who acts for whom, in what, until when.

links       a tie between two persons, and the record bodies of guardianships
store       reading the ties (hot path), deciding whether they hold today
rules       what services declare (services.json)
"""

from kulla.keeper.families.links import SCOPES, Link, guardian_body, guardian_ended_body

__all__ = ["SCOPES", "Link", "guardian_body", "guardian_ended_body"]
