"""Receipts: they verify anywhere, and each way to be false fails at its own step with its own sentence."""

import importlib.util
import io
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import kulla.journal
from kulla.journal.claims import check_code
from kulla.journal.entry import decode_payload
from kulla.journal.errors import FormatError, ProofError
from kulla.journal.note import Signer, b64
from kulla.journal.proof import Proof
from kulla.journal.receipt import Receipt
from kulla.journal.segment import decrypt, open_segment_key, parse_segment
from kulla.journal.store import segment_path
from kulla.journal.tests.demo import ORIGIN, DemoJournal
from kulla.journal.verify import MAX_FILE, ReceiptInvalid, in_words, read_file, read_policy, verify_receipt

INDEX = 301


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> DemoJournal:
    demo = DemoJournal(tmp_path_factory.mktemp("journal"))
    for count in (300, 5, 400):
        demo.round(count)
    return demo


def receipt(journal: DemoJournal, index: int = INDEX, salt: bytes | None = b"s" * 16) -> Receipt:
    segment = parse_segment(journal.folder.read(segment_path(*journal.folder.segment_at(index))))
    sealed = segment.sealed[index - segment.first]
    return Receipt.build(
        journal.folder, index, journal.note, journal.claims[index], sealed, segment.header, salt
    )


def refused(text: str, policy: str) -> tuple[int, str]:
    with pytest.raises(ReceiptInvalid) as caught:
        verify_receipt(text, policy)
    assert str(caught.value) == caught.value.sentence
    assert caught.value.sentence.endswith(".")
    assert "\n" not in caught.value.sentence
    return caught.value.step, caught.value.sentence


def test_a_receipt_verifies_and_says_what_it_proves(journal: DemoJournal) -> None:
    for index in (0, INDEX, 704):
        made = receipt(journal, index)
        verified = verify_receipt(made.text, journal.policy)
        assert (verified.origin, verified.index, verified.size) == (ORIGIN, index, 705)
        assert verified.claims == (("what", "Appointment booked"), ("where", f"Qendra {index}"))
        assert verified.witnesses == (("operator-1", 1_795_000_000), ("operator-2", 1_795_000_001))
        assert (verified.leaf_hash, verified.holder_salt) == (made.leaf_hash, b"s" * 16)
        assert verified.check_code == check_code(made.leaf_hash)
    assert Receipt.parse(made.text) == made


def test_a_receipt_and_the_holders_key_bring_the_record_back(journal: DemoJournal) -> None:
    lost = Receipt.parse(receipt(journal, salt=None).text)
    assert lost.holder_salt is None
    key = open_segment_key(lost.segment_header, journal.rebuild)
    payload = decode_payload(decrypt(key, lost.segment_header, lost.proof.index, lost.sealed))
    assert payload.rows[0].columns is not None
    assert payload.rows[0].columns["number"] == INDEX


def test_what_is_not_this_entry_gets_no_receipt(journal: DemoJournal) -> None:
    good = receipt(journal)
    for index, claims in [(INDEX + 1, good.claims), (INDEX, journal.claims[0])]:
        with pytest.raises(ProofError, match="not those of entry"):
            Receipt.build(journal.folder, index, journal.note, claims, good.sealed, good.segment_header)


