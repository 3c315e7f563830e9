"""The few things this service asks the keeper: names, reasons, who has this number. One call a page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from kulla.identity.my_data.words import NEEDS
from kulla.keeper_client import Field, Item, KeeperUnavailable, Opened, Refused, RegisterItem, SealedItem
from kulla.registry.actor import Actor
from kulla.registry.door import keeper
from kulla.services.appointments.models import Appointment
from kulla.web import when

SERVICE = "appointments"
REASON_LENGTH = 500
_TABLE, _COLUMN = "appointments_appointment", "reason"


def now() -> datetime:
    """This instant, UTC."""
    return timezone.now().astimezone(UTC)


@dataclass(frozen=True)
class Read:
    """What the keeper opened for one page. `problem` is a plain sentence when it did not open all; `protected` are
    those whose names a second official must release first."""

    names: dict[UUID, str] = field(default_factory=dict, repr=False)
    reasons: dict[UUID, str] = field(default_factory=dict, repr=False)
    problem: str = ""
    protected: frozenset[UUID] = frozenset()


def read(
    actor: Actor, purpose: str, persons: Iterable[UUID] = (), appointments: Sequence[Appointment] = ()
) -> Read:
    """Names of persons and reasons of appointments, in one call. Never raises: a page shows what there is.

    For officials each person costs one look; with the appointment's grant for today it costs nothing.
    """
    wanted = list(dict.fromkeys([*persons, *(row.person for row in appointments)]))
    sealed = [row for row in appointments if row.reason]
    items: list[Item] = [RegisterItem(person, SERVICE, "name") for person in wanted]
    items += [
        SealedItem(_TABLE, _COLUMN, row.id, row.person, SERVICE, bytes(row.reason or b"")) for row in sealed
    ]
    if not items:
        return Read()
    try:
        opened: list[Opened] = keeper().open(actor.token, items, purpose)
    except KeeperUnavailable:
        return Read(
            problem=_("Names cannot be shown right now; everything else works. Try again in a minute.")
        )
    except Refused as refused:
        return Read(problem=refusal_sentence(refused))
    names = {
        person: answer.text for person, answer in zip(wanted, opened, strict=False) if answer.text is not None
    }
    reasons = {
        row.id: answer.text
        for row, answer in zip(sealed, opened[len(wanted) :], strict=True)
        if answer.text is not None
    }
    codes = {answer.refused for answer in opened if answer.refused} - {"no_value", "protected"}
    problem = refusal_sentence(Refused(sorted(codes)[0])) if codes else ""
    closed = {person for person, answer in zip(wanted, opened, strict=False) if answer.refused == "protected"}
    return Read(names, reasons, problem, frozenset(closed))


def needs(actor: Actor, persons: Iterable[UUID]) -> dict[UUID, str]:
    """What helps these people, in words, where the office may look at them today. Never raises."""
    wanted = list(dict.fromkeys(persons))
    if not wanted:
        return {}
    try:
        found = keeper().needs(actor.token, wanted, SERVICE)
    except (KeeperUnavailable, Refused):
        return {}
    return {
        person: ", ".join(str(NEEDS.get(code, code)) for code in codes) for person, codes in found.items()
    }


def refusal_sentence(refused: Refused) -> str:
    """A refusal of the keeper in plain words."""
    if refused.code == "budget":
        until = refused.details.get("until_ms")
        text = _("The limit for opening people's data is reached. This attempt is on record.")
        if isinstance(until, int):
            text += " " + _("It opens again at %(time)s.") % {"time": when.datetime_words(until)}
        return text
    if refused.code == "log_unconfirmed":
        return _(
            "Names are closed until the record of earlier looks is in safe keeping. Try again in a minute."
        )
    if refused.code in {"session", "token", "token_expired"}:
        return _("Your session has ended. Sign in again to see the names.")
    return _("The keeper of names did not show all of them.")


def seal_reason(person: UUID, appointment: UUID, text: str) -> bytes:
    """The reason as only the keeper can open it. Raises KeeperUnavailable or Refused."""
    return keeper().seal([Field(_TABLE, _COLUMN, appointment, person, SERVICE, text)])[0]


def find(actor: Actor, number: str) -> UUID | None:
    """The person with exactly this identity number; costs 10 of the official's budget and is on record.

    Raises KeeperUnavailable, or Refused "bad_identifier" (costs nothing), "budget".
    """
    return keeper().find(actor.token, "number", number, SERVICE)
