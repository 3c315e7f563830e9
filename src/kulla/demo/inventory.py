"""What a portal's database holds: `python -m kulla.demo.inventory OUT.json`, or `--destroy` to empty it.

The wipe counts with it before and after, on either engine. It runs as a process of its own, since Django wants
one database for a process's life, and the supervisor outlives many.
"""

# ruff: noqa: PLC0415 - Django reads its settings when its parts are imported: the environment comes first

import json
import os
import sys
from pathlib import Path
from typing import Any


def received() -> dict[str, Any]:
    """Every acknowledged entry (id -> leaf hash in hex), and the number that still waited for mirrors."""
    from kulla.record.models import Entry, Outbox

    return {
        "received": {str(entry.pk): entry.leaf_hash.hex() for entry in Entry.objects.all().iterator()},
        "waiting": Outbox.objects.count(),
    }


def destroy() -> None:
    """Drop everything that lives in PostgreSQL; a SQLite file goes with the portal's home."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def main(argument: str) -> None:
    """Run one of the two as the database's owner."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "kulla.settings"
    if url := os.environ.get("KULLA_DATABASE_OWNER_URL"):
        os.environ["KULLA_DATABASE_URL"] = url
    import django

    django.setup()
    if argument == "--destroy":
        destroy()
    else:
        Path(argument).write_text(json.dumps(received()))


if __name__ == "__main__":
    main(sys.argv[1])
