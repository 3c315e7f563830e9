"""Words for the refusals that every service can meet."""

from django.utils.translation import gettext_lazy as _

from kulla.web.messages import Message

FULL = Message(
    _("Nothing new can be taken in right now"),
    (
        _(
            "Too much waits for the mirrors that make it safe. "
            "We take nothing in that we might lose, so nothing was sent."
        ),
        _("What you have is safe. Go back, keep the page open, and send it again in a few minutes."),
    ),
)

READ_ONLY = Message(
    _("You can read, but not change anything right now"),
    (
        _(
            "Kulla is comparing its tables with the mirrors. Until they agree, nothing is written. Nothing was sent."
        ),
        _("What you have is safe. Go back, keep the page open, and send it again in a few minutes."),
    ),
)
