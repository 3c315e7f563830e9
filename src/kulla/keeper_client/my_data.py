"""Calls of my data, and what they give. Times are milliseconds since 1970 UTC."""

from kulla.keeper_client.pool import Pool


class MyData:
    """The calls of my data; part of KeeperClient."""

    _pool: Pool
