"""Triggers that let a kept table change only inside an open entry, and that note what changed.

They catch what no Python override sees: cascades, SET_NULL, F(), bulk statements, many-to-many, raw SQL.
They stop mistakes. A thief with the database can switch them off; comparing the tables with the journal
(compare.py) finds him.

PostgreSQL: statement-level AFTER triggers append the images to the transaction-local setting `kulla.images`; a
BEFORE row trigger raises `rev`; TRUNCATE is refused; a deferred constraint trigger demands the outbox row.
SQLite: row triggers note (table, key) in record_touched, raise `rev` and refuse without a row in record_open.
"""

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from kulla.record import images, sqlite_capture
from kulla.record.kept import Kept

_PREFIX = "kulla_kept_"

HELP = "put it inside `with record.entry(...)`, so that the journal holds it"


def _refusal(table: str) -> str:
    return f"{table} is kept in the journal. This change is outside an entry: {HELP}."


# The functions are made once a database. `set_config(..., true)` lasts until the transaction ends.
_POSTGRES_FUNCTIONS = """
CREATE OR REPLACE FUNCTION kulla_kept_note(tbl text, lines text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('kulla.entry', true), '') = '' THEN
    RAISE EXCEPTION '% is kept in the journal. This change is outside an entry: @help@.', tbl;
  END IF;
  PERFORM set_config('kulla.images', coalesce(current_setting('kulla.images', true), '') || lines || E'\\n', true);
END $$;

CREATE OR REPLACE FUNCTION kulla_kept_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE lines text; wrong boolean; buried uuid;
BEGIN
  IF current_setting('kulla.apply', true) = 'journal' THEN RETURN NULL; END IF;
  SELECT string_agg(jsonb_build_array(TG_TABLE_NAME, TG_ARGV[0]::int, to_jsonb(n))::text, E'\\n'),
         bool_or(n.rev <> 1) INTO lines, wrong FROM new_rows n;
  IF lines IS NULL THEN RETURN NULL; END IF;
  PERFORM kulla_kept_note(TG_TABLE_NAME, lines);
  IF wrong THEN
    RAISE EXCEPTION 'A new row of % must have rev 1: leave the column out.', TG_TABLE_NAME;
  END IF;
  SELECT g.key INTO buried FROM new_rows n JOIN record_grave g ON g.key = n.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'The row % of % was deleted: a new row takes a new key.', buried, TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION kulla_kept_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE lines text;
BEGIN
  IF current_setting('kulla.apply', true) = 'journal' THEN RETURN NULL; END IF;
  SELECT string_agg(jsonb_build_array(TG_TABLE_NAME, TG_ARGV[0]::int, to_jsonb(n))::text, E'\\n')
    INTO lines FROM new_rows n;
  IF lines IS NULL THEN RETURN NULL; END IF;
  PERFORM kulla_kept_note(TG_TABLE_NAME, lines);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION kulla_kept_rev() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('kulla.apply', true) = 'journal' THEN RETURN NEW; END IF;
  IF NEW.id <> OLD.id THEN
    RAISE EXCEPTION 'The key of a row of % never changes: delete the row and insert another.', TG_TABLE_NAME;
  END IF;
  NEW.rev := OLD.rev + 1;
  RETURN NEW;
END $$;

-- With the owner's rights, so that the portal's role needs none to write graves.
CREATE OR REPLACE FUNCTION kulla_kept_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = @schema@, pg_temp AS $$
DECLARE lines text;
BEGIN
  IF current_setting('kulla.apply', true) = 'journal' THEN RETURN NULL; END IF;
  SELECT string_agg(jsonb_build_array(TG_TABLE_NAME, TG_ARGV[0]::int, NULL, o.id, o.rev + 1)::text, E'\\n')
    INTO lines FROM old_rows o;
  IF lines IS NULL THEN RETURN NULL; END IF;
  PERFORM kulla_kept_note(TG_TABLE_NAME, lines);
  INSERT INTO record_grave (key, table_name, rev) SELECT o.id, TG_TABLE_NAME, o.rev + 1 FROM old_rows o
    ON CONFLICT (key) DO UPDATE SET rev = greatest(record_grave.rev, excluded.rev);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION kulla_kept_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is kept in the journal and cannot be truncated: delete its rows inside an entry.',
    TG_TABLE_NAME;
END $$;

-- Runs at commit. A second entry of one id that waited for the sequencer to move the first is caught here too.
CREATE OR REPLACE FUNCTION kulla_kept_commit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE entry text := nullif(current_setting('kulla.entry', true), '');
BEGIN
  IF current_setting('kulla.apply', true) = 'journal'
     OR current_setting('kulla.demanded', true) = txid_current()::text THEN RETURN NULL; END IF;
  IF entry IS NULL OR NOT EXISTS (SELECT 1 FROM record_outbox WHERE uuid = entry::uuid) THEN
    RAISE EXCEPTION '% changed, but its entry is not in the outbox: use `with record.entry(...)`.', TG_TABLE_NAME;
  END IF;
  IF EXISTS (SELECT 1 FROM record_entry WHERE uuid = entry::uuid) THEN
    RAISE EXCEPTION 'The entry % is recorded already.', entry USING ERRCODE = 'unique_violation';
  END IF;
  PERFORM set_config('kulla.demanded', txid_current()::text, true);
  RETURN NULL;
END $$;
"""

