"""The command line reads like a manual page, refuses in one sentence, and starts fast."""

import subprocess
import sys
from pathlib import Path

import pytest

from kulla import cli


def kulla(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kulla.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_a_page_with_examples_and_exit_codes(name: str) -> None:
    page = kulla(name, "--help")

    assert page.returncode == 0
    assert f"kulla {name}" in page.stdout.partition("examples:")[2]
    assert "\n  0  " in page.stdout.partition("exit codes:")[2]
    assert max(map(len, page.stdout.splitlines())) <= 120


def test_the_first_page_names_every_command() -> None:
    page = kulla("--help").stdout

    assert kulla().stdout == page
    for name in cli.COMMANDS:
        assert f"\n    {name} " in page
        assert cli.command(name).SUMMARY in page


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("up",),
        ("up", "--home", "/nonexistent"),
        ("up", "--home", "/dev/null"),
        ("up", "--home", "/nonexistent", "--port", "99999"),
        ("up", "--home", "/nonexistent", "--port", "-1"),
        ("portal", "--home", "/nonexistent", "--port", "²"),
        ("portal", "--home", "/nonexistent", "--port", "1"),
        ("rebuild", "--home", "/nonexistent"),
        ("demo", "--home", "/", "--people", "3"),
        ("demo", "--home", "/", "--people", "40"),
        ("demo", "--home", "x", "--people", "many"),
        ("journal", "check", "/nonexistent"),
        ("verify", "/nonexistent", "--policy", "/nonexistent"),
        ("people", "import", "/nonexistent", "--home", "/nonexistent"),
    ],
)
def test_refusals_are_one_sentence(arguments: tuple[str, ...]) -> None:
    refused = kulla(*arguments)

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("kulla")
    assert refused.stderr.rstrip().endswith((".", "'"))


def test_verify_imports_neither_django_nor_any_room_but_the_journal(tmp_path: Path) -> None:
    code = (
        "import sys; from kulla.cli import main; main(['verify', sys.argv[1], '--policy', sys.argv[1]]);"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'cbor2', 'granian', 'jinja2') "
        "or m.startswith('kulla.') and m.split('.')[1] not in ('cli', 'journal')])"
    )
    file = tmp_path / "receipt"
    file.write_text("not a receipt\n")
    argv = [sys.executable, "-c", code, str(file)]
    run = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)

    assert run.stdout.strip() == "[]"
