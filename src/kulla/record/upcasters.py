"""Old row images in new code: a function from schema version N of a table to N + 1.

    @upcaster("appointments_slot", 1)
    def add_room(columns: dict[str, object]) -> dict[str, object]:
        return {**columns, "room": None}

Register them in the service's models.py, beside the `schema_version` they lead to.

A table that is no more is named too, else its old rows stop a rebuild:

    @moved("appointments_clinic", at=2, to="appointments_office", version=5)
    def as_office(columns: dict[str, object]) -> dict[str, object]:
        return {**columns, "kind": "clinic"}

    dropped("appointments_banner")

`moved` is for a migration that carries rows over as they are: same id, same rev. A migration that makes new rows of
the old ones does so inside `migrating.data_entry`, which records them; then the old table is `dropped`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kulla.journal.entry import Image
from kulla.record.errors import RebuildError

Columns = dict[str, Any]
Upcast = Callable[[Columns], Columns]


class _Move(NamedTuple):
    """Rows of version `at` of a table go on as version `version` of another."""

    at: int
    to: str
    version: int
    step: Upcast


_steps: dict[tuple[str, int], Upcast] = {}
_gone: dict[str, _Move | None] = {}


def upcaster(table: str, version: int) -> Callable[[Upcast], Upcast]:
    """Register the step of `table` from `version` to `version` + 1. Two steps for one version are a mistake."""

    def register(step: Upcast) -> Upcast:
        if (table, version) in _steps:
            raise ValueError(f"{table} has two upcasters from version {version}.")
        _steps[table, version] = step
        return step

    return register


def bring_up(image: Image, columns: Mapping[str, Any], version: int) -> Columns:
    """The columns of an image as version `version` of its table has them. Raises RebuildError for a missing step."""
    found = dict(columns)
    if image.schema > version:
        raise RebuildError(
            f"The journal holds version {image.schema} of {image.table}, this Kulla knows {version}: use a newer one."
        )
    for step in range(image.schema, version):
        try:
            found = _steps[image.table, step](found)
        except KeyError:
            raise RebuildError(f"{image.table} has no upcaster from version {step} to {step + 1}.") from None
    return found


def moved(table: str, *, at: int, to: str, version: int) -> Callable[[Upcast], Upcast]:
    """Register where the rows of a table that is no more went: its version `at` became version `version` of `to`.

    Keys and revs stay, so no key may stand in both tables. Raises ValueError when the table was named before.
    """

    def register(step: Upcast) -> Upcast:
        _leave(table, _Move(at, to, version, step))
        return step

    return register


def dropped(table: str) -> None:
    """Say that nobody needs the rows of this table any more. Raises ValueError when it was named before."""
    _leave(table, None)


def _leave(table: str, move: _Move | None) -> None:
    if table in _gone:
        raise ValueError(f"{table} is moved or dropped twice.")
    _gone[table] = move


def settled(rows: list[Image]) -> list[Image]:
    """Images of an entry in the tables of today; those of dropped tables are left out. Raises RebuildError."""
    if not _gone or not any(image.table in _gone for image in rows):
        return rows
    return [image for image in map(_settle, rows) if image is not None]


def _settle(image: Image) -> Image | None:
    while image.table in _gone:
        move = _gone[image.table]
        if move is None:
            return None
        columns = image.columns
        if columns is not None:
            columns = move.step(bring_up(image, columns, move.at))
        image = Image(move.to, image.key, image.rev, columns, move.version)
    return image
