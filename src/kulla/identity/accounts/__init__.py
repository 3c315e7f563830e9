"""Accounts: activation, recovery, channels, cases."""
