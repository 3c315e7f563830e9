"""Calls of families, and what they give. Times are milliseconds since 1970 UTC."""

from kulla.keeper_client.pool import Pool


class Families:
    """The calls of families; part of KeeperClient."""

    _pool: Pool
