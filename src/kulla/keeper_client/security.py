"""Calls of security, and what they give. Times are milliseconds since 1970 UTC."""

from kulla.keeper_client.pool import Pool


class Security:
    """The calls of security; part of KeeperClient."""

    _pool: Pool