def test_every_step_refuses_in_its_own_words(journal: DemoJournal) -> None:
    good = receipt(journal)
    text, policy = good.text, journal.policy

    def with_extra(**fields: object) -> str:
        assert good.proof.extra is not None
        extra = json.dumps({**json.loads(good.proof.extra), **fields}).encode()
        return Proof(good.proof.index, good.proof.hashes, good.proof.checkpoint_note, extra).encode()

    assert refused(text, "quorum\n")[0] == 1
    assert refused(text, "")[1] == "The policy cannot be used: The policy has no quorum line."
    assert refused("", policy) == (2, "The proof has no checkpoint.")
    assert refused(text.replace("@v1", "@v2"), policy)[0] == 2
    assert refused(with_extra(v=2), policy)[1] == "The receipt is of a version that is not known here."
    assert refused(with_extra(sealed=7), policy)[1] == "The receipt's extra line has no sealed."
    assert refused(with_extra(claims="%"), policy)[0] == 2
    bare = Proof(INDEX, good.proof.hashes, good.proof.checkpoint_note).encode()
    assert refused(bare, policy)[1].startswith("The receipt has no extra line")
    for junk in (b"[]", b"{", b"[" * 100_000):
        assert (
            refused(Proof(INDEX, good.proof.hashes, good.proof.checkpoint_note, junk).encode(), policy)[0]
            == 2
        )
    assert refused(with_extra(claims="eA=="), policy)[0] == 3

    unsigned = good.proof.checkpoint_note.replace(journal.signer.name + " ", "other.example ")
    assert refused(Proof(INDEX, good.proof.hashes, unsigned, good.proof.extra).encode(), policy) == (
        4,
        "The checkpoint is not signed by a journal that this policy lists.",
    )
    body = good.proof.checkpoint_note.split("\n\n")[0] + "\n"
    single = journal.cosigned(body + "\n" + journal.signer.sign(body), body, [journal.mirrors[2]] * 2)
    step, sentence = refused(Proof(INDEX, good.proof.hashes, single, good.proof.extra).encode(), policy)
    assert (step, "cosigned by 1 of 3 known mirrors" in sentence) == (5, True)
    stranger = policy.replace(journal.signer.vkey, Signer.generate(ORIGIN).vkey)
    assert refused(text, stranger)[0] == 4

    forged = json.dumps({**json.loads(good.proof.extra or b""), "claims": "a3VsbGEtY2xhaW1zLzEKc2FsdDogMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAK"})  # fmt: skip  # noqa: E501
    proof = Proof(INDEX, good.proof.hashes, good.proof.checkpoint_note, forged.encode())
    step, sentence = refused(proof.encode(), policy)
    assert (step, sentence.startswith("What the receipt says is not what the journal holds")) == (6, True)
    assert (
        refused(Proof(302, good.proof.hashes, good.proof.checkpoint_note, good.proof.extra).encode(), policy)[
            0
        ]
        == 6
    )
    assert (
        refused(
            Proof(INDEX, good.proof.hashes[1:], good.proof.checkpoint_note, good.proof.extra).encode(), policy
        )[0]
        == 6
    )
    assert refused(with_extra(sealed="c2VhbGVk"), policy)[0] == 6


def test_the_verifier_needs_no_cbor_no_django_and_no_hpke(journal: DemoJournal, tmp_path: Path) -> None:
    (tmp_path / "receipt").write_text(receipt(journal).text)
    (tmp_path / "policy").write_text(journal.policy)
    blocked = "cbor2", "django", "cryptography.hazmat.primitives.hpke"
    program = (
        f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
        "from kulla.journal.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    )

    def run(name: str) -> subprocess.CompletedProcess[str]:
        arguments = ["verify", str(tmp_path / name), "--policy", str(tmp_path / "policy")]
        return subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
        )

    done = run("receipt")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"This receipt holds: entry {INDEX} of {ORIGIN}" in done.stdout
    assert "  where: Qendra 301\n" in done.stdout
    (tmp_path / "bad").write_text(receipt(journal).text.replace("index 301", "index 302"))
    done = run("bad")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("This receipt does not hold (step 6, inclusion). ")
    assert run("absent").returncode == 2


def test_a_receipt_that_went_through_an_editor_or_a_mail_still_verifies(journal: DemoJournal) -> None:
    """A byte order mark and Windows line ends are no forgery."""
    text = receipt(journal).text
    for kept in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.replace("\n", "\r\n").encode()):
        assert verify_receipt(read_file(io.BytesIO(kept), "receipt"), journal.policy).index == INDEX


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"\xff\xfe\x00", "it is not UTF-8 text"), (b"x" * (MAX_FILE + 1), "far larger than any receipt")],
)
def test_what_cannot_be_a_receipt_is_said_to_be_none(data: bytes, sentence: str) -> None:
    with pytest.raises(FormatError, match=sentence):
        read_file(io.BytesIO(data), "photo.jpg")


