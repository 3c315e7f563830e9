"""The pages of an office: the day's list, booking by telephone, arrived, did not come, cancel.

Names come through the grants that bookings make, in one call a page. A booking without a receipt yet has no
grant: it is marked as not confirmed and shown without its name, so that no budget is spent on it by looking.
"""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.record import api as record
from kulla.registry import access
from kulla.registry.access import Request
from kulla.services.appointments import actions, booking, people, queries, refusals
from kulla.services.appointments.forms import CancelForm, PhoneForm, instant_of
from kulla.services.appointments.models import Appointment, CancelReason, Channel, Status
from kulla.services.appointments.page import render
from kulla.services.appointments.people import SERVICE
from kulla.services.appointments.views import SeeOther, week

LOOK_COST = 10  # of the official's budget, for each person without a grant for today


# -- the day ---------------------------------------------------------------------------------------------------


@access.staff(SERVICE)
@require_safe
def today(request: Request) -> HttpResponse:
    """Today's list."""
    return _day(request, queries.today(people.now()))


@access.staff(SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def day(request: Request, day: str) -> HttpResponse:
    """The list of another day. A POST opens the names, which costs; the page says how much before."""
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    return _day(request, asked, all_names=request.method == "POST")


def _day(
    request: Request, asked: date, *, all_names: bool = False, sentence: str = "", status: int = 200
) -> HttpResponse:
    now = people.now()
    first = queries.today(now)
    rows = queries.day_list(request.actor, asked)
    states = record.statuses([row.last_entry for row in rows] + [row.entry for row in rows])
    granted = [row for row in rows if row.status != Status.CANCELLED and _received(states.get(row.entry))]
    opened = granted if asked == first or all_names else []
    context = {
        "day": asked,
        "is_today": asked == first,
        "before": asked - timedelta(days=1) if asked > date.min else None,
        "after": asked + timedelta(days=1) if asked < date.max else None,
        "rows": rows,
        "states": states,
        "received": _received,
        "read": people.read(request.actor, "day list", appointments=opened),
        "needs": people.needs(request.actor, [row.person for row in opened]) if asked == first else {},
        "names_cost": LOOK_COST * len({row.person for row in granted}),
        "names_closed": asked != first and not all_names and bool(granted),
        "now": now,
        "sentence": sentence,
    }
    return render(request, "appointments/reception_day.html", context, status=status)


def _received(state: record.EntryStatus | None) -> bool:
    return state is not None and state.status == "received"


@access.staff(SERVICE)
@require_POST
def arrived(request: Request, appointment: UUID) -> HttpResponse:
    """The person has come."""
    return _mark(request, appointment, actions.arrived)


@access.staff(SERVICE)
@require_POST
def no_show(request: Request, appointment: UUID) -> HttpResponse:
    """The person did not come."""
    return _mark(request, appointment, actions.no_show)


def _mark(request: Request, appointment: UUID, action: Any) -> HttpResponse:
    row = queries.appointment_for(request.actor, appointment)
    try:
        action(actor=request.actor, appointment=row, now=people.now())
    except record.AlreadyRecorded:
        pass  # a second click: it is as it should be
    except refusals.Refusal as refusal:
        return _day(request, row.wall_date, sentence=refusal.sentence, status=409)
    except (KeeperUnavailable, Refused, record.OutboxFull, record.ReadOnly):
        sentence = _("This cannot be recorded right now. Note it on paper and try again in some minutes.")
        return _day(request, row.wall_date, sentence=sentence, status=503)
    return SeeOther(f"{reverse('appointments:reception-day', args=[row.wall_date.isoformat()])}#a-{row.id}")


@access.staff(SERVICE)
@require_safe
def appointment(request: Request, appointment: UUID) -> HttpResponse:
    """One appointment at this office, without its person's name: what can be done with it."""
    row = queries.appointment_for(request.actor, appointment)
    context = {
        "row": row,
        "status": record.status(row.last_entry),
        "may_cancel": row.status == Status.BOOKED and row.starts_at > people.now(),
    }
    return render(request, "appointments/reception_appointment.html", context)


@access.staff(SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: Request, appointment: UUID) -> HttpResponse:
    """Cancel with a reason; the person gets a notice."""
    row = queries.appointment_for(request.actor, appointment)
    form = CancelForm(request.POST) if request.method == "POST" else CancelForm()
    sentence, status = "", 200
    if request.method == "POST":
        if form.is_valid():
            answer = _cancel(request, row, CancelReason(form.cleaned_data["reason"]))
            if not isinstance(answer, str):
                return answer
            sentence, status = answer, 409
        else:
            status = 422
    context = {"row": row, "form": form, "sentence": sentence}
    return render(request, "appointments/reception_cancel.html", context, status=status)


def _cancel(request: Request, row: Appointment, reason: CancelReason) -> HttpResponse | str:
    try:
        actions.cancel(actor=request.actor, appointment=row, reason=reason, now=people.now())
    except record.AlreadyRecorded:
        pass
    except refusals.Refusal as refusal:
        return refusal.sentence
    except (KeeperUnavailable, Refused, record.OutboxFull, record.ReadOnly):
        return _("This cannot be recorded right now. Note it on paper and try again in some minutes.")
    return SeeOther(reverse("appointments:reception-appointment", args=[row.id]))


# -- by telephone ----------------------------------------------------------------------------------------------


@access.staff(SERVICE)
@require_safe
def practitioners(request: Request) -> HttpResponse:
    """Whom to book: the practitioners of this office with their next free time."""
    now = people.now()
    known = queries.desks_of(request.actor.office) if request.actor.office else []
    free = queries.free_days(known, queries.today(now), queries.PAGE_DAYS, now)
    context = {"desks": known, "free": free, "now": now}
    return render(request, "appointments/reception_book.html", context)


@access.staff(SERVICE)
@require_safe
def phone_times(request: Request, practitioner: UUID) -> HttpResponse:
    """The free times of one practitioner, a week at a time."""
    desk = queries.diary_for(request.actor, practitioner)
    return render(request, "appointments/reception_times.html", week(request, [desk], people.now()))


@access.staff(SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: Request, practitioner: UUID, starts: int) -> HttpResponse:
    """Book a time for a caller. The number is in the form, never in an address."""
    desk = queries.diary_for(request.actor, practitioner)
    starts_at = instant_of(str(starts))
    if starts_at is None:
        raise Http404
    base = {"practitioner": practitioner, "starts": starts}
    form = PhoneForm(initial=base | {"key": uuid4()})
    sentence, status, refusal = "", 200, None
    if request.method == "POST":
        form = PhoneForm(request.POST.dict() | base)
        status = 422
        if form.is_valid():
            try:
                return _book(request, form.cleaned_data)
            except refusals.AlreadyHas as caught:
                sentence, status = caught.sentence_for(request.actor.office), 409
            except refusals.Refusal as caught:
                refusal, sentence, status = caught, caught.sentence, 409
            except Refused as refused:
                sentence, status = _keeper_sentence(refused), 409
            except KeeperUnavailable:
                sentence = _("The keeper of names is away: nobody can be found by number right now.")
                sentence += " " + _("Note name, number and time on paper and book it later.")
                status = 503
            except (record.OutboxFull, record.ReadOnly):
                sentence = _(
                    "This cannot be recorded right now. Note it on paper and try again in some minutes."
                )
                status = 503
    context = {"desk": desk, "starts_at": starts_at, "form": form, "sentence": sentence, "refusal": refusal}
    return render(request, "appointments/reception_phone.html", context, status=status)


def _book(request: Request, data: dict[str, Any]) -> HttpResponse:
    """Find the person, book, go to the appointment. A form sent twice finds nobody twice."""
    actor = request.actor
    if actor.office is None:
        raise Http404
    entry = record.entry_id(actor.office, str(data["key"]))
    if booking.by_entry(entry) is None:
        person = people.find(actor, data["number"])
        if person is None:
            raise Refused("nobody")
        with suppress(record.AlreadyRecorded):
            actions.book(
                actor=actor,
                person=person,
                practitioner=data["practitioner"],
                starts_at=data["starts"],
                key=data["key"],
                now=people.now(),
                reason=data["reason"],
                channel=Channel.PHONE,
            )
    row = queries.appointment_of_entry(actor, entry)
    if row is None:
        raise Http404
    return SeeOther(reverse("appointments:reception-appointment", args=[row.id]))


def _keeper_sentence(refused: Refused) -> str:
    if refused.code == "nobody":
        return _(
            "Nobody has this number. Read it back to the caller; each search costs %(cost)s of your limit."
        ) % {"cost": LOOK_COST}
    if refused.code == "bad_identifier":
        return _("This is no identity number: ten characters, for example J55101042K. Nothing was searched.")
    return people.refusal_sentence(refused)
