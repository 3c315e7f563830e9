"""The rights of the portal's database role on PostgreSQL: it owns nothing.

Tables belong to the owner role (KULLA_DATABASE_OWNER_URL: migrate and rebuild). The portal's role may read and
write rows; it cannot disable a trigger, truncate, drop or alter. It inserts into record_entry, since the sequencer
is a thread of the portal, but neither changes nor deletes there: a false row never makes a receipt (a receipt is
proven from the journal), and `compare` names it. record_grave it only reads: the delete trigger writes it.
"""

from django.apps import apps
from django.db import connection

_OWN = {
    "record_outbox": "SELECT, INSERT, DELETE",
    "record_entry": "SELECT, INSERT",
    "record_checkpoint": "SELECT, INSERT",
    "record_state": "SELECT, UPDATE",
    "record_effect": "SELECT, INSERT, UPDATE, DELETE",
    "record_grave": "SELECT",
    "django_migrations": "SELECT",
}
_ROWS = "SELECT, INSERT, UPDATE, DELETE"


def grants(role: str) -> list[str]:
    """The statements that give `role` (a database role's name) its rights on this database's tables."""
    quoted = connection.ops.quote_name(role)
    existing = set(connection.introspection.table_names())
    rights = {model._meta.db_table: _ROWS for model in apps.get_models() if model._meta.managed}
    rights.update(_OWN)
    statements = [f"GRANT USAGE ON SCHEMA public TO {quoted}"]
    for table in sorted(existing & rights.keys()):
        statements.append(f"REVOKE ALL ON {connection.ops.quote_name(table)} FROM {quoted}")
        statements.append(f"GRANT {rights[table]} ON {connection.ops.quote_name(table)} TO {quoted}")
    statements.append(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
    return statements


def grant(role: str) -> None:
    """Give `role` its rights; run as the owner after each migrate. Needs PostgreSQL."""
    with connection.cursor() as cursor:
        for statement in grants(role):
            cursor.execute(statement)
