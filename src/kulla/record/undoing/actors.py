"""Whose acts: the words after --actor, and a test of one payload.

    person:UUID        a person's pseudonym in one service (as entries, rows and receipts of that service name it)
    office:UUID        whoever acted for an office
    attestation:HEX    one entering of one session into one service: the `id` in the keeper's attestation
    session:SID        an official's session     (the keeper says which attestations are of it)
    official:NAME      an official, by number or sign-in name     (the keeper, too)
    job:NAME           timed work

The keeper answers `session` and `official` for sessions of officials only: whoever holds the portal must not be able to
ask it which citizens of two services are one.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from kulla.journal.entry import Payload
from kulla.journal.wire import WireError, decode
from kulla.record.errors import RecordError

Matches = Callable[[Payload], bool]
Trace = Callable[[str, str, Sequence[bytes]], Sequence[bool]]
"""(session or official, which, attestations) -> for each whether it is of it: the keeper's answer."""

_BODY_AT = 65  # an attestation is a version byte, a signature, and its body


def body_of(attestation: bytes) -> dict[str, object]:
    """What an attestation says, read without checking the signature: {} when it says nothing."""
    try:
        body = decode(attestation[_BODY_AT:])
    except WireError:
        return {}
    return body if isinstance(body, dict) else {}


def matcher(words: str, trace: Trace | None = None) -> Matches:
    """The test for these words. Raises RecordError with a sentence for words that name nobody."""
    form, _, which = words.partition(":")
    if form == "job" and which:
        return lambda payload: payload.actor == words
    if form in {"person", "office"}:
        uuid, name = _uuid(words, which), {"person": "who", "office": "office"}[form]
        return lambda payload: isinstance(payload.actor, bytes) and body_of(payload.actor).get(name) == uuid
    if form == "attestation":
        try:
            ident = bytes.fromhex(which)
        except ValueError:
            ident = b""
        if len(ident) != 16:
            raise RecordError(f"{words!r} is no attestation: 32 hexadecimal digits are expected.")
        return lambda payload: isinstance(payload.actor, bytes) and body_of(payload.actor).get("id") == ident
    if form in {"session", "official"} and which:
        if trace is None:
            raise RecordError(f"Only the keeper knows which acts are of {form} {which}: let it run.")
        return _traced(form, which, trace)
    raise RecordError(
        f"{words!r} names nobody. An actor is person:UUID, office:UUID, attestation:HEX, session:SID, official:NAME"
        " or job:NAME."
    )


def _uuid(words: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise RecordError(f"{words!r} holds no UUID.") from None


def _traced(form: str, which: str, trace: Trace) -> Matches:
    """Each attestation is asked about once; an official has a few a day."""
    known: dict[bytes, bool] = {}

    def matches(payload: Payload) -> bool:
        if not isinstance(payload.actor, bytes):
            return False
        body = body_of(payload.actor)
        if body.get("role") in {None, "citizen"} and "assisted" not in body:
            return False
        if payload.actor not in known:
            if len(known) >= 100_000:
                known.clear()
            (known[payload.actor],) = trace(form, which, [payload.actor])
        return known[payload.actor]

    return matches
