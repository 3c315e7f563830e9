"""What a session is, and how long it and its tokens live."""

from dataclasses import dataclass
from uuid import UUID

from kulla.keeper.roles import CITIZEN


@dataclass(frozen=True)
class Span:
    """How long a token lives, how long after its end it may be renewed, and how long the session lasts in all."""

    token_ms: int
    renew_ms: int
    whole_ms: int


MINUTE = 60 * 1000
LONG = Span(15 * MINUTE, 30 * MINUTE, 12 * 60 * MINUTE)
SHORT = Span(10 * MINUTE, 0, 30 * MINUTE)
ASSISTED = Span(15 * MINUTE, 0, 30 * MINUTE)
TOKEN_MS, RENEW_MS, SESSION_MS = LONG.token_ms, LONG.renew_ms, LONG.whole_ms  # the longest of each
FRESH_MS = (
    30 * MINUTE
)  # so long an attestation is as good as its session: the portal keeps one for 15 minutes


@dataclass(frozen=True)
class Live:
    """A session that stands. `assisted` is the office where an official (`helper`) acts with the person present;
    `factor` says what the sign-in was proven with (see strength.py)."""

    sid: str
    person: UUID
    role: str
    office: UUID | None
    language: str
    started: int
    short: bool = False
    assisted: UUID | None = None
    factor: str = ""
    helper: UUID | None = None

    @property
    def span(self) -> Span:
        """How long it and its tokens live."""
        return ASSISTED if self.assisted else SHORT if self.short else LONG

    @property
    def is_citizen(self) -> bool:
        """Whether the person acts for themselves and not as an official."""
        return self.role == CITIZEN


@dataclass(frozen=True)
class Proven:
    """Who stands behind a token or an attestation. A token serves every service (`service` is None), an attestation
    its own; `at` is when it was minted (a token's: now). An attestation may outlive its session."""

    session: Live
    service: str | None
    at: int
