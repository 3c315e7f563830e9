"""What a service is told of an act, and what it says about answering it.

In service.py, for each kind of entry:

    undo={
        "appointment.booked": Undo("appointment.undone", "kulla.services.appointments.undoing:booked"),
        "appointment.ended": NotUndoable("It notes only that a day has passed."),
    }

The function is called inside the answering entry, as `booked(act, opened)`: it changes rows, adds effects to
`opened.after` and gives one plain sentence of what it did, or raises `Left` with the reason why a person must decide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model

from kulla.journal.entry import Image
from kulla.journal.ids import uuid7
from kulla.record import tables
from kulla.record.entries import Entry

Columns = dict[str, Any]


class Left(Exception):
    """This act is not answered: a person decides. The message is a plain sentence that says why."""


@dataclass(frozen=True)
class Change:
    """One row that an act changed, as canonical columns; `before` None: it was new, `after` None: it was deleted."""

    table: str
    key: UUID
    rev: int
    before: Columns | None
    after: Columns | None


@dataclass(frozen=True)
class Act:
    """An entry of the journal that is to be answered. `index` None: it still waits in the outbox."""

    uuid: UUID
    index: int | None
    at_ms: int
    kind: str
    person: UUID | None
    office: UUID | None
    attestation: bytes | None
    changes: tuple[Change, ...]

    def only(self, model: type[Model]) -> list[Change]:
        """The changed rows of one table."""
        return [change for change in self.changes if change.table == model._meta.db_table]


@dataclass(frozen=True)
class Undo:
    """How acts of a kind are answered: the kind of the answering entry, and "module:function"."""

    kind: str
    answer: str


@dataclass(frozen=True)
class NotUndoable:
    """Acts of a kind that no entry can answer; the reason is told to whoever must decide."""

    reason: str


Answer = Callable[[Act, Entry], str]
_declared: dict[str, tuple[str, Callable[[], Answer]] | NotUndoable] = {}


def declare(kind: str, how: Undo | NotUndoable, load: Callable[[str], object]) -> None:
    """Say how acts of `kind` are answered; `load` gives the function that "module:function" names, when needed."""
    if isinstance(how, NotUndoable):
        _declared[kind] = how
        return

    def found() -> Answer:
        function: Any = load(how.answer)
        return function  # type: ignore[no-any-return]

    _declared[kind] = how.kind, found


def of(kind: str) -> tuple[str, Answer]:
    """(kind of the answering entry, function) for acts of a kind. Raises Left when there is none."""
    how = _declared.get(kind)
    if how is None:
        raise Left(f"No service of this Kulla says how {kind} is answered.")
    if isinstance(how, NotUndoable):
        raise Left(how.reason)
    return how[0], how[1]()


# --- What most answers are made of ------------------------------------------------------------------------------


def take_back(changes: Sequence[Change], model: type[Model], skip: Sequence[str] = ()) -> None:
    """Bring the rows of one table to where they were before: new ones go, changed ones change back, deleted ones come
    back under new keys (a key is never used twice). `skip`: columns that stay as they are. Inside an open entry.
    """
    shape = tables.known(model._meta.db_table)
    fields = {str(field.column): field for field in model._meta.concrete_fields}
    rows = model._default_manager
    for change in changes:
        if change.before is None:
            rows.filter(pk=change.key).delete()
            continue
        columns = tables.current(
            Image(change.table, change.key, change.rev, change.before, _version(shape.model))
        )
        given = {
            fields[name].attname: as_field_takes(fields[name], value)
            for name, value in columns.items()
            if name not in {"id", "rev", *skip}
        }
        if change.after is None:
            rows.create(**{**given, "id": uuid7()})
        else:
            rows.filter(pk=change.key).update(**given)


def _version(model: Any) -> int:
    return int(model.schema_version)


def as_field_takes(field: Any, value: Any) -> Any:
    """A canonical value as this field takes it."""
    target = field.target_field if field.is_relation else field
    return value if isinstance(value, bytes) else target.to_python(value)
