"""Take over, rebuild, rotate: old receipts hold, the thief's key, cookie and sessions are worth nothing."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint
from kulla.journal.errors import PolicyError
from kulla.journal.log import stage
from kulla.journal.mirror_client import clients_of, push_all
from kulla.journal.note import Signer, sign_note, split_note
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from tests import journeys
from tests.country import Country, clean_env, run_kulla
from tests.test_rebuild import keeper_rows, lose


def rebuilt(country: Country) -> None:
    sources = [str(country.home / "operators" / number) for number in "123"]
    froms = [part for source in sources for part in ("--from", source)]
    run_kulla("rebuild", "--home", str(country.home), "--keys", str(country.home / "holders"), *froms, "--replace",
              timeout=180, **country.env)  # fmt: skip


def rotate(country: Country) -> str:
    return run_kulla(
        "rotate",
        "--home",
        str(country.home),
        "--keys",
        str(country.home / "holders"),
        timeout=180,
        **country.env,
    ).stdout


@pytest.mark.both_engines
def test_after_a_hostile_rebuild_the_thief_has_nothing(
    make_country: Callable[..., Country], tmp_path: Path
) -> None:
    country = make_country().up()
    citizen, clerk = country.sign_in("citizen"), country.sign_in("clerk")
    receipt = journeys.wait_received(citizen, journeys.book(citizen, "dentist", reason="Kontroll"))
    old_receipt = tmp_path / "old.txt"
    old_receipt.write_bytes(citizen.open(f"{receipt.url}receipt.tlog-proof").body)
    country.db.settle()
    stolen = {  # the thief had the portal, and one operator's disk
        "key": (country.home / "portal" / "keys" / "checkpoint.key").read_text(),
        "journal": shutil.copytree(country.home / "portal" / "journal", tmp_path / "journal"),
        "policy": country.home.joinpath("policy").read_text(),
    }
    cookies = {who: dict(person.cookies) for who, person in (("citizen", citizen), ("clerk", clerk))}
    country.kill_all()
    rebuilt(country)
    said = rotate(country)
    assert "announces its new key" in said and "officials enrol again" in said and "Mirror 3" in said, said
    policy_text = (country.home / "policy").read_text()
    policy = Policy.parse(policy_text)
    old = Signer(
        policy.logs[0].verifier.name, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(str(stolen["key"])))
    )
    assert policy.logs[0].verifier.public != old.public
    assert old.key_id in policy.until

    # 1. the old receipt holds, under the new policy too, and the verifier says which key was valid when
    verified = run_kulla("verify", str(old_receipt), "--policy", str(country.home / "policy")).stdout
    assert f"{old.key_id.hex()}, valid up to entry {policy.until[old.key_id]}" in verified

    # 2. the thief's key: no mirror takes what it signs, and no verifier, whoever cosigned
    country.up()
    folder = LogFolder(stolen["journal"])
    staged = stage(folder, old, [(uuid4(), b"forged", bytes(32))], [bytes([9]) * 32])
    clients = clients_of(Policy.parse(str(stolen["policy"])), old)
    assert push_all(clients, folder, staged, Policy.parse(str(stolen["policy"])), 3) is None
    for client in clients:
        client.close()
    forged = Checkpoint(policy.logs[0].verifier.name, policy.until[old.key_id] + 1, bytes(32)).body()
    with pytest.raises(PolicyError, match="only"):
        policy.check_signed(sign_note(forged, old.sign))

    # 3. the thief's sessions: cookies of before are nobody's
    for who, jar in cookies.items():
        visitor = country.visitor()
        visitor.cookies.update(jar)
        assert visitor.open("/my", follow=False).status in {302, 303}, (
            f"the old session of the {who} still works"
        )
    citizen = country.sign_in("citizen")  # citizens keep their passwords
    assert journeys.is_received(citizen.open(receipt.url))
    fresh = journeys.wait_received(citizen, journeys.book(citizen, "gp"))
    new_receipt = tmp_path / "new.txt"
    new_receipt.write_bytes(citizen.open(f"{fresh.url}receipt.tlog-proof").body)
    assert (
        "valid since entry"
        in run_kulla("verify", str(new_receipt), "--policy", str(country.home / "policy")).stdout
    )
    with pytest.raises(AssertionError):
        country.sign_in("clerk")  # must enrol again

    # 4. everything of before is still readable, for compare and for another rebuild
    clean = run_kulla("rebuild", "--home", str(country.home), "--compare", check=False, **country.env)
    assert clean.returncode == 0, clean.stdout
    country.db.settle()
    tables = country.db.kept()
    country.kill_all()
    records = keeper_rows(country.home)
    lose(country, 3)
    old_root = tmp_path / "holders"
    shutil.copytree(country.home / "holders", old_root)
    (before,) = old_root.glob("root.key.before-*")
    before.replace(old_root / "root.key")
    with_old = run_kulla("rebuild", "--home", str(country.home), "--keys", str(old_root), "--from",
                         str(country.home / "operators" / "1"), check=False, **country.env)  # fmt: skip
    assert with_old.returncode == 2 and "the key is another" in with_old.stderr, with_old.stderr
    for name in ("keeper", "portal", "rebuild-unfinished"):
        shutil.rmtree(country.home / name, ignore_errors=True)
    run_kulla("rebuild", "--home", str(country.home), "--keys", str(country.home / "holders"),
              "--from", str(country.home / "operators" / "1"), "--from", str(country.home / "operators" / "2"),
              timeout=180, **country.env)  # fmt: skip
    assert country.db.kept() == tables
    assert keeper_rows(country.home) == records
    assert {path.name for path in (country.home / "portal" / "keys").iterdir()} == {
        "checkpoint.key",
        "cookie.key",
    }


STOPS = ["_announce", "_keeper", "_root", "_hand_over", "_operators", "_end"]
DIE = """
import sys
from kulla.cli import main, rotating
step, after = sys.argv[1], sys.argv[2] == "after"
whole = getattr(rotating.Rotation, step)
def dying(self, *given):
    if after:
        whole(self, *given)
    print("dies", flush=True)
    raise SystemExit(9)
