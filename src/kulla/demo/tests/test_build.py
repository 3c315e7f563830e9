"""A production build contains no demo, whatever was built in the same folder before."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


def names_in_wheel(source: Path, out: Path, build: str) -> set[str]:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--disable-pip-version-check",
            "--no-index",
            "-w",
            str(out),
            str(source),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "KULLA_BUILD": build},
        timeout=120,
    )
    (wheel,) = out.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the source tree, so that the build's litter does not fall into ours."""
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "requirements"):
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, copy / name)
        elif path.exists():
            shutil.copy(path, copy / name)
    shutil.copytree(
        ROOT / "src" / "kulla", copy / "src" / "kulla", ignore=shutil.ignore_patterns("node_modules")
    )
    return copy


def test_demo_only_in_a_demo_build(source: Path, tmp_path: Path) -> None:
    with_demo = names_in_wheel(source, tmp_path / "demo", "")
    production = names_in_wheel(source, tmp_path / "production", "production")

    assert "kulla/demo/wipe.py" in with_demo
    assert "kulla/demo/templates/demo/bar.html" in with_demo
    assert not [name for name in production if name.startswith("kulla/demo")]
    assert "kulla/cli/supervisor/supervisor.py" in production
