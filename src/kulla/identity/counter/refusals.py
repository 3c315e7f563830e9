"""The keeper's refusals at the counter, in plain words for who stands there."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kulla.keeper_client import Refused
from kulla.web import when


def sentence(refused: Refused) -> str:
    """What to say. Raises the refusal again when it is none of the counter's: the portal has a page for those."""
    say = _COUNTED.get(refused.code)
    if say is not None:
        return say(refused.details)
    words = _words()
    if refused.code not in words:
        raise refused
    return words[refused.code]


def _budget(details: dict[str, Any]) -> str:
    said = _("The limit for looking people up is reached. It opens again at %(time)s.")
    return said % {"time": when.clock(int(details.get("until_ms", 0)))}


def _slow_down(details: dict[str, Any]) -> str:
    minutes = max(1, -(-int(details.get("retry_after_s", 60)) // 60))
    said = ngettext(
        "Too many tries: wait %(minutes)s minute, or let the person confirm in another way.",
        "Too many tries: wait %(minutes)s minutes, or let the person confirm in another way.",
        minutes,
    )
    return said % {"minutes": minutes}


def _wrong_pin(details: dict[str, Any]) -> str:
    left = int(details.get("left", 0))
    if not left:
        return _("That PIN is wrong. It is locked now; confirm in another way.")
    said = ngettext(
        "That PIN is wrong. %(left)s try is left.", "That PIN is wrong. %(left)s tries are left.", left
    )
    return said % {"left": left}


def _weak_pin(details: dict[str, Any]) -> str:
    if details.get("reason") == "own":
        return _("A birth date or part of a number is too easy to guess. Choose another PIN.")
    return _("This PIN is too easy to guess. Choose another one.")


_COUNTED: dict[str, Callable[[dict[str, Any]], str]] = {
    "budget": _budget,
    "slow_down": _slow_down,
    "capped": _slow_down,
    "wrong_pin": _wrong_pin,
    "weak_pin": _weak_pin,
}


def _words() -> dict[str, str]:
    return {
        "bad_identifier": _("This number does not have the right form. Nothing was searched."),
        "yourself": _("This is your own number. A colleague must help you."),
        "unknown_visit": _("This visit is over. Search for the person again."),
        "no_phone": _("There is no telephone on record."),
        "no_channel": _("There is no telephone on record."),
        "wrong_code": _("That code is wrong, too old, or was used already. Send a new one if need be."),
        "no_pin": _("This person has no counter PIN."),
        "pin_locked": _("The PIN is locked after five wrong tries. Confirm in another way."),
        "not_confirmed": _("No colleague has confirmed the person, or that was more than ten minutes ago."),
        "protected_look": _("A second official must release this person first."),
        "frozen": _("This account is frozen after “this was not me”. Settle the case first."),
        "dead": _("The register says that this person has died."),
        "under_age": _("This is a child. A guardian comes to the counter and acts for the child."),
        "too_many": _("You have asked for too much that still waits. Take some of it back first."),
        "wrong": _("That password is wrong."),
        "short_session": _("On a device that is not yours this cannot be changed."),
        "confirm": _("Sign out and in again, then choose the PIN within ten minutes."),
    }
