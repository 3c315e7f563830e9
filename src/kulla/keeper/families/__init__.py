"""Families: who acts for whom, in what, until when."""

from kulla.keeper.families.links import SCOPES, Link, guardian_body, guardian_ended_body

__all__ = ["SCOPES", "Link", "guardian_body", "guardian_ended_body"]
