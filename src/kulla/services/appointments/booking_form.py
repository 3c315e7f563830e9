"""The form that books. Whatever goes wrong, everything that was typed comes back with a plain sentence.

One address takes three buttons, so that entries survive each of them: `do=book`, `do=extend` (five more
minutes), `do=move.<seconds>` (another free time of the same practitioner).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.utils.translation import gettext as _

from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.record import api as record
from kulla.registry.access import Request
from kulla.registry.actor import Actor
from kulla.services.appointments import actions, booking, desks, people, refusals
from kulla.services.appointments.forms import BookForm, instant_of, uuid_of
from kulla.services.appointments.models import Hold
from kulla.services.appointments.page import render

FIELDS = ("practitioner", "starts", "person", "reason", "key")


def send(request: Request, actor: Actor) -> UUID | HttpResponse:
    """Handle the form. Gives the entry's uuid when it is booked, else the page to show."""
    do, _dot, value = request.POST.get("do", "book").partition(".")
    typed = {name: request.POST.get(name, "") for name in FIELDS}
    if do == "move":
        typed |= {"starts": value, "key": str(uuid4())}
    if do in {"move", "extend"}:
        return _hold(request, actor, typed)
    form = BookForm([(person, "") for person in _living(actor)], typed)
    if not form.is_valid():
        return page(request, actor, typed, _held(actor, typed), bound=True, status=422)
    data = form.cleaned_data
    refusal: refusals.Refusal | None
    try:
        return actions.book(
            actor=actor,
            person=UUID(data["person"]),
            practitioner=data["practitioner"],
            starts_at=data["starts"],
            key=data["key"],
            now=people.now(),
            reason=data["reason"],
        )
    except record.AlreadyRecorded as before:
        known = booking.by_entry(before.uuid)
        if known is None or (known.practitioner_id, known.starts_at) == (
            data["practitioner"],
            data["starts"],
        ):
            return before.uuid
        refusal, sentence, status = refusals.SentBefore(known), "", 409
    except refusals.Refusal as refused:
        refusal, sentence, status = refused, "", 409
    except (KeeperUnavailable, Refused, record.OutboxFull, record.ReadOnly) as away:
        refusal, sentence, status = None, _not_now(away, data["reason"]), 503
    return page(request, actor, typed, _held(actor, typed), refusal=refusal, sentence=sentence, status=status)


def _not_now(away: Exception, reason: str) -> str:
    """Why nothing can be booked this minute, in plain words."""
    if isinstance(away, KeeperUnavailable | Refused):
        sentence = _(
            "Your appointment cannot be booked this minute. What you wrote is kept: try again in a minute."
        )
        return sentence + (" " + _("Without a reason it may work already now.") if reason else "")
    return _(
        "New bookings cannot be put in safe keeping right now, so none is taken. "
        "What you wrote is kept: try again in some minutes."
    )


def page(
    request: Request,
    actor: Actor,
    typed: Mapping[str, str],
    held: Hold | None,
    *,
    bound: bool = False,
    refusal: refusals.Refusal | None = None,
    sentence: str = "",
    status: int = 200,
) -> HttpResponse:
    """The form with what was typed, the time it is about, and what went wrong."""
    practitioner, starts_at = uuid_of(typed.get("practitioner", "")), instant_of(typed.get("starts", ""))
    desk = desks.desk(practitioner) if practitioner else None
    names = people.read(actor, "booking", persons=actor.wards) if actor.wards else people.Read()
    choices = _choices(actor, names)
    form = BookForm(choices, dict(typed)) if bound else BookForm(choices, initial=dict(typed))
    context: dict[str, Any] = {
        "form": form,
        "desk": desk,
        "starts_at": starts_at,
        "held": held if held is not None and held.expires_at > people.now() else None,
        "was_held": held is not None,
        "refusal": refusal,
        "sentence": refusal.sentence if refusal else sentence,
        "names_problem": names.problem,
        "single": len(choices) == 1,
        "me": actor.person,
    }
    return render(request, "appointments/details.html", context, status=status)


def _choices(actor: Actor, names: people.Read) -> list[tuple[UUID, str]]:
    choices = []
    for number, person in enumerate(_living(actor)):
        fallback = (
            _("Myself")
            if person == actor.person
            else _("Person %(number)s of my family") % {"number": number}
        )
        choices.append((person, names.names.get(person, fallback) if person != actor.person else fallback))
    return choices


def _living(actor: Actor) -> list[UUID]:
    """For whom the actor may book: an heir books nothing for the dead."""
    return [person for person in actor.persons if actor.relations.get(person) != "estate"]


def _held(actor: Actor, typed: Mapping[str, str]) -> Hold | None:
    """This person's hold of the time that the form is about."""
    practitioner, starts_at = uuid_of(typed["practitioner"]), instant_of(typed["starts"])
    if practitioner is None or starts_at is None or actor.person is None:
        return None
    return Hold.objects.filter(person=actor.person, practitioner=practitioner, starts_at=starts_at).first()


def _hold(request: Request, actor: Actor, typed: dict[str, str]) -> HttpResponse:
    """Extend the hold, or hold another time, with the entries kept."""
    practitioner, starts_at = uuid_of(typed["practitioner"]), instant_of(typed["starts"])
    if practitioner is None or starts_at is None:
        return page(
            request, actor, typed, None, sentence=_("The time is missing. Choose it again."), status=422
        )
    try:
        held = actions.hold(actor=actor, practitioner=practitioner, starts_at=starts_at, now=people.now())
    except refusals.Refusal as refusal:
        return page(request, actor, typed, None, refusal=refusal, status=409)
    return page(request, actor, typed, held)
