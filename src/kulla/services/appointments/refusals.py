"""Why an action did nothing. Each refusal carries its own plain sentence, and what helps to go on."""

from uuid import UUID

from django.utils.translation import gettext as _

from kulla.services.appointments import words
from kulla.services.appointments.models import Appointment
from kulla.services.appointments.times import Slot


class Refusal(Exception):
    """An action that the rules do not allow. Nothing was written. `free` are times to take instead."""

    free: tuple[Slot, ...] = ()

    @property
    def sentence(self) -> str:
        """What happened and what to do, in the active language."""
        raise NotImplementedError


class Taken(Refusal):
    """Someone else has this time."""

    def __init__(self, free: list[Slot]) -> None:
        super().__init__("This time is taken.")
        self.free = tuple(free)

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _("Someone else has just taken this time. Choose another one.")


class Held(Taken):
    """Someone else holds this time for a few minutes."""

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _(
            "Someone else is booking this time right now. Choose another one, or try again in five minutes."
        )


class NotOffered(Taken):
    """The diary does not offer this time (any more)."""

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _("This time is not offered any more. Choose another one.")


class Past(Taken):
    """The time has begun or is over."""

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _("This time is in the past. Choose another one.")


class TooFar(Taken):
    """Further ahead than people may book."""

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _("This time is too far ahead: you can book up to 60 days ahead.")


class AlreadyHas(Refusal):
    """The person has a live booking of this kind of care."""

    def __init__(self, existing: Appointment) -> None:
        super().__init__("This person has such a booking.")
        self.existing = existing

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _(
            "There is already a booking of this kind for this person: %(when)s, %(where)s. "
            "Cancel it first if you need another time."
        ) % {"when": words.when_of(self.existing), "where": self.existing.office.name}

    def sentence_for(self, office: UUID | None) -> str:
        """The same for an official: what the person has at another office is none of this one's business."""
        if self.existing.office_id == office:
            return self.sentence
        return _(
            "This person already has a booking of this kind elsewhere. They can cancel it themselves first."
        )


class SentBefore(Refusal):
    """The same form was sent before and booked another time; `entry` is that booking's entry."""

    def __init__(self, existing: Appointment) -> None:
        super().__init__("This form was sent before.")
        self.existing = existing

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _("This form was already sent and booked %(when)s. To book another time, start again.") % {
            "when": words.when_of(self.existing)
        }


class Busy(Refusal):
    """The diary kept changing while we tried."""

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _("The office is changing its hours right now. Please try again in a minute.")


class Changed(Refusal):
    """The appointment is not in a state in which this can be done."""

    def __init__(self, status: str) -> None:
        super().__init__(f"The appointment is {status}.")
        self.status = status

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _("Nothing was changed: this appointment is already marked “%(status)s”.") % {
            "status": words.status(self.status)
        }


class NotNow(Refusal):
    """Too early or too late for this; `text` is a translated sentence."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return self._text


class HoursInvalid(Refusal):
    """Weekly hours that cannot be kept; `text` is a translated sentence."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return self._text
