"""Views of accounts: each fetches, validates, calls and answers."""
