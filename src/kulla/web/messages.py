"""What an error page says: what happened, and what to do now. Plain sentences, no codes, nobody's fault."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kulla.web import when

Text = str | Promise


@dataclass(frozen=True)
class Message:
    """The title and the paragraphs of an error page."""

    title: Text
    paragraphs: tuple[Text, ...]


MESSAGES: dict[int, Message] = {
    400: Message(
        _("We could not read what your browser sent"),
        (
            _("Part of the address or of the form is damaged, or is not text."),
            _("Go back and try again. If you came by a link, type the address yourself."),
        ),
    ),
    403: Message(
        _("This page did not accept what was sent"),
        (
            _("The form did not come from a page of ours. Nothing was changed."),
            _("Open the page anew and try again."),
        ),
    ),
    404: Message(
        _("This page does not exist"),
        (
            _("If you typed the address, check that it is right. If you came by a link, it may be old."),
            _("A page that belongs to somebody else looks the same as one that does not exist."),
        ),
    ),
    405: Message(
        _("This address cannot be used like that"),
        (_("The page expects a form to be sent, or only to be read. Nothing was changed."),),
    ),
    413: Message(
        _("That was too much at once"),
        (
            _("What you sent is larger than this page takes. Nothing was changed."),
            _("Go back, shorten it, and send it again."),
        ),
    ),
    414: Message(
        _("The address is too long"),
        (_("Start again from the front page, or shorten what you searched for."),),
    ),
    500: Message(
        _("Something went wrong on our side"),
        (
            _(
                "It is not your fault. What you did last may not have happened: look at your page before you repeat it."
            ),
            _("What already has a receipt is safe. Try again in a few minutes."),
        ),
    ),
    503: Message(
        _("This part of the portal rests for a moment"),
        (
            _("Nothing is lost: what has a receipt is safe with the mirrors."),
            _("Try again in a few minutes."),
        ),
    ),
}

KEEPER_AWAY = Message(
    _("We cannot look up who you are right now"),
    (
        _(
            "The part of Kulla that knows people does not answer. It is watched, and it is being brought back."
        ),
        _("Public pages work. Your bookings and receipts are safe. Try again in a few minutes."),
    ),
)

ONCE_MORE = Message(
    _("The form was open for a long time"),
    (
        _(
            "For your safety a form is only valid for a while. Nothing you typed is lost, and nothing was sent."
        ),
        _("If you still want to send it, press the button."),
    ),
)

FORM_EXPIRED = Message(
    _("The form was open for a long time"),
    (
        _("For your safety a form is only valid for a while. Nothing has been sent."),
        _("Open the page anew and try again."),
    ),
)

SIGNED_OUT = Message(
    _("You are signed out"),
    (_("Your session has ended, here or on another device."), _("Sign in again to go on.")),
)

LOG_UNCONFIRMED = Message(
    _("Nobody's data can be opened right now"),
    (
        _(
            "Every look at a person's data is written down where nobody can remove it. "
            "That does not work at the moment."
        ),
        _("So nothing is opened. The operator has been alarmed. Try again in a few minutes."),
    ),
)

ALONE = Message(
    _("This is not done at a counter"),
    (
        _("Passwords, telephone numbers, messages and representatives are for the person alone."),
        _("The person can do it on a device of their own. Nothing was changed."),
    ),
)

HELP_OVER = Message(
    _("You no longer act for this person"),
    (
        _("The time was over, or it was ended. What stood on the page was not sent."),
        _("If the person is still there, begin again at the counter page."),
    ),
)

REFUSED = Message(
    _("That was refused"),
    (_("You may not see or change this. Nothing was changed."), _("The attempt was written down.")),
)


def budget(details: dict[str, Any]) -> Message:
    """An official has looked at as many people as the office needs in an hour or a day."""
    until = details.get("until_ms")
    again = (
        gettext("You can go on at %(time)s.") % {"time": when.clock(until)}
        if until
        else gettext("Try again later.")
    )
    return Message(
        _("You have reached the limit of people you may look up"),
        (
            _(
                "The limit protects everyone from being read in bulk. This attempt was written down, as every look is."
            ),
            again,
            _("People who have an appointment at your office today do not count."),
        ),
    )
