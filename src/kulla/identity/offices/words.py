"""Words of this area: types of offices, opening hours, and sentences for what the keeper refuses."""

from collections.abc import Mapping, Sequence

from babel.dates import get_day_names
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from kulla.keeper_client.offices import Office

Text = str | Promise
_TO = "\u2060–\u2060"  # no line breaks between the two times
KINDS: Mapping[str, Text] = {
    "state": _("The state"),
    "ministry": _("Ministry"),
    "agency": _("Agency"),
    "branch": _("Branch office"),
}
OFFERS: Mapping[str, Text] = {
    "open": _("Waits to be taken"),
    "taken": _("Taken"),
    "asked": _("Taken; the second administrator was asked"),
    "declined": _("Declined"),
    "withdrawn": _("Taken back"),
    "lapsed": _("Not taken in time"),
}
REFUSALS: Mapping[str, Text] = {
    "bad_identifier": _("That is not a number or document of this country. Check each letter and digit."),
    "self": _("Nobody gives a role to themselves. Ask another administrator."),
    "capped": _("You have reached the most that one administrator may do in a day."),
    "too_many": _("Too many of your requests wait. Let them be decided first."),
    "last_admin": _(
        "Another administrator must remain over this office. Somebody from above can end this role."
    ),
    "roles_apart": _(
        "An administrator or data-protection official cannot read citizens too: the other role must end first."
    ),
    "changed": _("This has changed meanwhile. Look at it again."),
    "bad_office": _(
        "The office cannot be changed like this. Check the name, the hours and the place in the tree."
    ),
    "unknown_office": _("This office is not in your part of the tree."),
    "unknown_role": _("This role has ended already."),
    "unknown_invitation": _("There is no offer to you with this code, or it does not stand any more."),
    "slow_down": _("Too many codes were tried. Try again in an hour."),
    "unknown_request": _("This request is not yours to decide."),
    "decided": _("This request was decided already, or its time is over."),
    "second_factor_missing": _(
        "Officials sign in with a second factor. Set one up under “security”, sign in with it and come back."
    ),
    "assisted": _("A role can only be taken on a device of your own, in a session that you began yourself."),
}


def name(office: Office) -> str:
    """The name of an office in the language of the page."""
    return office.name_en if office.name_en and _language() == "en" else office.name


def hours(office: Office) -> list[tuple[str, str]]:
    """Opening hours as (days, times); days in a row with the same hours stand together."""
    days: list[tuple[int, int, str]] = []
    for day in range(7):
        times = ", ".join(f"{_clock(begin)}{_TO}{_clock(end)}" for begin, end in office.hours.get(day, []))
        if not times:
            continue
        if days and days[-1][1] == day - 1 and days[-1][2] == times:
            days[-1] = (days[-1][0], day, times)
        else:
            days.append((day, day, times))
    return [(_days(first, last), times) for first, last, times in days]


def text_of_hours(spans: Sequence[tuple[int, int]]) -> str:
    """Spans as they are typed: "08:00-12:00, 13:00-16:00"."""
    return ", ".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in spans)


def day_name(day: int) -> str:
    """The name of a weekday; Monday is 0."""
    found = str(get_day_names("wide", "stand-alone", locale=_language())[day])
    return found[:1].upper() + found[1:]


def _days(first: int, last: int) -> str:
    if first == last:
        return day_name(first)
    between = {"first": day_name(first), "last": day_name(last)}
    return gettext("%(first)s to %(last)s") % between


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _language() -> str:
    return (get_language() or "sq").split("-")[0]
