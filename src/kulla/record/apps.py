"""Django's entry for the record: installs the triggers of kept tables around each migrate."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class RecordConfig(AppConfig):
    """Hooks of the record room."""

    name = "kulla.record"
    label = "record"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Take the triggers away before tables change shape, put them back after."""
        pre_migrate.connect(_before, sender=self)
        post_migrate.connect(_after, sender=self)
        connection_created.connect(_connected)


def _before(using: str, **_: Any) -> None:
    from kulla.record import triggers  # noqa: PLC0415  (models are there only after ready)

    triggers.drop(using)


def _after(using: str, **_: Any) -> None:
    from kulla.record import triggers  # noqa: PLC0415

    triggers.install(using)


def _connected(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        # Without it INSERT OR REPLACE deletes rows past the delete trigger.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA recursive_triggers = ON")
