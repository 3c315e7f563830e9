"""What crosses the keeper's door. Times are milliseconds since 1970 UTC; persons are pseudonyms of one service."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class Session:
    """A session as its token states it. `role` is citizen, receptionist or operator.

    `short`: on a device that is not the person's own, nothing may stay in it. `assisted`: the office where an official
    acts with the person present. Only just after signing in: `several` roles to choose from, and `remember`, for the
    browser to keep and to show at the next sign-in (`notes`).
    """

    token: str = field(repr=False)
    sid: str
    role: str
    office: UUID | None
    expires_ms: int
    language: str
    short: bool = False
    assisted: UUID | None = None
    several: bool = field(default=False, compare=False)
    remember: list[str] = field(default_factory=list, repr=False, compare=False)


@dataclass(frozen=True)
class SessionInfo:
    """One of the person's sessions, for the page where they are listed and ended.

    `known` says of the network: "same" as the one now, "known" from before, or "new". `place`: its name by language.
    """

    sid: str
    started_ms: int
    last_ms: int
    network: str
    device: str
    current: bool
    known: str = "known"
    role: str = "citizen"
    office: UUID | None = None
    office_name: str = ""
    short: bool = False
    assisted: UUID | None = None
    assisted_name: str = ""
    factor: str = ""
    place: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ward:
    """Someone the signed-in person acts for."""

    person: UUID
    relation: str


@dataclass(frozen=True)
class Ticket:
    """A holder commitment with a one-time key that seals the claims of one receipt. Use each once."""

    id: bytes
    commitment: bytes
    key: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True)
class Entered:
    """A session seen from one service. Officials have an office and no person. `assisted` is the name of the office
    where an official acts with the person present."""

    role: str
    office: UUID | None
    person: UUID | None
    wards: list[Ward]
    attestation: bytes
    tickets: dict[UUID, list[Ticket]]
    assisted: str = ""


@dataclass(frozen=True)
class Field:
    """A text to be sealed for one cell of a table."""

    table: str
    column: str
    row: UUID
    person: UUID
    service: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class SealedItem:
    """A sealed cell to be opened."""

    table: str
    column: str
    row: UUID
    person: UUID
    service: str
    blob: bytes = field(repr=False)


@dataclass(frozen=True)
class RegisterItem:
    """A field of the register to be read: name, birth_date, number, phone, email or language."""

    person: UUID
    service: str
    field: str


@dataclass(frozen=True)
class ClaimsItem:
    """Sealed claims of a receipt to be opened."""

    person: UUID
    service: str
    blob: bytes = field(repr=False)


Item = SealedItem | RegisterItem | ClaimsItem


@dataclass(frozen=True)
class Opened:
    """What became of one item: its text, or the code of the refusal. Never both.

    `holder_salt` comes with claims only, and only to the person and their guardians.
    """

    text: str | None = field(default=None, repr=False)
    refused: str | None = None
    holder_salt: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Notice:
    """A notice in the demo's inbox."""

    at_ms: int
    service: str
    template: str
    subject: str = field(repr=False)
    body: str = field(repr=False)
    whose: str = field(default="me", repr=False)


@dataclass(frozen=True)
class Look:
    """One sealed entry of the keeper's log of looks, to be appended to the journal."""

    seq: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True)
class LookView:
    """A look as the citizen reads it. `whose` is "me" or the ward's name; `allowed` is False for refused tries.

    `fields` names what was opened: "name", "number", … or "table.column" of sealed cells.
    """

    at_ms: int
    office: str
    role: str
    service: str
    purpose: str
    fields: list[str]
    whose: str = field(default="me", repr=False)
    allowed: bool = True
