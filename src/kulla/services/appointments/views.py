"""The pages of a citizen: kind of care, place, office, time, for whom; then the appointment itself.

Looking for a time needs no session. From the moment a time is held the pages belong to a citizen, and no
address names the kind of care any more.
"""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kulla.record import api as record
from kulla.registry import access
from kulla.registry.access import Request
from kulla.registry.actor import Actor, enter
from kulla.services.appointments import actions, booking_form, people, places, queries, refusals, specialties
from kulla.services.appointments.calendar_file import calendar_file
from kulla.services.appointments.desks import Desk
from kulla.services.appointments.forms import TimeForm, instant_of, uuid_of
from kulla.services.appointments.models import LIVE, Appointment, CancelReason, Status
from kulla.services.appointments.page import render
from kulla.services.appointments.people import SERVICE
from kulla.services.appointments.service import SERVICE as DECLARED

WEEK = 7
SERVICE_RULE = DECLARED.guardians_rule  # where two who act for one person disagree


class SeeOther(HttpResponseRedirect):
    """303: the answer to a POST that went well; a reload repeats nothing."""

    status_code = 303


def receipt_of(entry: UUID) -> SeeOther:
    """To the receipt page of an entry (it belongs to identity)."""
    return SeeOther(reverse("receipt", args=[entry]))


def problem(request: Request, sentence: str, back: str, status: int = 400) -> HttpResponse:
    """One plain sentence and a way on."""
    return render(request, "appointments/problem.html", {"sentence": sentence, "back": back}, status=status)


def specialty_or_404(code: str) -> specialties.Specialty:
    """The kind of care. Raises Http404."""
    if code not in specialties.BY_CODE:
        raise Http404
    return specialties.BY_CODE[code]


def day_asked(request: Request, first: date, last: date) -> date:
    """The day in `?from=`, moved into what may be shown; the first day when there is none or it is no date."""
    try:
        asked = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        return first
    return min(max(asked, first), last)


# -- finding a time: public ------------------------------------------------------------------------------------


@access.public
@require_safe
def start(request: Request) -> HttpResponse:
    """Choose the kind of care."""
    offered = queries.offered()
    return render(
        request,
        "appointments/start.html",
        {"kinds": [known for known in specialties.ALL if known.code in offered]},
    )


@access.public
@require_safe
def place(request: Request, specialty: str) -> HttpResponse:
    """Choose a place: type a town or village, or take one of the cities."""
    kind = specialty_or_404(specialty)
    text = request.GET.get("q", "").strip()[:100]
    found = places.search(text)
    if len(found) == 1:
        return HttpResponseRedirect(reverse("appointments:near", args=[kind.code, found[0].id]))
    context = {"kind": kind, "q": text, "found": found, "cities": places.big_places()}
    return render(request, "appointments/place.html", context)


@access.public
@require_safe
def near(request: Request, specialty: str, number: int) -> HttpResponse:
    """Offices with this kind of care, nearest to a place first."""
    kind = specialty_or_404(specialty)
    here = places.place(number)
    if here is None:
        raise Http404
    return _offices(request, kind, here)


@access.public
@require_safe
def everywhere(request: Request, specialty: str) -> HttpResponse:
    """Offices with this kind of care, by name."""
    return _offices(request, specialty_or_404(specialty), None)


def _offices(request: Request, kind: specialties.Specialty, here: places.Place | None) -> HttpResponse:
    now = people.now()
    limit = 50 if request.GET.get("more") else 10
    offices, total = queries.offices_near(kind.code, here, now, limit=limit)
    context = {"kind": kind, "here": here, "offices": offices, "total": total, "now": now}
    return render(request, "appointments/offices.html", context)


@access.public
@require_safe
def free_times(request: Request, specialty: str, office: UUID) -> HttpResponse:
    """The free times of an office by practitioner and day, a week at a time."""
    kind = specialty_or_404(specialty)
    desks = queries.desks_of(office, kind.code)
    if not desks:
        raise Http404
    now = people.now()
    context = {"kind": kind, "office": desks[0], **week(request, desks, now)}
    return render(request, "appointments/times.html", context)


def week(request: Request, desks: list[Desk], now: Any) -> dict[str, Any]:
    """What a page of free times shows: a week from `?from=`, its neighbours, and where the next free day is."""
    first = queries.today(now, desks[0].zone)
    last = first + timedelta(days=queries.HORIZON_DAYS)
    begin = day_asked(request, first, last)
    days = min(WEEK, (last - begin).days + 1)
    free = queries.free_days(desks, begin, days, now)
    later = None
    if not any(free.values()):
        ahead = queries.free_days(desks, begin, (last - begin).days + 1, now)
        later = min((found[0].day for found in ahead.values() if found), default=None)
    end = begin + timedelta(days=days - 1)
    return {
        "desks": desks,
        "free": free,
        "begin": begin,
        "end": end,
        "before": max(first, begin - timedelta(days=WEEK)) if begin > first else None,
        "after": end + timedelta(days=1) if end < last else None,
        "later": later,
        "now": now,
    }


# -- choosing one: from here on a citizen ------------------------------------------------------------------------


