"""Django's entry for the identity pages."""

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from kulla.web.messages import Message


class IdentityConfig(AppConfig):
    """Gives words to the refusals of the record, which stands below every page."""

    name = "kulla.identity"
    label = "identity"

    def ready(self) -> None:
        """Register the pages of "no writes now" and "too many entries wait"."""
        from kulla.identity.messages import FULL, READ_ONLY  # noqa: PLC0415  (texts need the apps to be there)
        from kulla.record import api as record  # noqa: PLC0415
        from kulla.web import errors  # noqa: PLC0415

        def say(message: "Message") -> "errors.Say":
            return lambda _error: message

        errors.register(record.OutboxFull, 503, say(FULL))
        errors.register(record.ReadOnly, 503, say(READ_ONLY))
