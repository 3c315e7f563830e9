"""Addresses of static files. The build gives each file a name with its own hash, so browsers may keep it for ever.

`scripts/build_assets.py` writes `static/kulla/manifest.json`: plain name -> name with hash.
"""

import json
from functools import cache
from pathlib import Path

from django.conf import settings

FOLDER = Path(__file__).resolve().parent / "static" / "kulla"


class AssetsMissing(Exception):
    """The styles have not been built on this machine."""


@cache
def _manifest(changed_ns: int) -> dict[str, str]:
    del changed_ns  # the key: a new build is read without a restart
    names: dict[str, str] = json.loads((FOLDER / "manifest.json").read_text())
    return names


def static(name: str) -> str:
    """The address of a built file, as "kulla.css" -> "/static/kulla/kulla-1f….css". An unknown name raises KeyError.

    Before the first build the plain name is given: the page then has no style but all its words.
    """
    try:
        changed = (FOLDER / "manifest.json").stat().st_mtime_ns
    except FileNotFoundError:
        return f"{settings.STATIC_URL}kulla/{name}"
    return f"{settings.STATIC_URL}kulla/{_manifest(changed)[name]}"


def path_of(name: str) -> Path:
    """The file of a built asset on disk, as "DejaVuSans.ttf". Raises AssetsMissing with what to do."""
    manifest = FOLDER / "manifest.json"
    if not manifest.exists():
        raise AssetsMissing("The styles and fonts are not built: run `make assets`.")
    return FOLDER / _manifest(manifest.stat().st_mtime_ns)[name]
