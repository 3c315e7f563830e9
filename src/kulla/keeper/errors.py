"""One family of errors. Only the server and the command line turn them into answers; none carries personal values."""

from typing import Any


class KeeperError(Exception):
    """Something of the keeper went wrong; the text is a plain sentence."""


class ConfigError(KeeperError):
    """keeper.json or the files it names cannot be used."""


class RecordsBroken(KeeperError):
    """The records on this disk or on a copy were changed, or do not belong to this root key."""


class DiskFull(KeeperError):
    """The disk is full. Nothing was written; it may be tried again when there is room."""


class Refusal(KeeperError):
    """A call is refused. `code` is a fixed word of the interface (docs/keeper.md)."""

    def __init__(self, code: str, sentence: str, **details: Any) -> None:
        super().__init__(sentence)
        self.code = code
        self.details = details

    def as_map(self) -> dict[str, Any]:
        """What crosses the wire."""
        return {"code": self.code, "sentence": str(self), **self.details}
