"""What every kind of record is made of: a function that puts its body into the register's tables."""

import sqlite3
from collections.abc import Callable
from typing import Any
from uuid import UUID

Body = dict[str, Any]
Change = Callable[[sqlite3.Connection, Body], None]


def raw(value: UUID | None) -> bytes | None:
    """An id as the tables keep it. Raises TypeError: what is no id is passed over with its record."""
    if value is not None and not isinstance(value, UUID):
        raise TypeError("not an id")
    return None if value is None else value.bytes


class Put:
    """A change that fills one statement with some fields of the body; many in a row can be applied at once."""

    def __init__(self, sql: str, names: tuple[str, ...]) -> None:
        self.sql, self._names = sql, names

    def row(self, body: Body) -> list[Any]:
        """The values of the statement."""
        return [raw(v) if isinstance(v := body[name], UUID) else v for name in self._names]

    def __call__(self, db: sqlite3.Connection, body: Body) -> None:
        db.execute(self.sql, self.row(body))


def put(sql: str, *names: str) -> Put:
    """A change that fills one statement with these fields of the body."""
    return Put(sql, names)
