"""Changing the rows of kept tables in a migration: recorded like any other fact.

While migrations run the triggers are away (apps.py), so that tables may change shape. A data migration puts them
back for as long as it changes rows:

    def fill_rooms(apps, schema_editor):
        Slot = apps.get_model("appointments", "Slot")
        with data_entry(schema_editor, {Slot: 2}):
            Slot.objects.filter(room="").update(room="1")

    dependencies = [..., ("record", "0001_initial")]
    operations = [migrations.RunPython(fill_rooms)]

A migration that takes a whole table away also calls `leave_table`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from kulla.journal.ids import uuid7
from kulla.record import entries, images, kinds, triggers
from kulla.record.errors import RecordError
from kulla.record.models import Grave


@contextmanager
def data_entry(editor: BaseDatabaseSchemaEditor, changed: Mapping[type[models.Model], int]) -> Iterator[None]:
    """Record what happens inside as one entry of kind record.migrated; nothing when no row changes.

    changed: the migration's historical models, each with the schema version its columns have at this point.
    Raises RecordError in a migration that is not atomic.
    """
    connection = editor.connection
    if not connection.in_atomic_block:
        raise RecordError("A migration that changes kept rows must be atomic.")
    shapes = {}
    for model, version in changed.items():
        model.schema_version = version  # type: ignore[attr-defined]  # historical models carry no class attributes
        shape = images.shape_of(model)  # type: ignore[arg-type]
        shapes[shape.table] = shape
    triggers.install(connection.alias, [shape.model for shape in shapes.values()])
    opened = entries.Entry(uuid7(), kinds.MIGRATED)
    entries.begin(opened.uuid)
    yield
    entries.finish_migration(opened, shapes)
    triggers.drop(connection.alias)


def leave_table(editor: BaseDatabaseSchemaEditor, table: str, *, to: str | None = None) -> None:
    """In the migration that takes a kept table away: its graves go with its rows, into table `to` or nowhere.

    What the journal says of the table is told by `upcasters.moved` or `upcasters.dropped`.
    """
    graves = Grave.objects.using(editor.connection.alias).filter(table=table)
    if to is None:
        graves.delete()
    else:
        graves.update(table=to)
