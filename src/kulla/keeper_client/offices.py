"""Calls of offices, and what they give. Times are milliseconds since 1970 UTC."""

from kulla.keeper_client.pool import Pool


class Offices:
    """The calls of offices; part of KeeperClient."""

    _pool: Pool
