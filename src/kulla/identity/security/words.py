"""What the pages of this area say: devices, places, reasons, refusals."""

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from kulla.keeper_client import Refused, SessionInfo

Text = str | Promise

FACTORS: dict[str, Text] = {
    "password": _("with the password"),
    "password+code": _("with password and code"),
    "passkey": _("with a passkey"),
    "passkey-touch": _("with a passkey"),
}

# Why a password may not be set (the keeper's `reason`).
WEAK: dict[str, Text] = {
    "short": _("Use at least 10 characters. Three or four words that do not belong together are good."),
    "long": _("A password has at most 256 characters."),
    "common": _("Too many people use this password or these words. Choose words that nobody would guess."),
    "personal": _("This is made of what others know about you: your name, number, birth date or town."),
    "pattern": _(
        "This follows a pattern: rows of keys, repeats or dates. Choose words that nobody would guess."
    ),
    "guessable": _("This password would be guessed. Make it longer: add a word or two."),
    "same": _("This is the password that you have now. Choose another one."),
}

REFUSED: dict[str, Text] = {
    "wrong": _("The password is wrong."),
    "challenge": _("That took too long, or was sent twice. Try again."),
    "passkey": _("Your device did not make a passkey that we can use. Try again, or use another device."),
    "passkey_known": _("This passkey is in your account already."),
    "passkey_copied": _(
        "This passkey may have been copied, so it was refused. We wrote to you. Sign in another way and remove it."
    ),
    "too_many": _("You have eight passkeys already. Remove one that you do not use."),
    "last_factor": _("You could not sign in without it any more. Add something else first."),
    "bad_name": _("Give it a name of at most 60 characters."),
    "second_factor": _("That code is wrong or was used already. Wait for the next one."),
    "second_factor_missing": _(
        "Officials sign in with a second factor. Add codes from your phone or a passkey, and sign in again."
    ),
    "copies_unavailable": _("Nothing can be changed for a moment. Try again in a few minutes."),
    "role": _("This cannot be done from here."),
}


def weak(refused: Refused) -> str:
    """Why this password may not be set."""
    return str(WEAK.get(str(refused.details.get("reason")), WEAK["guessable"]))


def refusal(refused: Refused) -> str:
    """A refusal of the keeper in words."""
    if refused.code == "weak_password":
        return weak(refused)
    if refused.code == "slow_down":
        return slow_down(refused)
    return str(REFUSED.get(refused.code, _("This cannot be done right now.")))


def slow_down(refused: Refused) -> str:
    """Too many tries, and when to try again."""
    seconds = int(refused.details.get("retry_after_s", 60))
    if seconds < 60:
        sentence = ngettext(
            "There were too many attempts. Try again in %(seconds)s second.",
            "There were too many attempts. Try again in %(seconds)s seconds.",
            seconds,
        )
        return sentence % {"seconds": seconds}
    minutes = -(-seconds // 60)
    sentence = ngettext(
        "There were too many attempts. Try again in %(minutes)s minute.",
        "There were too many attempts. Try again in %(minutes)s minutes.",
        minutes,
    )
    return sentence % {"minutes": minutes}


def device(label: str) -> str:
    """ "Chrome, Android" as people say it."""
    browser, _comma, system = label.partition(", ")
    if not label:
        return gettext("Unknown browser")
    if not system:
        return browser
    return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}


def place(info: SessionInfo) -> str:
    """Where a session is: its place if that is known, and how it stands to this one."""
    known = {
        "same": gettext("the same network as now"),
        "known": gettext("a network that you have used before"),
        "new": gettext("a new network"),
    }[info.known]
    name = info.place.get((get_language() or "sq")[:2]) or info.place.get("sq") or ""
    return f"{name} ({known})" if name else known
