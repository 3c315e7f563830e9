"""Django's flush, which empties every table: the triggers step aside for it. Tests use it between two tests."""

from typing import Any

from django.core.management.commands import flush

from kulla.record import readiness, triggers


class Command(flush.Command):
    """Empty all tables. Needs the tables' owner; the journal is untouched."""

    def handle(self, **options: Any) -> None:
        """Drop the triggers, flush, put them back with the row of record_state."""
        triggers.drop(options["database"])
        try:
            super().handle(**options)
        finally:
            triggers.install(options["database"])
        readiness.forget()
