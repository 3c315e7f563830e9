"""A mirror whose copy lies in a bucket with Object Lock, against moto's server on loopback."""

import datetime
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kulla.journal.errors import FormatError, ImmutableError, MissingError
from kulla.journal.segment import parse_segment
from kulla.mirror import abandon_pending
from kulla.mirror import s3 as s3_store
from kulla.mirror.commands import CommandFailed, audit, audit_bucket
from kulla.mirror.frames import StorageFailed
from kulla.mirror.merging import merge
from kulla.mirror.s3 import S3Store, open_bucket
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests import bucket
from kulla.mirror.tests.client import Client, Journal
from kulla.mirror.tests.origin import copy_of, mirror_with, push


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with bucket.s3() as address:
        yield address


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bucket.CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def section(address: str) -> dict[str, Any]:
    return bucket.make_bucket(address, f"mirror-{uuid.uuid4().hex}")


@pytest.fixture
def store(section: dict[str, Any]) -> S3Store:
    return open_bucket(section, "hash")


@pytest.fixture
def thief(address: str) -> Iterator[Any]:
    stolen = bucket.client(address)
    yield stolen
    stolen.close()


def versions(thief: Any, section: dict[str, Any], part: str = "") -> list[dict[str, Any]]:
    found = thief.list_object_versions(Bucket=section["bucket"]).get("Versions", [])
    return [item for item in found if part in item["Key"]]


# --- the store alone --------------------------------------------------------------------------------------------


def test_what_stands_is_not_overwritten(store: S3Store) -> None:
    store.put_many({"tile/0/000": b"one", "segment/000000/0-1": b"two"})
    store.put_many({"tile/0/000": b"one"})
    with pytest.raises(ImmutableError):
        store.put_many({"tile/0/000": b"other"})
    assert store.get("tile/0/000") == b"one"
    assert store.part("segment/000000/0-1", 1, 5) == b"wo"
    assert store.names("segment/000000") == ["0-1"]
    assert store.names("tile") == ["0"]
    assert list(store.segments()) == [(0, 1)]
    assert store.size("tile/0/000") == 3
    with pytest.raises(MissingError):
        store.read("tile/0/001")
    until = store.locked_until("tile/0/000")
    assert until is not None
    left = until - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=29) < left <= datetime.timedelta(days=30)


def test_two_programs_on_one_bucket(section: dict[str, Any], store: S3Store) -> None:
    other = open_bucket(section, "hash")
    store.replace("checkpoint", b"1")
    with pytest.raises(StorageFailed, match="another program wrote checkpoint"):
        other.replace("checkpoint", b"x")
    assert other.get("checkpoint") == b"1"
    other.replace("checkpoint", b"2")
    with pytest.raises(StorageFailed, match="another program wrote"):
        store.replace("checkpoint", b"3")
    assert list(store.versions("checkpoint")) == [b"2", b"1"]


