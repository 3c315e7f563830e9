"""The checks themselves can fail: each is shown something bad once."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.country import clean_env

ROOT = Path(__file__).resolve().parent.parent


def script(name: str) -> ModuleType:
    """A file of scripts/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Django==5.2.0\n", "has no hash"),
        ("Django>=5.2 \\\n    --hash=sha256:00\n", "not pinned"),
        ("--index-url https://example.org/simple\nDjango==5.2.0 --hash=sha256:00\n", "an address"),
        ("Django @ https://example.org/d.whl --hash=sha256:00\n", "an address"),
        ("", "no pins"),
    ],
)
def test_a_bad_pin_is_named(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    assert any(fault in line for line in script("check_pins").pins(path))


def test_a_bad_lock_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "package-lock.json"
    path.write_text(
        '{"packages": {"": {}, "node_modules/x": {"resolved": "https://x", "license": "GPL-3.0"}}}'
    )
    faults = "\n".join(script("check_pins").lock(path))
    assert "download address" in faults
    assert "no integrity hash" in faults
    assert "'GPL-3.0'" in faults


@pytest.mark.parametrize(
    ("licence", "fine"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("LGPL-3.0-only", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0-only", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_licences(licence: str, fine: bool) -> None:
    assert script("check_pins").allowed(licence) is fine


def test_what_is_missing_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not root reads one sentence that says what to install."""
    runner = script("test")
    monkeypatch.setattr(runner, "missing", lambda: {"chromium": "the browser tests drive Chromium"})
    monkeypatch.setattr(runner.os, "getuid", lambda: 1000)
    with pytest.raises(runner.StageFailed) as caught:
        runner.tools()
    assert "sudo apt-get install -y --no-install-recommends chromium" in str(caught.value)


def test_the_first_failing_stage_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = script("test")
    seen: list[str] = []

    def broken() -> None:
        """Shows a fault."""
        raise runner.StageFailed("as it should")

    def never() -> None:
        """Comes after."""
        seen.append("never")

    monkeypatch.setattr(runner, "STAGES", [broken, never])
    assert runner.main([]) == 1
    assert seen == []
    assert "✗ broken failed: as it should" in capsys.readouterr().out


def test_a_library_without_a_reason_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.in"
    path.write_text("Django~=5.2\n")
    assert list(script("check_pins").reasons(path))


@pytest.mark.parametrize(
    "body",
    [
        "pytest.skip('no time')",
        "pytest.xfail('later')",
        "pytest.importorskip('no_such_module')",
        "import warnings; warnings.warn('old')",
    ],
    ids=["skip", "xfail", "importorskip", "warning"],
)
def test_a_skip_or_a_warning_fails_the_run(tmp_path: Path, body: str) -> None:
    (tmp_path / "test_bad.py").write_text(f"import pytest\n\ndef test_it():\n    {body}\n")
    done = run_pytest(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout


def test_a_skipped_file_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_bad.py").write_text(
        "import pytest\npytest.skip('all of it', allow_module_level=True)\n"
    )
    done = run_pytest(tmp_path)
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout
    assert "reason is not listed" in done.stdout


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    """pytest with our conftest on a folder of its own."""
    env = {name: value for name, value in clean_env().items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "-c", "pyproject.toml", "-n", "0", str(folder)],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
