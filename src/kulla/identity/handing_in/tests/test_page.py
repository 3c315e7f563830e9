"""The page where a receipt is handed in: good ones, forged ones, and whatever else people send."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from kulla.journal import log as journal_log
from kulla.journal.claims import NO_CLAIMS
from kulla.journal.note import Signer
from kulla.journal.receipt import Receipt
from kulla.journal.segment import parse_segment
from kulla.journal.store import LogFolder, segment_path
from kulla.record.models import HandedIn

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/verify/hand-in"


@pytest.fixture
def english(client: Client) -> Client:
    client.cookies["language"] = "en"
    return client


@pytest.fixture
def receipt(tmp_path: Path, settings) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """A valid receipt of a journal that this portal's policy trusts and its tables know nothing of."""
    from uuid import uuid4

    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    signer = Signer.generate("test.kulla.example/journal")
    settings.KULLA_POLICY = tmp_path / "policy"
    settings.KULLA_POLICY.write_text(f"log {signer.vkey}\nquorum none\n")
    folder = LogFolder(tmp_path / "lost")
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    staged = journal_log.stage(folder, signer, [(uuid4(), b"a fact", NO_CLAIMS)], [public])
    journal_log.publish(folder, staged, staged.note)
    segment = parse_segment(folder.read(segment_path(0, 1)))
    return Receipt.build(folder, 0, staged.note, b"", segment.sealed[0], segment.header).text


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Your receipt was taken in"), ("sq", "Dëftesa juaj u pranua")]
)
@pytest.mark.parametrize("how", ["text", "file", "lines"])
def test_an_unknown_receipt_is_taken_once(
    client: Client, receipt: str, language: str, said: str, how: str
) -> None:
    client.cookies["language"] = language
    data = {
        "text": {"text": receipt},
        "lines": {"text": receipt.replace("\n", "\r\n")},
        "file": {"file": SimpleUploadedFile("kulla-ABCD-EFGH.tlog-proof", receipt.encode())},
    }[how]
    page = client.post(ADDRESS, data).content.decode()
    assert said in page
    assert HandedIn.objects.count() == 1
    client.post(ADDRESS, {"text": receipt})
    assert HandedIn.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose the receipt’s file, or paste its text"),
        ({"text": "hello"}, "This is not a whole receipt"),
        ({"text": "\x00 ë \ud83d"}, "Error"),
        ({"file": SimpleUploadedFile("r.pdf", b"%PDF-1.7 nothing")}, "This PDF carries no receipt"),
        ({"file": SimpleUploadedFile("r.jpg", b"\xff\xd8\xff")}, "This file is no receipt"),
        ({"file": SimpleUploadedFile("r.txt", b"")}, "This is not a whole receipt"),
        ({"file": SimpleUploadedFile("r.txt", b"x" * (2 * 1024 * 1024 + 1))}, "larger than 2 MB"),
    ],
    ids=["nothing", "words", "odd letters", "empty pdf", "picture", "empty file", "huge file"],
)
def test_whatever_else_is_sent_is_told_plainly(english: Client, receipt: str, sent: dict, said: str) -> None:
    for value in sent.values():
        if isinstance(value, SimpleUploadedFile):
            value.seek(0)
    given = {
        name: value.encode("utf-8", "replace") if isinstance(value, str) else value
        for name, value in sent.items()
    }
    answer = english.post(ADDRESS, given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not HandedIn.objects.exists()


def test_a_forged_one_stays_in_the_field_with_the_step_that_failed(english: Client, receipt: str) -> None:
    lines = receipt.split("\n")
    lines[2] = "index 5" if lines[2].startswith("index") else lines[2]
    place = next(number for number, line in enumerate(lines) if line.startswith("— "))
    lines[place] = lines[place][:-4] + "AAAA"
    answer = english.post(ADDRESS, {"text": "\n".join(lines)})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "was not signed by this country’s journal" in page
    assert lines[place][-20:] in page
    assert not HandedIn.objects.exists()


def test_without_a_policy_nothing_is_believed(english: Client, receipt: str, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KULLA_POLICY.unlink()
    assert "no list of signers" in english.post(ADDRESS, {"text": receipt}).content.decode()
