"""A mirror: stores a copy of the journal and of the keeper's records, and signs only for what it holds.

Run it with `python -m kulla.mirror --config operators/1/operator.json`. docs/mirror.md explains the whole.
"""

from kulla.mirror.config import ConfigError, create_operator, set_policy
from kulla.mirror.server import CannotStart, abandon_pending, serve

__all__ = ["CannotStart", "ConfigError", "abandon_pending", "create_operator", "serve", "set_policy"]
