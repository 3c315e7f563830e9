"""Indexes and constraints of the tables that a rebuild fills: put aside for the load, then brought back.

PostgreSQL only: building an index once is several times faster than row by row, and unique constraints hold at the
end of the journal, not at every moment of a load that knows no order. They are taken from the catalogue and put
back word for word. On SQLite nothing is put aside: rows wait in staging tables anyway.
"""

from dataclasses import dataclass, field

from django.db import connection
from django.db.backends.utils import CursorWrapper

from kulla.record.images import shapes


@dataclass
class PutAside:
    """What to say to the database when the load is over."""

    cursor: CursorWrapper
    statements: list[str] = field(default_factory=list)

    def bring_back(self) -> None:
        """Make every index and constraint again. Raises IntegrityError when the rows violate one."""
        for statement in self.statements:
            self.cursor.execute(statement)


def put_aside(cursor: CursorWrapper) -> PutAside:
    """Drop foreign, unique and primary keys and other indexes of the kept tables and record_entry."""
    aside = PutAside(cursor)
    if connection.vendor != "postgresql":
        return aside
    names = [*shapes(), "record_entry", "record_grave"]
    cursor.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype IN ('f', 'u', 'p', 'x') AND (conrelid = ANY(%s::regclass[]) OR confrelid = ANY(%s::regclass[]))"
        " ORDER BY position(contype::text IN 'fxup')",  # foreign keys go first and come back last
        [[f'"{name}"' for name in names]] * 2,
    )
    constraints = cursor.fetchall()
    for table, name, _ in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = ANY(%s::regclass[])",
        [[f'"{name}"' for name in names]],
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    aside.statements = [definition for _, definition in indexes]
    aside.statements += [
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}" for table, name, text in reversed(constraints)
    ]
    return aside
