"""A mirror on a host of its own: only `cryptography` and `cbor2` beside the standard library, and of Kulla only
the rooms `mirror` and `journal` (and `cli` for the command)."""

import os
import re
import subprocess
import sys
from pathlib import Path

from kulla.mirror.testkit import start_mirrors
from kulla.mirror.tests.client import ORIGIN, Journal

ROOT = Path(__file__).parents[4]

# Refuses every module that a host with requirements/mirror.txt does not have.
SITE = """
import sys
from importlib.abc import MetaPathFinder

ALLOWED = {"cryptography", "cbor2", "_cbor2", "cffi", "_cffi_backend", "pycparser"}
KULLA = {"kulla", "kulla.mirror", "kulla.journal", "kulla.cli"}

class Gate(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top, room = name.split(".")[0], ".".join(name.split(".")[:2])
        if top in sys.stdlib_module_names or top in ALLOWED or room in KULLA or top == "sitecustomize":
            return None
        raise ModuleNotFoundError(f"No module named {name!r} on a mirror's host", name=name)

sys.meta_path.insert(0, Gate())
"""


def alone(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python behind the gate."""
    (folder / "gate").mkdir(exist_ok=True)
    (folder / "gate/kulla_gate.py").write_text(SITE)
    start = (
        "import runpy, sys; import kulla_gate; sys.argv = sys.argv[1:];"
        " runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", start, *words],
        env=os.environ | {"PYTHONPATH": str(folder / "gate")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_gate_shuts(tmp_path: Path) -> None:
    assert "No module named 'django' on a mirror's host" in alone(tmp_path, "django").stderr
    assert "on a mirror's host" in alone(tmp_path, "kulla.keeper").stderr


def test_every_act_of_a_mirror(tmp_path: Path) -> None:
    journal = Journal()
    journal.add(300)
    (mirror,) = start_mirrors(tmp_path / "m", 1, ORIGIN, journal.signer)
    mirror.stop()
    # It would start: only its home is held by somebody else.
    (mirror.home / "operator.json").rename(mirror.home / "moved.json")
    for module in (("kulla.mirror",), ("kulla.cli", "mirror")):
        done = alone(tmp_path, *module, "--config", str(mirror.home / "operator.json"))
        assert (done.returncode, done.stderr) == (
            2,
            "operator.json cannot be read: No such file or directory.\n",
        )
    (mirror.home / "moved.json").rename(mirror.home / "operator.json")
    done = alone(tmp_path, "kulla.cli", "mirror", "audit", str(mirror.home))
    assert done.stdout.startswith("Nothing is wrong in 0 entries"), done.stderr
    new = str(tmp_path / "new")
    done = alone(
        tmp_path, "kulla.cli", "mirror", "new", new, "--name", "m.example", "--log", journal.signer.vkey
    )
    assert done.returncode == 0, done.stderr
    config = str(tmp_path / "new/operator.json")
    done = alone(
        tmp_path, "kulla.cli", "mirror", "catch-up", "--config", config, "--from", "http://127.0.0.1:9"
    )
    assert (done.returncode, done.stderr) == (2, "kulla mirror: 127.0.0.1:9 does not answer.\n")
    for act in ("kulla.cli", "kulla.mirror"):
        assert alone(tmp_path, act, "--help").returncode == 0


def test_it_serves_there(tmp_path: Path) -> None:
    """The running program too: one that starts, says that its port is taken, and so has imported all it needs."""
    journal = Journal()
    one, two = start_mirrors(tmp_path / "m", 2, ORIGIN, journal.signer, start=False)
    one.start()
    path = two.home / "operator.json"
    path.write_text(path.read_text().replace(f'"port": {two.port}', f'"port": {one.port}'))
    done = alone(tmp_path, "kulla.mirror", "--config", str(path))
    one.stop()
    assert (done.returncode, done.stderr) == (
        2,
        f"Port {one.port} on 127.0.0.1 cannot be used: Address already in use.\n",
    )


def test_the_list_of_what_it_needs() -> None:
    pins = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/mirror.txt").read_text(), re.MULTILINE)
    assert set(pins) <= {"cryptography", "cbor2", "cffi", "pycparser", "typing-extensions"}
