"""The same records under another root key; whoever has only the old key opens nothing of them."""

from pathlib import Path

import pytest

from kulla.keeper.errors import KeeperError
from kulla.keeper.keys import FileRootKey, KeyRing
from kulla.keeper.records import RecordFile, Sealer
from kulla.keeper.reroot import swap, write_anew
from kulla.keeper.testkit import keeper


def bodies(path: Path, root: FileRootKey) -> list[dict[str, object]]:
    """What the records hold, with what is wrapped unwrapped."""
    file, sealer, ring = RecordFile(path), Sealer(root), KeyRing(root)
    found = []
    while records := file.read(len(found) + 1):
        for record in records:
            body = {"seq": record.seq, "id": record.id, **sealer.open(record)}
            if body["type"] in {"system_key", "portal_key"}:
                name = ("portal:" if body["type"] == "portal_key" else "") + str(body["name"])
                body["wrapped"] = ring.unwrap_system(name, body["wrapped"])
            found.append(body)
    file.close()
    return found


def test_the_same_records_under_another_root_key(tmp_path: Path) -> None:
    with keeper(tmp_path) as running:
        running.stop()
        home, old = running.keeper_home, FileRootKey(running.root_key)
        (tmp_path / "new.key").write_text("5a" * 32)
        new = FileRootKey(tmp_path / "new.key")
        before, log = bodies(home / "records.log", old), (home / "records.log").read_bytes()
        assert {"system_key", "data_key", "settings"} <= {str(body["type"]) for body in before}
        assert write_anew(home, old, new) == write_anew(home, old, new) == len(before)
        for _ in range(2):
            swap(home, tmp_path / "aside")
        assert (tmp_path / "aside" / "records.log").read_bytes() == log
        assert bodies(home / "records.log", new) == before
        assert not list(home.glob("register.sqlite3*")) and not list(home.glob("records.new*"))
        with pytest.raises(KeeperError):
            bodies(home / "records.log", old)
        with pytest.raises(KeeperError):
            write_anew(home, old, new)
