"""Calls of accounts, and what they give. Times are milliseconds since 1970 UTC."""

from kulla.keeper_client.pool import Pool


class Accounts:
    """The calls of accounts; part of KeeperClient."""

    _pool: Pool
