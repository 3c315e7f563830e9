"""Where things lie in a home (the folder of a demo or of one host), and the environment its programs get."""

import argparse
import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kulla.cli.errors import CommandError

LAST_PORT = 65_535
SOCKET_PATH_LIMIT = 100  # bytes; Linux allows 107 for a Unix socket's path


@dataclass(frozen=True)
class Home:
    """The paths of a home. `facts` is home.json."""

    path: Path
    facts: dict[str, Any]

    @property
    def demo(self) -> bool:
        return bool(self.facts.get("demo"))

    @property
    def portal(self) -> Path:
        return self.path / "portal"

    @property
    def keeper(self) -> Path:
        return self.path / "keeper"

    @property
    def holders(self) -> Path:
        return self.path / "holders"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def policy(self) -> Path:
        return self.path / "policy"

    @property
    def rebuilding(self) -> Path:
        """There while a rebuild is under way or was broken off: what lies in the home is not to be run."""
        return self.path / "rebuild-unfinished"

    @property
    def read_only(self) -> str:
        """What this home shows, when it was restored to a past point for looking into it; else ''."""
        path = self.portal / "read-only"
        return path.read_text().strip() if path.exists() else ""

    @property
    def accounts(self) -> Path:
        return self.path / "accounts.json"

    @property
    def operators(self) -> list[Path]:
        """The mirror operators' folders, in the order of their numbers."""
        found = (path for path in (self.path / "operators").glob("*") if path.name.isdigit())
        return sorted(found, key=lambda path: int(path.name))

    def socket(self, name: str) -> Path:
        """A Unix socket's path: HOME/run/<name>, or a short private folder where that would be too long."""
        path = self.run / name
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
            return path
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        short = Path(tempfile.gettempdir()) / f"kulla-{os.getuid()}-{digest}"
        short.mkdir(mode=0o700, exist_ok=True)
        if short.stat().st_uid != os.getuid():
            raise CommandError(f"{short} belongs to someone else; choose a home with a shorter path.")
        return short / name

    def remove_sockets(self) -> None:
        """Take the sockets away after a stop, and the short folder with them where there is one."""
        for name in ("keeper.sock", "up.sock"):
            path = self.socket(name)
            path.unlink(missing_ok=True)
            if path.parent != self.run:
                with contextlib.suppress(OSError):  # the other one may be in it still
                    path.parent.rmdir()

    def environment(self) -> dict[str, str]:
        """What every program of this home gets in its environment."""
        return {
            "KULLA_HOME": str(self.path),
            "KULLA_DEMO": "1" if self.demo else "0",
            "KULLA_KEEPER_SOCKET": str(self.socket("keeper.sock")),
            "KULLA_CONTROL_SOCKET": str(self.socket("up.sock")) if self.demo else "",
        }


def port_number(text: str) -> int:
    """A TCP port as a command's argument; 0 means any free one. Raises ArgumentTypeError with what is wrong."""
    if not text.isascii() or not text.isdigit() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, which is a number from 0 to {LAST_PORT}")
    return int(text)


def open_home(path: Path) -> Home:
    """The home at `path`. Raises CommandError when there is none."""
    try:
        facts = json.loads((path / "home.json").read_text())
    except FileNotFoundError:
        raise CommandError(
            f"{path} holds no country yet; `kulla demo --home {path} --people 5000` makes one."
        ) from None
    except NotADirectoryError:
        raise CommandError(f"{path} is a file; a home is a folder.") from None
    except ValueError:
        raise CommandError(f"{path / 'home.json'} is damaged: it is not JSON.") from None
    if not isinstance(facts, dict):
        raise CommandError(f"{path / 'home.json'} is damaged: it holds no facts of a home.")
    return Home(path.resolve(), facts)