_POSTGRES_TRIGGERS = """
CREATE TRIGGER {p}rev BEFORE UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION kulla_kept_rev();
CREATE TRIGGER {p}insert AFTER INSERT ON {t} REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION kulla_kept_insert({v});
CREATE TRIGGER {p}update AFTER UPDATE ON {t} REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION kulla_kept_update({v});
CREATE TRIGGER {p}delete AFTER DELETE ON {t} REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION kulla_kept_delete({v});
CREATE TRIGGER {p}truncate BEFORE TRUNCATE ON {t} FOR EACH STATEMENT EXECUTE FUNCTION kulla_kept_truncate();
CREATE CONSTRAINT TRIGGER {p}commit AFTER INSERT OR UPDATE OR DELETE ON {t} DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION kulla_kept_commit();
"""

# An update of any column but rev; the trigger's own update sets rev alone, so it does not call itself again.
_SQLITE_TRIGGERS = """
CREATE TRIGGER {p}insert AFTER INSERT ON {t} BEGIN
  SELECT RAISE(ABORT, '{refusal}') WHERE NOT EXISTS (SELECT 1 FROM record_open);
  SELECT RAISE(ABORT, 'A new row of {name} must have rev 1: leave the column out.') WHERE NEW.rev <> 1;
  SELECT RAISE(ABORT, 'This row of {name} was deleted: a new row takes a new key.')
    WHERE EXISTS (SELECT 1 FROM record_grave WHERE key = NEW.id);
  INSERT INTO record_touched VALUES ('{name}', NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER {p}update AFTER UPDATE OF {columns} ON {t} BEGIN
  SELECT RAISE(ABORT, '{refusal}') WHERE NOT EXISTS (SELECT 1 FROM record_open);
  SELECT RAISE(ABORT, 'The key of a row of {name} never changes: delete the row and insert another.')
    WHERE NEW.id <> OLD.id;
  UPDATE {t} SET rev = OLD.rev + 1 WHERE id = NEW.id;
  INSERT INTO record_touched VALUES ('{name}', NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER {p}rev AFTER UPDATE OF rev ON {t} WHEN NOT EXISTS (SELECT 1 FROM record_open) BEGIN
  SELECT RAISE(ABORT, '{refusal}');
END;
CREATE TRIGGER {p}delete AFTER DELETE ON {t} BEGIN
  SELECT RAISE(ABORT, '{refusal}') WHERE NOT EXISTS (SELECT 1 FROM record_open);
  INSERT INTO record_grave (key, table_name, rev) VALUES (OLD.id, '{name}', OLD.rev + 1)
    ON CONFLICT (key) DO UPDATE SET rev = max(rev, excluded.rev);
  INSERT INTO record_touched VALUES ('{name}', OLD.id) ON CONFLICT DO NOTHING;
END;
"""


def sql_for(model: type[Kept], vendor: str) -> list[str]:
    """The statements that put the triggers on this model's table, for "postgresql" or "sqlite"."""
    shape = images.shape_of(model)
    if vendor == "postgresql":
        text = _POSTGRES_TRIGGERS.format(p=_PREFIX, t=f'"{shape.table}"', v=model.schema_version)
        return [statement for statement in text.split(";\n") if statement.strip()]
    columns = ", ".join(f'"{column}"' for column in shape.columns if column != "rev")
    text = _SQLITE_TRIGGERS.format(
        p=f"{_PREFIX}{shape.table}_",
        t=f'"{shape.table}"',
        name=shape.table,
        refusal=_refusal(shape.table),
        columns=columns,
    )
    return [f"{statement}END" for statement in text.split("END;\n") if statement.strip()]


def install(using: str = "default", models: list[type[Kept]] | None = None) -> None:
    """Put the triggers on every kept table that exists (or on these), and the row of record_state."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if "record_outbox" not in tables:
        return  # migrate ran for other apps only, or not yet for this one
    drop(using)
    chosen = [shape.model for shape in images.shapes().values()] if models is None else models
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT quote_ident(current_schema())")
            schema = cursor.fetchone()[0]
            cursor.execute(_POSTGRES_FUNCTIONS.replace("@schema@", schema).replace("@help@", HELP))
        else:
            for statement in sqlite_capture.TABLES:
                cursor.execute(statement)
        for model in chosen:
            if model._meta.db_table in tables:
                for statement in sql_for(model, connection.vendor):
                    cursor.execute(statement)
        cursor.execute(
            "INSERT INTO record_state (id, applied, closed) VALUES (1, 0, '') ON CONFLICT (id) DO NOTHING"
        )


def drop(using: str = "default") -> None:
    """Take every trigger of ours away: tables are about to change shape, or a rebuild fills them."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for name, table in _standing(connection, disabled_too=True):
            place = f' ON "{table}"' if connection.vendor == "postgresql" else ""
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{place}')


def missing(using: str = "default") -> list[str]:
    """The kept tables whose triggers do not all stand; empty when all is well."""
    connection = connections[using]
    standing = _standing(connection)
    want = 6 if connection.vendor == "postgresql" else 4
    return [table for table in images.shapes() if sum(1 for _, other in standing if other == table) < want]


def _standing(connection: BaseDatabaseWrapper, *, disabled_too: bool = False) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE t.tgname LIKE %s AND (%s OR t.tgenabled = 'O') AND pg_table_is_visible(c.oid)",
                [_PREFIX.replace("_", r"\_") + "%", disabled_too],
            )
        else:
            cursor.execute(
                "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s ESCAPE '\\'",
                [_PREFIX.replace("_", r"\_") + "%"],
            )
        return [(name, table) for name, table in cursor.fetchall()]
