"""Django's PostgreSQL engine with one change, see base.py."""
