"""What a country has written into its database: read beside the running portal, and tampered with as a thief would."""
# ruff: noqa: S608 - the names of tables come from the database's own list, never from outside

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_TABLES_PG = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


class Tables:
    """The portal's tables of one country, on SQLite or, with a URL, on PostgreSQL."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.url = url

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of one SELECT on the portal's tables, read beside the running portal."""
        if url := self.url:
            with psycopg.connect(url) as connection:
                return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]
        path = self.home / "portal" / "db.sqlite3"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(statement).fetchall()

    def entries(self) -> set[tuple[str, str]]:
        """(uuid, kind) of every entry that people made, journaled or waiting; the keeper's own looks left out."""
        found = self.rows("SELECT uuid, kind FROM record_outbox UNION SELECT uuid, kind FROM record_entry")
        return {(str(UUID(str(entry))), kind) for entry, kind in found if not kind.startswith("keeper.")}

    def settle(self, seconds: float = 30) -> None:
        """Wait until nothing waits: every entry received, every effect done, every look confirmed."""
        until = time.monotonic() + seconds
        effects = "SELECT count(*) FROM record_effect WHERE refused = ''"
        waiting = f"SELECT (SELECT count(*) FROM record_outbox) + ({effects})"
        calm = 0
        while calm < 3:  # the keeper's looks arrive a moment later and wait again
            assert time.monotonic() < until, f"something still waits after {seconds} s"
            calm = calm + 1 if self.rows(waiting) == [(0,)] else 0
            time.sleep(0.3)

    def kept(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every kept table and of the list of entries, sorted: what must survive anything."""
        names = {model for (model,) in self.rows(_TABLES_PG if self.url else _TABLES)}
        tables = {
            name
            for name in names
            if name.startswith(("appointments_", "record_look", "record_grave", "record_und"))
            and name != "appointments_hold"
        }
        found = {name: sorted(self.rows(f"SELECT * FROM {name}"), key=repr) for name in sorted(tables)}
        # `size`, which checkpoint a receipt uses, is the latest one after a rebuild: as good a proof.
        entry = "SELECT uuid, idx, at_ms, kind, service, person, office, leaf_hash, claims FROM record_entry"
        return {**found, "record_entry": sorted(self.rows(entry), key=repr)}

    def kinds(self) -> set[str]:
        """Every kind that the services declare."""
        from kulla.registry import services

        return set(services.kinds())

    def folders(self) -> list[Path]:
        """On PostgreSQL: the server's folder, which a thief of the portal takes as well."""
        return [Path(self.url.partition("host=")[2])] if self.url else []

    def empty(self) -> None:
        """On PostgreSQL: drop the portal's database and make an empty one, as its loss would."""
        if url := self.url:
            with psycopg.connect(url.replace("/kulla?", "/postgres?"), autocommit=True) as connection:
                connection.execute("DROP DATABASE kulla WITH (FORCE)")
                connection.execute("CREATE DATABASE kulla")

    def tamper(self, table: str, column: str, value: object) -> str:
        """Change one row as a thief with the database's own keys would: triggers off. Gives the row's id."""
        if url := self.url:
            with psycopg.connect(url) as connection:
                connection.execute("SET session_replication_role = replica")
                sql = f"UPDATE {table} SET {column} = %s WHERE id = (SELECT id FROM {table} LIMIT 1) RETURNING id"
                row = connection.execute(sql, [value]).fetchone()  # type: ignore[call-overload]
                return str(row[0])
        with contextlib.closing(sqlite3.connect(self.home / "portal" / "db.sqlite3", timeout=20)) as db:
            triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                db.execute(f'DROP TRIGGER "{name}"')
            (key,) = db.execute(f"SELECT id FROM {table} LIMIT 1").fetchone()
            db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", [value, key])
            for _, sql in triggers:
                db.execute(sql)
            db.commit()
            return str(UUID(key))
