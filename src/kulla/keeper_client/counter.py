"""Calls of counter, and what they give. Times are milliseconds since 1970 UTC."""

from kulla.keeper_client.pool import Pool


class Counter:
    """The calls of counter; part of KeeperClient."""

    _pool: Pool
