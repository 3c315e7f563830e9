"""Offices, officials and what two people decide. Docs: docs/people.md."""
