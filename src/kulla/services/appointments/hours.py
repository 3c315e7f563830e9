"""The pages where an office sets the weekly hours of its practitioners, and sees what that changes first."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kulla.record import api as record
from kulla.registry import access
from kulla.registry.access import Request
from kulla.services.appointments import actions, offices, people, queries, refusals, times
from kulla.services.appointments.desks import Desk
from kulla.services.appointments.forms import HoursForm
from kulla.services.appointments.page import render
from kulla.services.appointments.people import SERVICE
from kulla.services.appointments.views import SeeOther

PREVIEW_DAYS = 14


@access.staff(SERVICE)
@require_safe
def diaries(request: Request) -> HttpResponse:
    """The practitioners of this office."""
    known = queries.desks_of(request.actor.office) if request.actor.office else []
    return render(request, "appointments/reception_hours.html", {"desks": known})


AHEAD = timedelta(days=730)


@access.staff(SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def diary(request: Request, practitioner: UUID) -> HttpResponse:
    """Change weekly hours: first what the next weeks would look like, then save."""
    desk = queries.diary_for(request.actor, practitioner)
    first = queries.today(people.now(), desk.zone)
    if request.method != "POST":
        form = HoursForm(initial=HoursForm.initial_of(desk.hours, desk.grid, first))
        return _page(request, desk, form, saved="saved" in request.GET)
    form = HoursForm(request.POST)
    if form.is_valid() and form.cleaned_data["valid_from"] < first:
        form.add_error("valid_from", _("Choose today or a later day: what was offered in the past stays so."))
    elif form.is_valid() and form.cleaned_data["valid_from"] > first + AHEAD:
        form.add_error("valid_from", _("Choose a day within the next two years."))
    if form.errors:
        return _page(request, desk, form, status=422)
    weekly = form.weekly()
    try:
        offices.check_hours(weekly)
        if request.POST.get("do") != "save":
            return _page(request, desk, form, weekly=weekly)
        actions.set_hours(
            actor=request.actor,
            practitioner=practitioner,
            weekly=weekly,
            valid_from=form.cleaned_data["valid_from"],
            grid=form.cleaned_data["grid"],
            key=str(form.cleaned_data["key"]),
        )
    except record.AlreadyRecorded:
        pass  # the same form sent twice
    except refusals.Refusal as refusal:
        return _page(request, desk, form, sentence=refusal.sentence, status=409)
    except (record.OutboxFull, record.ReadOnly):
        sentence = _("The new hours cannot be recorded right now. What you wrote is kept: try again later.")
        return _page(request, desk, form, sentence=sentence, status=503)
    return SeeOther(f"{reverse('appointments:reception-diary', args=[practitioner])}?saved=1")


def _page(
    request: Request,
    desk: Desk,
    form: HoursForm,
    *,
    weekly: list[times.Hours] | None = None,
    saved: bool = False,
    sentence: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "desk": desk,
        "form": form,
        "saved": saved,
        "sentence": sentence,
        "preview": None,
        "outside": [],
    }
    if weekly is not None:
        now = people.now()
        begin = form.cleaned_data["valid_from"]
        until = begin - timedelta(days=1)
        kept = [  # the hours as they would be after saving: what runs until the day before, then the new ones
            times.Hours(h.weekday, h.start_minute, h.end_minute, h.slot_minutes, h.valid_from,
                        min(h.valid_to or until, until))
            for h in desk.hours if h.valid_from < begin
        ]  # fmt: skip
        context["preview"] = [
            (day, list(times.slots_on(weekly, day, desk.zone)))
            for day in (begin + timedelta(days=ahead) for ahead in range(PREVIEW_DAYS))
        ]
        context["outside"] = queries.outside(desk, [*kept, *weekly], now)
    return render(request, "appointments/reception_diary.html", context, status=status)
