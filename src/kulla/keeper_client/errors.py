"""The two ways in which the keeper does not answer with what was asked."""

from typing import Any


class KeeperUnavailable(Exception):
    """The keeper is away or did not answer in time; nothing is known about the call's effect."""


class Refused(Exception):
    """The keeper said no. `code` is a short fixed word, `details` what a page may need (retry_after_s, until_ms).

    Codes: see docs/keeper.md. The text is a plain English sentence for logs; pages word it themselves by code.
    """

    def __init__(self, code: str, sentence: str = "", **details: Any) -> None:
        super().__init__(sentence or f"The keeper refused: {code}.")
        self.code = code
        self.details: dict[str, Any] = details
