"""A table as a whole: is it there, is it a table, has it our columns and triggers."""

from collections.abc import Iterator

from django.db import connection

from kulla.record import images, triggers


def odd_tables() -> tuple[list[str], set[str], set[str]]:
    """(sentences, tables that are not there, tables whose rows cannot be read): what is wrong with whole tables."""
    found: list[str] = []
    missing: set[str] = set()
    unreadable: set[str] = set()
    for table, shape in images.shapes().items():
        kind = _kind(table)
        if kind != "table":
            found.append(
                f"{table} as a whole is missing."
                if kind is None
                else f"{table} as a whole was replaced: in its place stands a {kind}."
            )
        if kind is None:
            missing.add(table)
            continue
        with connection.cursor() as cursor:
            have = {column.name for column in connection.introspection.get_table_description(cursor, table)}
        if have != set(shape.columns):
            odd = ", ".join(sorted(have ^ set(shape.columns)))
            found.append(f"{table} as a whole has other columns than this Kulla's: {odd}.")
            if not have >= set(shape.columns):
                found[-1] += " Its rows cannot be compared."
                unreadable.add(table)
    found += [
        f"{table} as a whole lacks triggers: rows of it can change without an entry. `kulla migrate` puts them back."
        for table in triggers.missing()
        if table not in missing
    ]
    return found, missing, unreadable


def mostly(differing: dict[str, int], expected: dict[str, int]) -> Iterator[str]:
    """A sentence for each table of which nearly every row differs: it was swapped for another."""
    for table, count in differing.items():
        if count >= 10 and count >= 0.9 * expected.get(table, 0):
            yield (
                f"{table} as a whole is not the journal's: {count} rows differ, and the journal has"
                f" {expected.get(table, 0)}. It was swapped for another, or restored from elsewhere."
            )


_POSTGRES = (
    "SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'"
    " WHEN 'm' THEN 'materialised view' WHEN 'f' THEN 'foreign table' ELSE 'relation of another kind' END"
    " FROM pg_class c WHERE c.oid = to_regclass(%s)"
)


def _kind(table: str) -> str | None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES, [f'"{table}"'])
        else:
            cursor.execute("SELECT type FROM sqlite_master WHERE name = %s", [table])
        row = cursor.fetchone()
    return str(row[0]) if row else None
