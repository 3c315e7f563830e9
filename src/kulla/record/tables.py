"""Canonical values of images -> what each engine's columns take; and the checks on the way."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kulla.journal.entry import Image
from kulla.record.errors import RebuildError
from kulla.record.images import Shape, shapes
from kulla.record.upcasters import bring_up

Convert = Callable[[Any], Any]


def _moment(text: str) -> str:
    """As Django writes a datetime on SQLite: in UTC, without zone, microseconds only where there are any."""
    return str(datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None))


def _escape(value: Any) -> str:
    """Text for PostgreSQL's COPY; a number is its digits."""
    text = value if isinstance(value, str) else str(value)
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


def _same(value: Any) -> Any:
    return value


SQLITE: dict[str, Convert] = {
    "uuid": lambda value: value.hex,
    "time": _moment,
    "clock": lambda value: value.removesuffix(".000000"),
    "bool": int,
}
COPY: dict[str, Convert] = {
    "uuid": str,
    "bytes": lambda value: "\\\\x" + value.hex(),
    "bool": lambda value: "t" if value else "f",
    "json": _escape,
    "plain": _escape,
}


def converters(shape: Shape, table: dict[str, Convert]) -> list[tuple[str, Convert]]:
    """(column, conversion) for each column of a kept table, in the table's order."""
    return [(column, table.get(kind, _same)) for column, kind in shape.columns.items()]


def current(image: Image) -> dict[str, Any]:
    """The columns of an image as the running code's table has them. Raises RebuildError, also for a deletion."""
    shape = known(image.table)
    if image.columns is None:
        raise RebuildError(f"The row {image.key} of {image.table} is a deletion.")
    version = shape.model.schema_version
    columns = image.columns if image.schema == version else bring_up(image, image.columns, version)
    if columns.keys() != shape.columns.keys():
        odd = ", ".join(sorted(columns.keys() ^ shape.columns.keys()))
        raise RebuildError(
            f"The row {image.key} of {image.table} has other columns than this Kulla ({odd}):"
            " raise schema_version and write an upcaster."
        )
    return columns


def known(table: str) -> Shape:
    """The shape of a kept table. Raises RebuildError for one that this Kulla does not have."""
    try:
        return shapes()[table]
    except KeyError:
        raise RebuildError(f"The journal holds rows of {table}, which this Kulla does not know.") from None
