"""Capture on SQLite: triggers note touched keys; the entry reads the rows back before it commits.

The two small tables are here and not in models.py, since PostgreSQL has no use for them. At any moment at most
one transaction writes (IMMEDIATE), so the one row of record_open is the open entry.
"""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from kulla.record import images
from kulla.record.errors import RecordError
from kulla.record.images import Shape
from kulla.record.models import Grave

TABLES = (
    "CREATE TABLE IF NOT EXISTS record_open (entry TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS record_touched (table_name TEXT NOT NULL, key TEXT NOT NULL,"
    " PRIMARY KEY (table_name, key)) WITHOUT ROWID",
)


def open_entry(cursor: CursorWrapper, key: UUID) -> None:
    """From here to the end of the transaction the triggers allow changes."""
    cursor.execute("INSERT INTO record_open VALUES (%s)", [key.hex])


def close_entry(cursor: CursorWrapper, shapes: Mapping[str, Shape]) -> str:
    """The images of all touched rows, as lines (see images.py); no change is allowed from here on."""
    cursor.execute("SELECT table_name, key FROM record_touched")
    touched: dict[str, list[UUID]] = defaultdict(list)
    for table, key in cursor.fetchall():
        touched[table].append(UUID(key))
    lines: list[str] = []
    for table, keys in touched.items():
        lines += _read_back(shapes[table], keys)
    cursor.execute("DELETE FROM record_touched")
    cursor.execute("DELETE FROM record_open")
    return "\n".join(lines)


def _read_back(shape: Shape, keys: list[UUID]) -> list[str]:
    fields = [field.attname for field in shape.model._meta.concrete_fields]
    place = fields.index("id")
    lines: dict[UUID, str] = {}
    for start in range(0, len(keys), 500):  # SQLite limits the variables of a statement
        some = keys[start : start + 500]
        for values in shape.model._base_manager.filter(pk__in=some).values_list(*fields):
            lines[values[place]] = images.row_line(shape, values)
        gone = [key for key in some if key not in lines]
        for key, rev in Grave.objects.filter(pk__in=gone).values_list("key", "rev"):
            lines[key] = images.grave_line(shape.table, shape.model.schema_version, key, rev)
    if lost := [key for key in keys if key not in lines]:
        raise RecordError(
            f"The key {lost[0]} of {shape.table} is not stored as Django stores UUIDs (32 hex digits)."
        )
    return [lines[key] for key in keys]
