"""Payloads of entries: deterministic CBOR (RFC 8949 §4.2).

A map with exactly these keys: v (1), uuid, at (ms, UTC), kind, office, person, actor, claims, rows, after. UUIDs are
tag 37 (bytes), office and person may be null, actor is the keeper's attestation (bytes) or "job:<name>". Each row
is an array [table, key, rev, columns or null for a deletion, schema version]. Column values: null, bool, integer
of 64 bits, text, bytes, UUID, lists and maps of these with text keys; never a float. Times are RFC 3339 text in
UTC with microseconds, dates are text. Personal text is sealed before it comes here. `after` is text of the portal's
own, "" when there is none: what is to be asked of the keeper once the entry is received (record.effects), so that
a notice that was under way when the portal was lost is sent by the rebuilt one.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import cbor2

from .claims import Claims, check_code, leaf_data, leaf_of
from .errors import FormatError

Value = Any  # None | bool | int | str | bytes | UUID | list[Value] | dict[str, Value]

VERSION = 1
MAX_PAYLOAD = 1 << 20  # bytes
_KEYS = frozenset({"v", "uuid", "at", "kind", "office", "person", "actor", "claims", "rows", "after"})


@dataclass(frozen=True, slots=True)
class Image:
    """A row as an entry left it; `columns` None says that it was deleted."""

    table: str
    key: UUID
    rev: int
    columns: dict[str, Value] | None
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Payload:
    """One fact. `actor` is the keeper's attestation or "job:<name>"; `claims` is sealed and may be empty."""

    uuid: UUID
    at_ms: int
    kind: str
    office: UUID | None
    person: UUID | None
    actor: bytes | str
    claims: bytes = b""
    rows: list[Image] = field(default_factory=list)
    after: str = ""
    v: int = VERSION


def encode_payload(payload: Payload) -> bytes:
    """The payload's bytes; the same payload always gives the same. Raises FormatError."""
    rows: list[Any] = []
    for row in payload.rows:
        if row.columns is not None:
            _check_map(row.columns, f"{row.table}.")
        rows.append([row.table, row.key, row.rev, row.columns, row.schema])
    try:
        data = cbor2.dumps(
            {
                "v": payload.v,
                "uuid": payload.uuid,
                "at": payload.at_ms,
                "kind": payload.kind,
                "office": payload.office,
                "person": payload.person,
                "actor": payload.actor,
                "claims": payload.claims,
                "rows": rows,
                "after": payload.after,
            },
            canonical=True,
        )
    except (cbor2.CBOREncodeError, UnicodeEncodeError) as e:
        raise FormatError(f"An entry of kind {payload.kind} cannot be written as CBOR.") from e
    if len(data) > MAX_PAYLOAD:
        raise FormatError(f"An entry of kind {payload.kind} has more than {MAX_PAYLOAD} bytes.")
    return data


def _check_map(columns: dict[str, Value], where: str) -> None:
    for name, value in columns.items():
        if type(name) is not str:
            raise FormatError(f"{where}{name!r} is not a text key.")
        kind = type(value)
        if kind in {str, bytes, bool, UUID} or value is None:
            continue
        if kind is int:
            if not -(1 << 63) <= value < 1 << 63:
                raise FormatError(f"{where}{name} does not fit into 64 bits.")
        elif kind is dict:
            _check_map(value, f"{where}{name}.")
        elif kind is list:
            _check_map({str(i): item for i, item in enumerate(value)}, f"{where}{name}.")
        else:
            raise FormatError(f"{where}{name} holds a {kind.__name__}, which no entry may hold.")


def decode_payload(data: bytes) -> Payload:
    """Read a payload (after decryption, so its bytes are authentic). Raises FormatError for another form."""
    try:
        fields = cbor2.loads(data)
        if fields.keys() != _KEYS or fields["v"] != VERSION:
            raise FormatError("This payload is of a version that is not known here.")
        rows = [Image(*row) for row in fields["rows"]]
        payload = Payload(
            fields["uuid"],
            fields["at"],
            fields["kind"],
            fields["office"],
            fields["person"],
            fields["actor"],
            fields["claims"],
            rows,
            fields["after"],
        )
    except FormatError:
        raise
    except (cbor2.CBORDecodeError, AttributeError, TypeError, ValueError) as e:
        raise FormatError("A payload is not the CBOR that it should be.") from e
    if type(payload.uuid) is not UUID or type(payload.at_ms) is not int or type(payload.kind) is not str:
        raise FormatError("A payload's fields have other types than they should.")
    return payload


__all__ = [
    "Claims",
    "Image",
    "Payload",
    "check_code",
    "decode_payload",
    "encode_payload",
    "leaf_data",
    "leaf_of",
]
