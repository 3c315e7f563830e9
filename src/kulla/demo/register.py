"""The demo's live register: a stand-in that the keeper asks for changes, as a country's own register would be asked.

    python -m kulla.demo.register --home DIR                  run it; `kulla up` does
    python -m kulla.demo.register --home DIR --dead NUMBER    somebody has died
    python -m kulla.demo.register --home DIR --change '{"number": "…", "address": "…"}'

A change is one row of people as docs/register.md has it. The keeper takes it within a few seconds.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kulla.cli.supervisor import processes
from kulla.keeper.importing import standin
from kulla.keeper.importing.signing import make_key

NAME = "civil-registry"
EVERY_S, FAST_EVERY_S = 5, 1


def folder(home: Path) -> Path:
    """Where the register of a home lies."""
    return home / "register"


def create(home: Path, port: int, *, fast: bool) -> dict[str, Any]:
    """Make the register's key and its empty list of changes; gives keeper.json's live_register."""
    where = folder(home)
    where.mkdir(mode=0o700)
    key = make_key(where / "register.key")
    (where / "data.json").write_text(json.dumps({"name": NAME, "changes": []}))
    every = FAST_EVERY_S if fast else EVERY_S
    return {"name": NAME, "url": f"http://127.0.0.1:{port}/", "key": key.hex(), "every_s": every}


def introduce(home: Path, port: int, keeper_key: bytes) -> None:
    """Tell the register under which key the keeper asks, and on which port it listens; from now on it can run."""
    facts = {"port": port, "keeper": keeper_key.hex()}
    (folder(home) / "standin.json").write_text(json.dumps(facts))


def add(home: Path, *rows: Mapping[str, str]) -> None:
    """More changes of people. The file is replaced whole, since the register reads it at any moment."""
    path = folder(home) / "data.json"
    data = json.loads(path.read_text())
    data["changes"] += [{"people": dict(row)} for row in rows]
    handle, fresh = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        json.dump(data, file, ensure_ascii=False)
    Path(fresh).replace(path)


def main(arguments: list[str]) -> int:
    """See above."""
    parser = argparse.ArgumentParser(prog="register", description="The demo's live register.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--dead", metavar="NUMBER")
    parser.add_argument("--change", metavar="JSON", type=json.loads)
    args = parser.parse_args(arguments)
    where = folder(args.home)
    if not (where / "standin.json").exists():
        parser.error(f"{args.home} is no demo country with a register.")
    if args.dead:
        today = datetime.now(UTC).date().isoformat()
        add(args.home, {"number": args.dead, "status": "dead", "died": today})
    if args.change:
        add(args.home, args.change)
    if args.dead or args.change:
        return 0
    processes.die_with_supervisor()
    facts = json.loads((where / "standin.json").read_text())
    options = ["--data", str(where / "data.json"), "--key", str(where / "register.key")]
    return standin.main([*options, "--keeper", facts["keeper"], "--port", str(facts["port"])])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
