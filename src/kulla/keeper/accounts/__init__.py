"""Accounts: activation, channels, freezing, recovery, letters at the counter, and telling people.

What other parts use: `tell`, `telling`, `frozen`, `contacts`, `confirm_code`, `check_code`.
"""

from kulla.keeper.accounts.accounts import Accounts

__all__ = ["Accounts"]
