"""Old row images in new code: a function from schema version N of a table to N + 1.

    @upcaster("appointments_slot", 1)
    def add_room(columns: dict[str, object]) -> dict[str, object]:
        return {**columns, "room": None}

Register them in the service's models.py, beside the `schema_version` they lead to.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kulla.journal.entry import Image
from kulla.record.errors import RebuildError

Columns = dict[str, Any]
Upcast = Callable[[Columns], Columns]

_steps: dict[tuple[str, int], Upcast] = {}


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
