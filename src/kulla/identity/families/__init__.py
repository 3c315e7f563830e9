"""Families: guardians, representatives, heirs."""
