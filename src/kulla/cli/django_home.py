"""Django inside a command: the settings of one home, and as the database's owner where tables are made."""

import os

from kulla.cli.home import Home


def setup(home: Home, *, owner: bool = False) -> None:
    """Load Django for `home`. Once a process; `owner` uses KULLA_DATABASE_OWNER_URL where there is one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kulla.settings")
    for name, value in home.environment().items():
        os.environ[name] = value
    if owner and (url := os.environ.get("KULLA_DATABASE_OWNER_URL")):
        os.environ["KULLA_DATABASE_URL"] = url
    import django

    django.setup()
