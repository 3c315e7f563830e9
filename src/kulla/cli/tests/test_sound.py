"""A home that cannot run is refused in one sentence with the cause, before anything is started."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.restoring import write_keys
from kulla.cli.supervisor import sound
from kulla.journal.note import Signer
from kulla.mirror import create_operator


def make(folder: Path) -> Home:
    """A home with everything `sound` looks at."""
    home = Home(folder, {"demo": True})
    key = Ed25519PrivateKey.generate()
    log = Signer("demo/journal", key)
    lines = [f"log {log.vkey}"]
    for number in (1, 2, 3):
        operator = folder / "operators" / str(number)
        vkey = create_operator(operator, number, "demo/journal", log.vkey, log.vkey, 20_000 + number)
        lines.append(f"witness operator-{number} {vkey} http://127.0.0.1:{20_000 + number}")
    lines += ["group mirrors 2 operator-1 operator-2 operator-3", "quorum mirrors", ""]
    home.policy.write_text("\n".join(lines))
    for path in ("portal/keys/checkpoint.key", "portal/db.sqlite3", "keeper/keeper.json"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    (home.portal / "keys" / "checkpoint.key").write_text(key.private_bytes_raw().hex() + "\n")
    home.holders.mkdir()
    for name in ("root.key", "rebuild.key"):
        (home.holders / name).write_text("00" * 32)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make(tmp_path)


def refused(home: Home) -> str:
    with pytest.raises(CommandError) as refusal:
        sound.check(home)
    sentence = str(refusal.value)
    assert "\n" not in sentence
    return sentence


def test_a_whole_home_is_fine(home: Home) -> None:
    assert sound.check(home) == []


def test_one_operator_missing_is_said_and_two_are_too_many(home: Home) -> None:
    (home.path / "operators" / "2" / "operator.json").unlink()

    (warning,) = sound.check(home)
    assert "operators/2 is missing" in warning
    assert "runs without that mirror" in warning
    (home.path / "operators" / "3" / "operator.json").write_text(json.dumps({"port": "none"}))
    assert "1 of 3 mirrors are left" in refused(home)


@pytest.mark.parametrize("text", ["quorum nobody\n", "", "log x\n", "\x00"])
def test_a_broken_policy_is_named(home: Home, text: str) -> None:
    home.policy.write_text(text)

    assert f"{home.policy} is broken." in refused(home)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("policy", "put the published policy there"),
        ("holders/root.key", "nothing can open the keeper's records"),
        ("keeper/keeper.json", "kulla rebuild --home"),
        ("portal/db.sqlite3", "kulla rebuild --home"),
    ],
)
def test_what_is_missing_is_named(home: Home, path: str, said: str) -> None:
    (home.path / path).unlink()

    sentence = refused(home)
    assert str(home.path / path) in sentence
    assert said in sentence


@pytest.mark.parametrize(
    ("text", "said"), [("zz", "holds no key"), ("", "holds no key"), ("11" * 32, "is not the key")]
)
def test_another_journals_key_is_named(home: Home, text: str, said: str) -> None:
    (home.portal / "keys" / "checkpoint.key").write_text(text)

    assert said in refused(home)


def test_without_the_rebuild_key_it_runs_and_says_what_that_means(home: Home) -> None:
    (home.holders / "rebuild.key").unlink()

    assert ["could not be rebuilt" in warning for warning in sound.check(home)] == [True]


def test_a_copy_of_a_running_country_is_not_started(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "LEAVING_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as running:
        port = running.getsockname()[1]
        (home.path / "operators" / "3" / "operator.json").write_text(json.dumps({"port": port}))
        assert "Two copies must never run" in refused(home)
    assert sound.check(home) == []


def test_a_half_rebuilt_home_is_not_run(home: Home) -> None:
    home.rebuilding.touch()

    assert "A rebuild of" in refused(home)
    assert "--from" in refused(home)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("this user may not mount a disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named(small_disk: Path) -> None:
    assert "is full" in refused(make(small_disk))


def test_only_the_portals_own_keys_become_files(tmp_path: Path) -> None:
    """What a thief of the portal stored with the keeper under another name cannot write anywhere."""
    keys = {"checkpoint": b"\x01", "cookie": b"\x02", "../evil": b"\x03", "x" * 100_000: b"\x04"}

    write_keys(tmp_path / "home" / "keys", keys)

    files = {
        str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert files == {"home/keys/checkpoint.key": "01\n", "home/keys/cookie.key": "02\n"}
