"""Offices, officials and what two people decide."""