setattr(rotating.Rotation, step, dying)
sys.exit(main(sys.argv[3:]))
"""


def test_a_rotation_that_was_broken_off_anywhere_is_finished_by_the_next(
    make_country: Callable[..., Country],
) -> None:
    country = make_country().up()
    citizen = country.sign_in("citizen")
    receipt = journeys.wait_received(citizen, journeys.book(citizen, "dentist"))
    country.db.settle()
    country.kill_all()
    command = ["rotate", "--home", str(country.home), "--keys", str(country.home / "holders")]
    env = {**clean_env(), **country.env}
    for step in STOPS:
        for when in ("before", "after"):
            died = subprocess.run([sys.executable, "-c", DIE, step, when, *command], env=env, timeout=120,
                                  capture_output=True, text=True, check=False)  # fmt: skip
            assert "dies" in died.stdout, f"{step} {when}: {died.stdout}{died.stderr}"
            if (step, when) == ("_end", "after"):
                break
    policy = Policy.parse((country.home / "policy").read_text())
    assert len(policy.logs) == 2 and len(policy.until) == 1, "an interruption made another rotation"
    for operator in (country.home / "operators").iterdir():
        assert json.loads((operator / "operator.json").read_text())["logs"] == [policy.logs[0].vkey]
    country.up()
    citizen = country.sign_in("citizen")
    assert journeys.is_received(citizen.open(receipt.url))
    journeys.wait_received(citizen, journeys.book(citizen, "gp"))


def test_what_a_mirror_refuses_to_take_over(make_country: Callable[..., Country], tmp_path: Path) -> None:
    """A mirror that was away lags; a thief's own announcement has no policy that the operators know."""
    country = make_country()
    third = country.home / "operators" / "3"
    name = hashlib.sha256(
        Policy.parse((country.home / "policy").read_text()).logs[0].verifier.name.encode()
    ).hexdigest()
    away = shutil.copytree(third, tmp_path / "3")
    country.up()
    citizen = country.sign_in("citizen")
    journeys.wait_received(citizen, journeys.book(citizen, "dentist"))
    country.db.settle()
    country.kill_all()
    said = rotate(country)
    assert "Mirror 3: This mirror takes" in said
    (aside,) = (country.home / "rotated").iterdir()
    papers = [f"--{each}={aside / each}" for each in ("policy", "checkpoint", "keeper")]
    take = ["rotate", "--operator", str(away), *papers]
    refused = run_kulla(*take, check=False)
    assert refused.returncode == 2 and "With --anew" in refused.stderr, refused.stderr
    assert "begins with an empty copy" in run_kulla(*take, "--anew").stdout
    assert not (away / "mirror" / name).exists()
    shutil.rmtree(third)
    shutil.copytree(away, third)
    country.up()
    citizen = country.sign_in("citizen")
    journeys.wait_received(citizen, journeys.book(citizen, "gp"))
    thief = Signer.generate(Policy.parse((country.home / "policy").read_text()).logs[0].verifier.name)
    text, _ = split_note((aside / "checkpoint").read_text())
    (tmp_path / "policy").write_text(f"log {thief.vkey}\nquorum none\n")
    (tmp_path / "checkpoint").write_text(sign_note(text, thief.sign))
    country.kill_all()
    papers = [
        f"--policy={tmp_path / 'policy'}",
        f"--checkpoint={tmp_path / 'checkpoint'}",
        f"--keeper={aside / 'keeper'}",
    ]
    first = str(country.home / "operators" / "1")
    forged = run_kulla("rotate", "--operator", first, *papers, check=False)
    assert forged.returncode == 2 and "up to which size" in forged.stderr, forged.stderr
    assert parse_checkpoint(text).size > 0