@access.public
@require_POST
def choose(request: Request) -> HttpResponse:
    """Take a time from the list: hold it for who is signed in, send everybody else to sign in first."""
    practitioner_text, _dot, starts_text = request.POST.get("time", "").partition(".")
    practitioner, starts_at = uuid_of(practitioner_text), instant_of(starts_text)
    if practitioner is None or starts_at is None:
        return problem(request, _("The time is missing. Choose it again."), reverse("appointments:start"))
    session, token = request.session_now, request.token
    if session is None or token is None:
        after = reverse("appointments:chosen", args=[practitioner, int(starts_at.timestamp())])
        return SeeOther(f"{reverse('sign-in')}?{urlencode({'next': after})}")
    if session.role != "citizen":
        return problem(
            request,
            _("You are signed in as an official. Use the reception's pages to book for a caller."),
            reverse("appointments:reception"),
            403,
        )
    return _hold(request, enter(session, token, SERVICE), practitioner, starts_at)


@access.citizen(SERVICE)
@require_safe
def chosen(request: Request, practitioner: UUID, starts: int) -> HttpResponse:
    """After signing in: the time that was chosen, and one button to hold it."""
    desk = queries.desk_or_404(practitioner)
    starts_at = instant_of(str(starts))
    if starts_at is None:
        raise Http404
    context = {"desk": desk, "starts_at": starts_at, "time": f"{practitioner}.{starts}"}
    return render(request, "appointments/chosen.html", context)


@access.citizen(SERVICE)
@require_POST
def hold(request: Request) -> HttpResponse:
    """Hold a time."""
    form = TimeForm(request.POST)
    if not form.is_valid():
        return problem(request, _("The time is missing. Choose it again."), reverse("appointments:start"))
    return _hold(request, request.actor, form.cleaned_data["practitioner"], form.cleaned_data["starts"])


def _hold(request: Request, actor: Actor, practitioner: UUID, starts_at: Any) -> HttpResponse:
    try:
        made = actions.hold(actor=actor, practitioner=practitioner, starts_at=starts_at, now=people.now())
    except refusals.Refusal as refusal:
        context = {"refusal": refusal, "practitioner": practitioner}
        return render(request, "appointments/not_free.html", context, status=409)
    return SeeOther(reverse("appointments:details", args=[made.id]))


@access.citizen(SERVICE)
@require_safe
def details(request: Request, hold_id: UUID) -> HttpResponse:
    """For whom, and why: the form of a held time."""
    try:
        held = queries.hold_for(request.actor, hold_id)
    except Http404:  # the back button after booking, or a page left open: the same words for anybody's
        sentence = _("This time is not held for you any more. If you have booked it, it stands on your page.")
        return problem(request, sentence, reverse("appointments:start"), 404)
    return booking_form.page(
        request,
        request.actor,
        {"practitioner": str(held.practitioner_id), "starts": str(int(held.starts_at.timestamp())),
         "key": str(uuid4()), "person": _for_whom(request.actor)},
        held,
    )  # fmt: skip


def _for_whom(actor: Actor) -> str:
    """Who is chosen before anybody chose: nobody for a guardian, who would book the child's visit for herself."""
    return "" if actor.wards else str(actor.person)


@access.citizen(SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: Request) -> HttpResponse:
    """Book (or extend the hold, or move to another time with everything typed kept); see booking_form."""
    if request.method != "POST":  # someone came back to the address of the form, which only takes posts
        return HttpResponseRedirect(reverse("appointments:start"))
    entry = booking_form.send(request, request.actor)
    return entry if isinstance(entry, HttpResponse) else receipt_of(entry)


# -- an appointment ----------------------------------------------------------------------------------------------


@access.citizen(SERVICE)
@require_safe
def appointment(request: Request, appointment: UUID) -> HttpResponse:
    """One appointment: when, where, for whom, and what can be done."""
    row = queries.appointment_for(request.actor, appointment)
    now = people.now()
    context = {
        "row": row,
        "status": record.status(row.last_entry),
        "read": people.read(request.actor, "own appointment", appointments=[row]),
        "may_cancel": row.status == Status.BOOKED and row.starts_at > now,
        "live": row.status in LIVE,
        "booked_by_other": row.booked_by not in (request.actor.person, row.person, row.office_id),
        "rule": SERVICE_RULE if row.person != request.actor.person else None,
    }
    return render(request, "appointments/appointment.html", context)


def _by_whom(actor: Actor, row: Appointment) -> CancelReason:
    return CancelReason.BY_PERSON if actor.person == row.person else CancelReason.FOR_PERSON


@access.citizen(SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: Request, appointment: UUID) -> HttpResponse:
    """Cancel after a page that says what follows from it."""
    row = queries.appointment_for(request.actor, appointment)
    refusal = None
    if request.method == "POST":
        try:
            return receipt_of(
                actions.cancel(
                    actor=request.actor,
                    appointment=row,
                    reason=_by_whom(request.actor, row),
                    now=people.now(),
                )
            )
        except record.AlreadyRecorded as before:
            return receipt_of(before.uuid)
        except refusals.Refusal as caught:
            refusal = caught
    rule = SERVICE_RULE if row.person != request.actor.person else None
    context = {"row": row, "refusal": refusal, "rule": rule}
    return render(request, "appointments/cancel.html", context, status=409 if refusal else 200)


@access.citizen(SERVICE)
@require_safe
def calendar(request: Request, appointment: UUID) -> HttpResponse:
    """The calendar file: neither its name nor its words tell the kind of care."""
    row = queries.appointment_for(request.actor, appointment)
    if row.status not in LIVE:
        raise Http404
    body = calendar_file(row, people.now(), request.get_host().partition(":")[0])
    return HttpResponse(
        body,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="kulla.ics"'},
    )
