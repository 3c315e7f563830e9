"""Whose file it is: nothing goes in that the register's institution did not sign as what it is, nor an older one."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kulla.keeper.admin import Admin, open_keeper
from kulla.keeper.errors import ConfigError, KeeperError
from kulla.keeper.importing import signing
from kulla.keeper.importing.signing import NotSigned
from kulla.keeper.testkit import invented, start_keeper, stop_keeper

HEAD = "number,first_name,last_name,birth_date,sex\n"
LINES = "J01105001A,Mira,Dervishi,1990-11-05,m\nJ01105002A,Ana,Dervishi,1990-11-05,m\n"


class Registry:
    """A country whose register signs, and files in it."""

    def __init__(self, folder: Path, admin: Admin) -> None:
        self.folder, self.admin = folder, admin

    def key(self, name: str = "registry") -> Path:
        return self.folder / f"{name}.key"

    def file(self, text: str = HEAD + LINES, name: str = "people.csv") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def sign(self, path: Path, key: str = "registry", **how: Any) -> Path:
        how = {"file": "people", "full": False, **how}
        return signing.sign_file(path, signing.read_key(self.key(key)), **how)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("signed")
    keys = {
        name: signing.make_key(folder / f"{name}.key").hex() for name in ("registry", "staff", "stranger")
    }
    settings = [
        {"name": "civil-registry", "key": keys["registry"]},
        {"name": "staff-office", "key": keys["staff"], "files": ["offices", "officials"]},
    ]
    running = start_keeper(folder / "country", start=False, register_keys=settings)
    with open_keeper(running.keeper_home) as admin:
        yield Registry(folder, admin)
    stop_keeper(running)


def refused(registry: Registry, path: Path, sentence: str, **how: Any) -> None:
    before = registry.admin.people()
    with pytest.raises(NotSigned, match=sentence):
        registry.admin.import_file(path, **how)
    assert registry.admin.people() == before


def test_a_signed_file_goes_in_and_again_changes_nothing(registry: Registry) -> None:
    path = registry.file()
    registry.sign(path, made=1_790_000_000_000)
    assert registry.admin.import_file(path).added == 2
    assert registry.admin.import_file(path).already == 2


def test_what_is_not_signed_or_not_by_them_is_refused(registry: Registry) -> None:
    path = registry.file(HEAD + LINES.replace("00", "01"), "other.csv")
    refused(registry, path, "not signed")
    refused(registry, path, "not signed", unsigned=True)
    registry.sign(path, "stranger")
    refused(registry, path, "by no institution")
    registry.sign(path, "staff")
    refused(registry, path, "may not sign files of people")


@pytest.mark.parametrize("raw", [b"", b"x", b"\xff\xfe", b"kulla-register-file/1\n\nAAAA\n", b"a" * 5000])
def test_a_signature_that_is_none_is_refused(registry: Registry, raw: bytes) -> None:
    path = registry.file(name="broken.csv")
    signing.signature_path(path).write_bytes(raw)
    refused(registry, path, "cannot be read|by no institution")


def test_a_file_changed_after_signing_is_refused(registry: Registry) -> None:
    path = registry.file(name="changed.csv")
    registry.sign(path)
    path.write_text(path.read_text().replace("Mira", "Mara"))
    refused(registry, path, "not the one that was signed")


def test_a_statement_changed_after_signing_is_refused(registry: Registry) -> None:
    path = registry.file(name="statement.csv")
    where = registry.sign(path)
    where.write_text(where.read_text().replace("extent delta", "extent full"))
    refused(registry, path, "by no institution", full=True)


def test_a_delta_is_no_complete_extract_and_people_are_no_families(registry: Registry) -> None:
    path = registry.file(name="kinds.csv")
    registry.sign(path)
    refused(registry, path, "signed as delta file of people", full=True)
    refused(registry, path, "signed as delta file of people", file="families")
    registry.sign(path, full=True)
    refused(registry, path, "signed as full file of people")


def test_an_older_file_does_not_bring_back_what_changed(registry: Registry) -> None:
    older = registry.file(HEAD + LINES.replace("Dervishi", "Old"), "older.csv")
    newer = registry.file(HEAD + LINES.replace("Dervishi", "New"), "newer.csv")
    registry.sign(older, made=1_795_000_000_000)
    registry.sign(newer, made=1_795_000_000_001)
    assert registry.admin.import_file(newer, dry_run=True).changed == 2
    assert registry.admin.import_file(older, dry_run=True).changed == 2, "a dry run is no import"
    assert registry.admin.import_file(newer).changed == 2
    refused(registry, older, "made later was imported already")
    assert registry.admin.import_file(newer).already == 2


def test_a_file_from_the_future_is_refused(registry: Registry) -> None:
    path = registry.file(name="future.csv")
    registry.sign(path, made=9_000_000_000_000)
    refused(registry, path, "in the future")


def test_a_key_is_written_once_and_read_whole(tmp_path: Path) -> None:
    public = signing.make_key(tmp_path / "k")
    assert signing.read_key(tmp_path / "k").public_key().public_bytes_raw() == public
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeeperError, match="never overwritten"):
        signing.make_key(tmp_path / "k")
    for text in ("", "zz", base64.b64encode(b"x" * 32).decode()):
        (tmp_path / "bad").write_text(text)
        with pytest.raises(KeeperError, match="cannot be read"):
            signing.read_key(tmp_path / "bad")


def test_outside_a_demo_unsigned_people_need_a_word_and_officials_a_signature(tmp_path: Path) -> None:
    running = start_keeper(tmp_path, start=False)
    config = running.keeper_home / "keeper.json"
    config.write_text(config.read_text().replace('"demo": true', '"demo": false'))
    path = tmp_path / "people.csv"
    path.write_text(HEAD + LINES)
    try:
        with open_keeper(running.keeper_home) as admin:
            with pytest.raises(NotSigned, match="--unsigned"):
                admin.import_file(path)
            for kind in ("offices", "officials"):
                with pytest.raises(NotSigned, match="must be signed"):
                    admin.import_file(path, file=kind, unsigned=True)
            assert admin.import_file(path, unsigned=True).added == 2
        text = config.read_text().rstrip().removesuffix("}")
        config.write_text(text + ', "register_keys": [{"name": "r", "key": "' + "ab" * 32 + '"}]}')
        with open_keeper(running.keeper_home) as admin, pytest.raises(NotSigned, match="by files"):
            admin.import_people(invented(3))
        config.write_text(text + ', "register_keys": [{"name": "r", "key": "ab"}]}')
        with pytest.raises(ConfigError), open_keeper(running.keeper_home):
            pass
    finally:
        stop_keeper(running)