def test_stored_although_reported_lost(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The PUT arrived, its answer did not: what was asked again meets its own bytes and is content."""
    whole = store._client.put_object

    def lost(**arguments: Any) -> Any:
        whole(**arguments)
        return whole(**arguments)

    monkeypatch.setattr(store._client, "put_object", lost)
    store.put_many({"tile/0/000": b"one"})
    store.replace("checkpoint", b"1")
    store.replace("checkpoint", b"2")
    assert list(store.versions("checkpoint")) == [b"2", b"1"]


def test_a_store_that_does_not_answer(section: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageFailed, match="does not answer"):
        open_bucket(section | {"endpoint": "http://127.0.0.1:9"}, "hash")
    with pytest.raises(StorageFailed, match="there is no bucket"):
        open_bucket(section | {"bucket": "none-of-these"}, "hash")
    with pytest.raises(FormatError, match="bucket"):
        open_bucket({"kind": "s3"}, "hash")
    with pytest.raises(FormatError, match="retention_days"):
        open_bucket(section | {"retention_days": 0}, "hash")


def test_a_bucket_without_lock_is_refused(address: str) -> None:
    plain = bucket.make_bucket(address, f"plain-{uuid.uuid4().hex}", lock=False)
    with pytest.raises(StorageFailed, match="Object Lock"):
        open_bucket(plain, "hash")


# --- the mirror -------------------------------------------------------------------------------------------------


def published(mirror: RunningMirror, journal: Journal) -> None:
    client = Client(mirror.port)
    assert int(client.send("GET", f"/{journal.hash}/checkpoint").text.split("\n")[1]) == journal.size
    for target, data in journal.segments:
        assert client.signed(journal.signer.key, "GET", target).body == data
    client.close()


def test_a_mirror_in_a_bucket(tmp_path: Path, section: dict[str, Any]) -> None:
    journal = Journal()
    with mirror_with(tmp_path, journal, store=section) as mirror:
        for count in (3, 400, 1, 9000):
            old = journal.size
            journal.add(count)
            push(mirror, journal, old)
        published(mirror, journal)
        assert not (mirror.home / "mirror" / journal.hash).exists()
        mirror.kill()
        mirror.start()
        old = journal.size
        journal.add(5)
        push(mirror, journal, old)
        published(mirror, journal)
        said: list[str] = []
        assert audit(mirror.home, None, said.append) == 0, said


def test_no_signature_without_the_stores_word(tmp_path: Path, section: dict[str, Any], address: str) -> None:
    """The bucket does not answer: no acknowledgement goes out; once it does, all goes on."""
    journal = Journal()
    journal.add(10)
    with mirror_with(tmp_path, journal, store=section) as mirror:
        push(mirror, journal)
        thief = bucket.client(address)
        # Another version over ours: our next conditional write must not pass, nor be signed for.
        thief.put_object(Bucket=section["bucket"], Key=f"{journal.hash}/checkpoint", Body=b"x")
        thief.close()
        journal.add(10)
        client = Client(mirror.port)
        journal.put_segments(client)
        journal.checkpoint(client, 10)
        answer = client.send("POST", "/add-entries", journal.upload(10))
        assert answer.status == 503
        client.close()
        assert "ALARM" in mirror.log()
        mirror.stop()
        mirror.start()  # finds the true one under the false one, says so, and goes on
        assert "something else lay over the `checkpoint` of size 10" in mirror.log()
        client = Client(mirror.port)
        assert client.send("POST", "/add-entries", journal.upload(10)).status == 200
        client.close()
        published(mirror, journal)


def test_a_thief_of_the_mirrors_credentials(tmp_path: Path, section: dict[str, Any], thief: Any) -> None:
    """Versions under compliance lock cannot be deleted, unlocked or shortened; what is hidden comes back."""
    journal = Journal()
    journal.add(700)
    name = section["bucket"]
    with mirror_with(tmp_path, journal, store=section) as mirror:
        push(mirror, journal)
        mirror.stop()
        locked = [
            item
            for item in versions(thief, section)
            if "/next" not in item["Key"] and ".p/" not in item["Key"]
        ]
        assert {item["Key"].split("/")[1] for item in locked} == {"tile", "segment", "checkpoint", "pending"}
        for item in locked:
            one = {"Bucket": name, "Key": item["Key"], "VersionId": item["VersionId"]}
            for more in ({}, {"BypassGovernanceRetention": True}):
                with pytest.raises(ClientError, match="AccessDenied"):
                    thief.delete_object(**one, **more)
        # The rest is not needed: partial tiles are made again.
        for item in versions(thief, section, ".p/"):
            thief.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
        mirror.start()
        assert "they were made again from segments" in mirror.log()
        check = Client(mirror.port)
        journal.add(20)
        assert journal.push(check, 700).status == 200
        check.close()
        published(mirror, journal)


def test_abandoned_stays_abandoned(tmp_path: Path, section: dict[str, Any]) -> None:
    """An older version under the delete marker must not come back as pending."""
    journal = Journal()
    journal.add(10)
    with mirror_with(tmp_path, journal, store=section) as mirror:
        push(mirror, journal)
        lost = copy_of(journal, 10)
        lost.add(5)
        client = Client(mirror.port)
        lost.checkpoint(client, 10)
        client.close()
        mirror.stop()
        assert abandon_pending(mirror.home) == 1
        assert abandon_pending(mirror.home) == 0
        mirror.start()
        journal.add(5)
        push(mirror, journal, 10)
        published(mirror, journal)


def test_the_audit_names_what_can_be_deleted(tmp_path: Path, section: dict[str, Any], thief: Any) -> None:
    journal = Journal()
    journal.add(300)
    with mirror_with(tmp_path, journal, store=section) as mirror:
        push(mirror, journal)
    (tile,) = versions(thief, section, "/tile/0/000")
    thief.put_object(Bucket=section["bucket"], Key=tile["Key"], Body=bytes(8192))
    said: list[str] = []
    assert audit(mirror.home, None, said.append) == 1
    assert any("tile/0/000 is not what the entries below it give" in line for line in said)
    assert any("tile/0/000 is not under lock" in line for line in said)
    policy = tmp_path / "policy"
    policy.write_text(f"log {journal.signer.vkey}\nquorum none\n")
    place = f"s3://{section['bucket']}/{journal.hash}"
    assert audit_bucket(place, section["endpoint"], policy, said.append) == 1
    with pytest.raises(CommandFailed, match="must have the form"):
        audit_bucket("s3://x", None, policy, said.append)


def test_merged_files_stand_beside_what_is_locked(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal()
    small = []
    for count in (40_000, 20_000, 6_000):
        data = journal.add(count)
        first = journal.size - count
        small.append((first, journal.size, data))
    from kulla.journal.merkle import leaf_hash
    from kulla.journal.tiles import Edge, new_bundles

    tiles, _ = Edge(0, ()).append([leaf_hash(leaf) for leaf in journal.leaves])
    store.put_many(tiles | new_bundles(0, b"", journal.leaves))
    store.put_many({f"segment/000000/{a}-{b}": data for a, b, data in small[:2]})
    done = merge(store, journal.size)
    assert (done.merged, done.files, done.removed) == (2, 1, 0)
    assert store.merged("000000") == [(0, 60_000)]
    assert [store.exists(f"segment/000000/{a}-{b}") for a, b, _ in small[:2]] == [True, True]
    monkeypatch.setattr(S3Store, "_delete_version", lambda *_: True)  # as if the lock had ended
    assert merge(store, journal.size).removed == 2
    assert [parse_segment(store.read(f"segment/000000/{a}-{b}")).next for a, b, _ in small[:2]] == [
        40_000,
        60_000,
    ]


def test_no_boto3_no_bucket(section: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(StorageFailed, match="boto3 is not installed"):
        s3_store.open_bucket(section, "hash")


def test_forks_are_seen_there_too(tmp_path: Path, section: dict[str, Any]) -> None:
    journal = Journal()
    journal.add(10)
    with mirror_with(tmp_path, journal, store=section) as mirror:
        push(mirror, journal)
        other = copy_of(journal, 5)
        other.add(5)
        client = Client(mirror.port)
        assert client.send("POST", "/add-checkpoint", other.submission(10)).status == 422
        client.close()
        assert list((mirror.home / "evidence").glob("fork-*.txt"))
