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

from kulla.cli.django_home import empty_database


def received() -> dict[str, Any]:
    """Every acknowledged entry (id -> leaf hash in hex), and the number that still waited for mirrors."""
    from kulla.record.models import Entry, Outbox

    return {
        "received": {str(entry.pk): bytes(entry.leaf_hash).hex() for entry in Entry.objects.all().iterator()},
        "waiting": Outbox.objects.count(),
    }


def main(argument: str) -> None:
    """Run one of the two as the database's owner."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "kulla.settings"
    if url := os.environ.get("KULLA_DATABASE_OWNER_URL"):
        os.environ["KULLA_DATABASE_URL"] = url
    import django

    django.setup()
    if argument == "--destroy":
        empty_database()
    else:
        Path(argument).write_text(json.dumps(received()))


if __name__ == "__main__":
    main(sys.argv[1])
