"""Django inside a command: the settings of one home, and as the database's owner where tables are made."""

import json
import os
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from kulla.cli.home import Home

PORTAL_URL = "KULLA_DATABASE_URL"
OWNER_URL = "KULLA_DATABASE_OWNER_URL"


def setup(home: Home, *, owner: bool = False) -> None:
    """Load Django for `home`. Once a process; `owner` uses KULLA_DATABASE_OWNER_URL where there is one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kulla.settings")
    for name, value in home.environment().items():
        os.environ[name] = value
    if owner and (url := os.environ.get(OWNER_URL)):
        os.environ[PORTAL_URL] = url
    import django

    django.setup()


def migrate(home: Home) -> None:
    """Bring tables and triggers to this version as the owner, give the portal's role its rights, register notices."""
    portal = urlsplit(os.environ.get(PORTAL_URL, ""))
    setup(home, owner=True)
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    grant(portal)
    write_templates(home)


def grant(portal: SplitResult) -> None:
    """Give the role of the portal's database URL its rights, where the tables are another's."""
    if os.environ.get(OWNER_URL) and portal.username:
        from kulla.record import roles

        roles.grant(unquote(portal.username))


def empty_database() -> None:
    """Drop everything that the portal has in PostgreSQL; a SQLite file goes with the portal's home."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def write_templates(home: Home) -> None:
    """Tell a keeper on this host what every service declares: its notices (keeper/templates.json), and what guardians
    may do in it (keeper/services.json). Django must be set up."""
    from kulla.registry import services

    if not home.keeper.is_dir():
        return
    texts = {service.slug: service.notices for service in services.all_services()}
    rules = {
        service.slug: {"scope": service.scope, "guardians_rule": service.guardians_rule}
        for service in services.all_services()
    }
    _write(home.keeper / "templates.json", texts)
    _write(home.keeper / "services.json", rules)


def _write(path: Path, content: object) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=dict))
    temporary.replace(path)
