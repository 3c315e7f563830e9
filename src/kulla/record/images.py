"""Row images: from what a database says to the journal's canonical values, and back.

The triggers (PostgreSQL) and the entry (SQLite) write one line of JSON for each touched row:
    ["<table>", <schema version>, {"<column>": value, …}]          a row as the statement left it
    ["<table>", <schema version>, null, "<key>", <rev>]            a deleted row
The sequencer turns the lines into `Image`s with canonical values: None, bool, int, str, bytes, UUID; times as
RFC 3339 in UTC with microseconds, dates and times of day as ISO text, JSON columns as their sorted JSON text.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Field, ForeignKey

from kulla.journal.entry import Image
from kulla.record.kept import Kept

Canonical = Callable[[Any], Any]


@dataclass(frozen=True)
class Shape:
    """A kept table as the code knows it: column -> kind of value."""

    model: type[Kept]
    table: str
    columns: dict[str, str]


@cache
def shapes() -> dict[str, Shape]:
    """Every kept table, by its name in the database."""
    return {model._meta.db_table: shape_of(model) for model in apps.get_models() if issubclass(model, Kept)}


def shape_of(model: type[Kept]) -> Shape:
    """The shape of a kept model."""
    columns = {str(field.column): value_kind(field) for field in model._meta.concrete_fields}
    return Shape(model, model._meta.db_table, columns)


def value_kind(field: "Field[Any, Any]") -> str:
    """uuid, time, date, clock, bytes, json, bool or plain: how the values of this column are written."""
    target = field.target_field if isinstance(field, ForeignKey) else field
    kinds = {
        "UUIDField": "uuid",
        "DateTimeField": "time",
        "DateField": "date",
        "TimeField": "clock",
        "BinaryField": "bytes",
        "JSONField": "json",
        "BooleanField": "bool",
    }
    return kinds.get(target.get_internal_type(), "plain")


def moment(value: datetime) -> str:
    """RFC 3339 in UTC with microseconds: 2026-11-21T09:30:00.000000Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_text(value: Any) -> str:
    """The canonical text of a JSON value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


_CANONICAL: dict[str, Canonical] = {
    "uuid": UUID,
    "time": lambda value: moment(datetime.fromisoformat(value)),
    "clock": lambda value: time.fromisoformat(value).isoformat(timespec="microseconds"),
    "bytes": lambda value: bytes.fromhex(value[2:]),
    "json": json_text,
}


def parse_lines(lines: str) -> list[Image]:
    """The images of an outbox row: of each touched row the one with the highest rev, in the order of first touch.

    A column that the running code does not know (an entry of the code before a deployment) keeps its JSON value.
    """
    newest: dict[tuple[str, UUID], Image] = {}
    known = shapes()
    for line in lines.split("\n"):
        if not line:
            continue
        table, schema, row, *deleted = json.loads(line)
        if row is None:
            image = Image(table, UUID(deleted[0]), deleted[1], None, schema)
        else:
            kinds = known[table].columns if table in known else {}
            columns = {}
            for name, value in row.items():
                convert = _CANONICAL.get(kinds.get(name, "plain"))
                columns[name] = value if convert is None or value is None else convert(value)
            image = Image(table, UUID(row["id"]), row["rev"], columns, schema)
        place = (table, image.key)
        if place not in newest or newest[place].rev < image.rev:
            newest[place] = image
    return list(newest.values())


# What the ORM gives on SQLite -> the same JSON that PostgreSQL's to_jsonb gives
_TO_JSON: dict[type, Canonical] = {
    UUID: str,
    datetime: moment,
    date: date.isoformat,
    time: lambda value: value.isoformat(timespec="microseconds"),
    bytes: lambda value: "\\x" + value.hex(),
    memoryview: lambda value: "\\x" + value.hex(),
}


def row_line(shape: Shape, values: Iterable[Any]) -> str:
    """A line for one row, from the values of its columns as Django's fields give them."""
    row = {}
    for name, value in zip(shape.columns, values, strict=True):
        convert = _TO_JSON.get(type(value))
        row[name] = convert(value) if convert else value
    return json.dumps([shape.table, shape.model.schema_version, row], ensure_ascii=False)


def grave_line(table: str, schema: int, key: UUID, rev: int) -> str:
    """A line for one deleted row."""
    return json.dumps([table, schema, None, str(key), rev])


def canonical_row(shape: Shape, values: Iterable[Any]) -> dict[str, Any]:
    """The canonical values of one row, from the values of its columns as Django's fields give them."""
    row: dict[str, Any] = {}
    for (name, kind), value in zip(shape.columns.items(), values, strict=True):
        if value is None:
            row[name] = None
        elif kind == "json":
            row[name] = json_text(value)
        elif kind == "bytes":
            row[name] = bytes(value)
        elif kind in {"time", "date", "clock"}:
            row[name] = _TO_JSON[type(value)](value)
        else:
            row[name] = value
    return row