def test_the_verifier_runs_with_cryptography_alone(journal: DemoJournal, tmp_path: Path) -> None:
    """`python -m kulla.journal` where nothing is installed but `cryptography` and what that needs itself."""
    alone = tmp_path / "alone"
    (alone / "kulla").mkdir(parents=True)
    package = Path(kulla.journal.__file__).parent
    shutil.copy(package.parent / "__init__.py", alone / "kulla")
    shutil.copytree(package, alone / "kulla" / "journal", ignore=shutil.ignore_patterns("tests"))
    for name in ("cryptography", "cffi", "pycparser", "_cffi_backend"):
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:  # pycparser is not needed by every version
            there = Path(found.origin)
            there = there.parent if there.name == "__init__.py" else there
            (alone / there.name).symlink_to(there)
    (tmp_path / "receipt").write_text(receipt(journal).text)
    (tmp_path / "policy").write_text(journal.policy)
    program = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
        "runpy.run_module('kulla.journal', None, '__main__')"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        # -I and -S: no site-packages, no environment, no current folder
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, str(alone), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    done = run("verify", "receipt", "--policy", "policy", "--log", str(journal.folder.path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("The copy of the log continues it: 705 entries, these 705 first.\n")
    (tmp_path / "other").mkdir()
    done = run("verify", "receipt", "--policy", "policy", "--log", "other")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("This receipt does not hold (step 7, newest). ")


def test_a_policys_octets_beyond_ascii_are_opaque(journal: DemoJournal) -> None:
    """tlog-policy, "Character set": a comment in Latin-1 is a comment; a key's name is UTF-8 or none."""
    latin = b"# Qyteti i Kuk\xebsit\r\n" + journal.policy.encode()
    policy = read_policy(io.BytesIO(latin), "policy")
    assert verify_receipt(receipt(journal).text, policy).index == INDEX
    step, _ = refused(
        receipt(journal).text, policy + b"log \xeb+00000000+" + b64(b"\x01" * 33).encode() + b"\n"
    )  # type: ignore[arg-type]
    assert step == 1


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "deflated"])
def test_the_receipts_pdf_is_read_as_well(journal: DemoJournal, packed: bool) -> None:
    text = receipt(journal).text
    body = zlib.compress(text.encode()) if packed else text.encode()
    how = b"/Filter /FlateDecode " if packed else b""
    other = b"1 0 obj\n<</Type /EmbeddedFile /Length 5>>\nstream\nother\nendstream\nendobj\n"
    head = b"2 0 obj\n<</Type /EmbeddedFile %s/Length %d>>\nstream\n" % (how, len(body))
    pdf = b"%PDF-1.7\r\n" + other + head + body + b"\nendstream\nendobj\n"
    assert verify_receipt(read_file(io.BytesIO(pdf), "receipt.pdf"), journal.policy).index == INDEX
    for broken in (pdf.replace(b"/Length", b"/Longth"), pdf[: -len(body)]):
        with pytest.raises((FormatError, ReceiptInvalid)):
            verify_receipt(read_file(io.BytesIO(broken), "receipt.pdf"), journal.policy)
    with pytest.raises(FormatError, match="No proof is attached"):
        read_file(io.BytesIO(b"%PDF-1.7\n/EmbeddedFiles"), "receipt.pdf")


def test_a_time_beyond_every_calendar_is_still_said(journal: DemoJournal) -> None:
    good = receipt(journal)
    body = good.proof.checkpoint_note.split("\n\n")[0] + "\n"
    note = body + "\n" + journal.signer.sign(body) + "".join(m.cosign(body, 2**62) for m in journal.mirrors)
    proof = Proof(INDEX, good.proof.hashes, note, good.proof.extra)
    assert f"{2**62} seconds after 1970" in in_words(verify_receipt(proof.encode(), journal.policy))
