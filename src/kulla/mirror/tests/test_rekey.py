"""A mirror takes the journal's next key by its operator's act, whether its place is a folder or a bucket."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.note import Signer, sign_note
from kulla.mirror.app import App, origin_hash
from kulla.mirror.config import create_operator, load_config
from kulla.mirror.rekey import RekeyRefused, rekey, take_keeper
from kulla.mirror.stores import open_store
from kulla.mirror.tests import bucket

ORIGIN = "rekey.kulla.example/journal"
OLD, NEW, KEEPER = Signer.generate(ORIGIN), Signer.generate(ORIGIN), Signer.generate("kulla-keeper")
ROOT = bytes(range(32))


@pytest.fixture(params=["folder", "bucket"])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An operator whose mirror holds a checkpoint of nothing, signed by the old key."""
    create_operator(tmp_path / "1", 1, ORIGIN, OLD.vkey, KEEPER.vkey, 0)
    if request.param == "folder":
        yield tmp_path / "1"
        return
    for name, value in bucket.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with bucket.s3() as address:
        raw = json.loads((tmp_path / "1" / "operator.json").read_text())
        raw["store"] = bucket.make_bucket(address, f"rekey-{uuid.uuid4().hex}")
        (tmp_path / "1" / "operator.json").write_text(json.dumps(raw))
        yield tmp_path / "1"


def held(home: Path, size: int) -> None:
    """The mirror holds a checkpoint of this size (its tree is not looked at here)."""
    config = load_config(home / "operator.json")
    text = Checkpoint(ORIGIN, size, ROOT).body()
    note = sign_note(text, OLD.sign) + config.cosigner.cosign(text, 1)
    open_store(config.store, home, origin_hash(ORIGIN)).replace("checkpoint", note.encode())


def policy(size: int, new: Signer = NEW) -> str:
    return f"log {new.vkey}\nlog {OLD.vkey}\n#kulla key-until {OLD.key_id.hex()} {size}\nquorum none\n"


def note(size: int, *signers: Signer) -> str:
    return sign_note(Checkpoint(ORIGIN, size, ROOT).body(), *(signer.sign for signer in signers))


def refused(home: Path, policy_text: str, text: str) -> str:
    before = (home / "operator.json").read_bytes()
    with pytest.raises(RekeyRefused) as error:
        rekey(home, policy_text, text)
    assert (home / "operator.json").read_bytes() == before
    return str(error.value)


def test_the_new_key_is_taken_with_what_both_have_signed(home: Path) -> None:
    held(home, 7)
    assert "up to which size" in refused(home, f"log {NEW.vkey}\nquorum none\n", note(7, NEW, OLD))
    assert "not signed by" in refused(home, policy(7), note(7, OLD)), "without the new key"
    assert "not signed by" in refused(home, policy(7), note(7, NEW)), "without the old one"
    assert "policy speaks of 7" in refused(home, policy(7), note(6, NEW, OLD))
    assert "holds 7 entries of 9" in refused(home, policy(9), note(9, NEW, OLD))
    assert "somebody went on" in refused(home, policy(5), note(5, NEW, OLD))
    assert "from entry 7 on" in rekey(home, policy(7), note(7, NEW, OLD))
    config: Any = load_config(home / "operator.json")
    assert [key.public for key in config.logs.values()] == [NEW.public]
    stored = open_store(config.store, home, origin_hash(ORIGIN)).read("checkpoint").decode()
    assert all(signer.sign(Checkpoint(ORIGIN, 7, ROOT).body()) in stored for signer in (OLD, NEW))
    assert (home / "policy").read_text() == policy(7)
    assert "already" in rekey(home, policy(7), note(7, NEW, OLD))


def test_a_crash_between_checkpoint_and_configuration_is_made_good(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(home, 7)
    with monkeypatch.context() as crashing:
        crashing.setattr("kulla.mirror.rekey._name_key", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rekey(home, policy(7), note(7, NEW, OLD))
    assert "from entry 7 on" in rekey(home, policy(7), note(7, NEW, OLD))


def test_the_key_copy_begins_anew_and_keeps_its_tombstones(tmp_path: Path) -> None:
    home, after = tmp_path / "1", Signer.generate("kulla-keeper")
    create_operator(home, 1, ORIGIN, OLD.vkey, KEEPER.vkey, 0)
    App(load_config(home / "operator.json")).close()
    (home / "keycopy" / "records-00000000000000000001.log").write_bytes(b"old")
    (home / "keycopy" / "tombstones.log").touch()
    with pytest.raises(RekeyRefused, match="cannot be read"):
        take_keeper(home, "no key")
    assert "begins anew" in take_keeper(home, after.vkey)
    assert "already" in take_keeper(home, f"{after.vkey}\n")
    assert [path.name for path in (home / "keycopy").glob("*.log")] == ["tombstones.log"]
    assert (
        home / f"keycopy.before-{after.key_id.hex()}" / "records-00000000000000000001.log"
    ).read_bytes() == b"old"
    assert load_config(home / "operator.json").keeper == after.verifier
