"""Officers at the command line: a tombstone is signed by two, sent, held, lifted, stopped; refusals are sentences."""

import json
import time
from pathlib import Path

import pytest

from kulla import cli
from kulla.cli import erasing
from kulla.journal.note import Signer
from kulla.journal.tombstone import draw_up
from kulla.mirror.testkit import start_mirrors, stop_mirrors


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    code = cli.main(["erasure", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_the_officers_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = {}
    for name in ("officer-1.example", "officer-2.example", "court.example", "stranger.example"):
        keys[name] = tmp_path / f"{name}.key"
        code, vkey = run(capsys, "keygen", keys[name], "--name", name)
        assert code == 0
        assert Signer.from_skey(keys[name].read_text()).vkey == vkey.strip()
        assert keys[name].stat().st_mode & 0o077 == 0
    assert run(capsys, "keygen", keys["court.example"], "--name", "x")[0] == 2
    vkeys = [Signer.from_skey(path.read_text()).vkey for path in keys.values()]
    home = tmp_path / "home"
    (home / "keeper/erasure").mkdir(parents=True)
    (home / "home.json").write_text("{}")
    stone = home / "keeper/erasure/REF-1-1.unsigned"
    stone.write_bytes(draw_up([bytes([1]) * 16], "erasure REF, round 1", int(time.time() * 1000)))
    mirrors = start_mirrors(tmp_path / "m", 2, officers=vkeys[:2], hold_issuers=vkeys[2:3])
    try:
        copies = [{"name": each.name, "url": each.url} for each in mirrors]
        (home / "keeper/keeper.json").write_text(json.dumps({"copies": copies}))
        assert "signed by nobody" in run(capsys, "list", "--home", home)[1]
        assert run(capsys, "send", stone, "--home", home)[0] == 2
        assert run(capsys, "sign", stone, "--key", keys["officer-1.example"])[0] == 0
        code, said = run(capsys, "send", stone, "--home", home)
        assert (code, "Two officers" in said) == (2, True)
        run(capsys, "sign", stone, "--key", keys["stranger.example"])
        code, said = run(capsys, "send", stone, "--home", home)
        assert (code, said.count("no erasure officer")) == (1, 2)
        stone.with_name(f"{stone.name}.stranger.example.signature").unlink()
        run(capsys, "sign", stone, "--key", keys["officer-2.example"])
        assert "officer-1.example, officer-2.example" in run(capsys, "show", stone)[1]
        code, said = run(capsys, "send", stone, "--home", home)
        assert (code, said.count("taken; it is carried out at")) == (0, 2)
        ident = next(
            line.split()[1] for line in run(capsys, "show", stone)[1].splitlines() if line[:2] == "id"
        )

        def noted(act: str, name: str) -> tuple[int, str]:
            return run(capsys, act, ident, "--key", keys[name], "--reason", f"{act} 7", "--home", home)

        assert noted("hold", "officer-1.example")[0] == 1
        assert noted("hold", "court.example") == (0, "".join(f"{each.url}: held\n" for each in mirrors))
        assert (
            run(capsys, "status", "--key", keys["court.example"], "--home", home)[1].count(
                f"{ident} held, due"
            )
            == 2
        )
        assert noted("lift", "officer-2.example")[0] == 1
        assert noted("lift", "court.example")[0] == 0
        assert noted("object", "stranger.example")[0] == 1
        assert noted("object", "officer-2.example")[0] == 0
        said = run(capsys, "status", "--key", keys["officer-1.example"], "--to", mirrors[0].url)[1]
        assert f"{ident} objected" in said
        assert run(capsys, "status", "--key", keys["stranger.example"], "--home", home)[0] == 1
        assert (
            run(capsys, "object", "abc", "--key", keys["court.example"], "--reason", "x", "--home", home)[0]
            == 2
        )
        mirrors[0].stop()
        code, said = run(capsys, "send", stone, "--home", home)
        assert (code, "does not answer" in said) == (1, True)
    finally:
        stop_mirrors(mirrors)


def test_what_is_no_tombstone_or_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.unsigned").write_bytes(b"nothing")
    (tmp_path / "k").write_text("nothing")
    for words in (
        ("show", tmp_path / "x.unsigned"),
        ("show", tmp_path / "none"),
        ("sign", tmp_path / "x.unsigned", "--key", tmp_path / "k"),
        ("send", tmp_path / "x.unsigned", "--to", "ftp://x"),
        ("list", "--home", tmp_path),
    ):
        code, said = run(capsys, *words)
        assert code == 2
        assert said.count("\n") == 1, said
    assert erasing.PATHS.keys() == erasing.KINDS.keys()
