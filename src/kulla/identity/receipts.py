"""Receipts for pages: who may see one, and what it says.

The only door to a receipt is `of_viewer`: the person, a guardian, or staff of the office that the entry names,
seen from the service of the entry; for everyone else it does not exist.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kulla.journal.claims import Claims
from kulla.journal.errors import JournalError
from kulla.keeper_client import ClaimsItem, Item, KeeperUnavailable, Refused, RegisterItem
from kulla.record import api as record
from kulla.registry import actor, door
from kulla.registry import services as registry
from kulla.registry.access import Request
from kulla.registry.actor import Actor
from kulla.registry.services import Titles
from kulla.web import when

LABELS = {
    "what": _("What"),
    "where": _("Where"),
    "when": _("When"),
    "who": _("Who"),
    "office": _("Office"),
    "how": _("How"),
}
_EXACT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d) ([+-]\d\d:\d\d) [A-Za-z_]+/[A-Za-z_/]+")
_HIDDEN = {"holder", "salt"}  # proofs for machines, not words for people


@dataclass(frozen=True)
class Line:
    """A receipt in a list. Until `status` is received a page shows `service`: `title` says what happened."""

    uuid: UUID
    title: Titles
    service: Titles
    at_ms: int
    status: str
    check_code: str | None


@dataclass(frozen=True)
class Seen:
    """A receipt as one viewer sees it, before anything personal is opened."""

    entry: record.EntryStatus
    actor: Actor
    title: Titles
    service: registry.Service


@dataclass(frozen=True)
class Opened:
    """What the keeper opened for one viewer. `lines` are (label, words); empty with `problem` when it did not."""

    lines: list[tuple[str | Promise, str]]
    who: str
    plain: bytes
    holder_salt: bytes | None
    problem: str = ""


def lines_of(entries: list[record.EntryStatus]) -> list[Line]:
    """Entries with the titles that their services declare; of kinds that are not declared any more, the name."""
    kinds = registry.kinds()
    found = []
    for entry in entries:
        service, title = kinds.get(entry.kind, (None, {"en": entry.kind}))
        about = service.title if service else {"en": entry.service}
        found.append(Line(entry.uuid, title, about, entry.at_ms, entry.status, entry.check_code))
    return found


def actors(request: Request) -> list[tuple[registry.Service, Actor]]:
    """The signed-in citizen as each service sees them. Raises Http404."""
    session, token = request.session_now, request.token
    if session is None or token is None:
        raise Http404
    return [(service, actor.enter(session, token, service.slug)) for service in registry.all_services()]


def of_all(seen: list[tuple[registry.Service, Actor]]) -> list[Line]:
    """Every receipt of a person and the wards, latest first."""
    found = [status for _service, me in seen for status in record.entries_of(me.persons)]
    return lines_of(sorted(found, key=lambda status: -status.at_ms))


def of_viewer(request: Request, uuid: UUID) -> Seen:
    """The receipt with this id for who is signed in. Raises Http404 when it is not theirs or does not exist."""
    entry = record.status(uuid)
    known = registry.kinds().get(entry.kind) if entry else None
    if entry is None or known is None or request.session_now is None or request.token is None:
        raise Http404
    service, title = known
    me = actor.enter(request.session_now, request.token, service.slug)
    own = me.may_act_for(entry.person)
    colleague = me.office is not None and me.office == entry.office and me.role in service.roles
    if not own and not colleague:
        raise Http404
    return Seen(entry, me, title, service)


def open_for(seen: Seen) -> Opened:
    """Claims and name, opened by the keeper for this viewer in one call; a colleague's look is logged."""
    try:
        person, service, blob = record.sealed_claims(seen.entry.uuid)
    except record.NotReceived:
        raise Http404 from None
    if person is None or not blob:
        return Opened([], "", b"", None)
    items: list[Item] = [ClaimsItem(person, service, blob), RegisterItem(person, service, "name")]
    try:
        claims, name = door.keeper().open(seen.actor.token, items, "receipt")
    except KeeperUnavailable:
        return Opened([], "", b"", None, "keeper")
    except Refused as refused:
        if refused.code == "budget":
            raise
        return Opened([], "", b"", None, refused.code)
    if claims.text is None:
        return Opened([], name.text or "", b"", None, claims.refused or "broken")
    plain = claims.text.encode()
    return Opened(words_of(plain), name.text or "", plain, claims.holder_salt)


def words_of(plain: bytes) -> list[tuple[str | Promise, str]]:
    """Claims as (label, words) in the language of the page; [] when they cannot be read."""
    try:
        lines = Claims.parse(plain).lines
    except JournalError:
        return []
    return [
        (LABELS.get(name, name.capitalize()), in_words(value)) for name, value in lines if name not in _HIDDEN
    ]


def in_words(value: str) -> str:
    """A claim's exact time ("2026-11-24 09:30 +01:00 Europe/Tirane") in words; anything else as it stands."""
    match = _EXACT.fullmatch(value)
    if match is None:
        return value
    try:
        return when.datetime_words(datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3]}"))
    except ValueError:  # the form of a time, but no time of any calendar
        return value


def text_of(seen: Seen, opened: Opened) -> str:
    """The receipt as the text that verifies offline. Raises Http404 before it is received or when not opened."""
    if seen.entry.status != "received" or opened.problem:
        raise Http404
    try:
        return record.receipt(seen.entry.uuid, opened.plain, opened.holder_salt)
    except record.NotReceived:
        raise Http404 from None
