"""What every kind of record is made of: a function that puts its body into the register's tables."""

import sqlite3
from collections.abc import Callable
from typing import Any
from uuid import UUID

Body = dict[str, Any]
Change = Callable[[sqlite3.Connection, Body], None]


def raw(value: UUID | None) -> bytes | None:
    """An id as the tables keep it."""
    return None if value is None else value.bytes


def put(sql: str, *names: str) -> Change:
    """A change that fills one statement with these fields of the body."""

    def apply(db: sqlite3.Connection, body: Body) -> None:
        db.execute(sql, [raw(v) if isinstance(v := body[name], UUID) else v for name in names])

    return apply
