"""Verifying a receipt offline. Needs the standard library and `cryptography`, no CBOR, no keys, no network.

The page of `kulla.journal.page` does the same in a browser, in the same steps.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from .checkpoint import Checkpoint
from .claims import Claims, check_code
from .errors import FormatError, JournalError, MissingError, PolicyError, ProofError, QuorumError
from .merkle import consistency_proof, verify_consistency, verify_inclusion
from .pdf import attached_proof
from .policy import Policy
from .receipt import Receipt
from .tiles import Fetch, TileReader


class Step(IntEnum):
    """The steps of `verify_receipt` and, from NEWEST on, of `verify_against`, in their order."""

    POLICY = 1
    RECEIPT = 2
    CLAIMS = 3
    JOURNAL = 4
    MIRRORS = 5
    INCLUSION = 6
    NEWEST = 7
    CONSISTENCY = 8


class ReceiptInvalid(JournalError):
    """The receipt does not hold. `.step` is the step that failed."""

    def __init__(self, step: Step, sentence: str) -> None:
        super().__init__(sentence)
        self.step = step
        self.sentence = sentence


@dataclass(frozen=True)
class Verified:
    """What a receipt proves: that entry `index` of the journal `origin` is what the claims say.

    `claims` are (name, value) lines; `witnesses` are (name in the policy, POSIX seconds of the cosignature).
    """

    origin: str
    index: int
    size: int
    root: bytes
    leaf_hash: bytes
    check_code: str
    claims: tuple[tuple[str, str], ...]
    witnesses: tuple[tuple[str, int], ...]
    holder_salt: bytes | None
    key: str = ""
    """Which of the journal's keys signed, and up to when it was valid; see policy.Checked."""


def verify_receipt(text: str, policy_text: str | bytes) -> Verified:
    """Verify a receipt against a trust policy.

    1. POLICY: the policy reads.
    2. RECEIPT: the receipt reads: a c2sp.org/tlog-proof@v1 whose extra line is of a known version.
    3. CLAIMS: the claims in it are canonical; they may be absent.
    4. JOURNAL: the checkpoint reads and is signed by a journal of the policy.
    5. MIRRORS: every cosignature by a known mirror is right, and together they make the policy's quorum.
    6. INCLUSION: the leaf, SHA-256(0x00 ‖ 0x01 ‖ SHA-256(sealed payload) ‖ SHA-256(claims)), and the proof lead
       from this index to the checkpoint's root.

    Raises ReceiptInvalid with the failed step and one plain sentence.
    """
    try:
        policy = Policy.parse(policy_text)
    except PolicyError as e:
        raise ReceiptInvalid(Step.POLICY, f"The policy cannot be used: {e}") from e
    try:
        receipt = Receipt.parse(text)
    except FormatError as e:
        raise ReceiptInvalid(Step.RECEIPT, str(e)) from e
    try:
        claims = Claims.parse(receipt.claims).lines if receipt.claims else ()
    except FormatError as e:
        raise ReceiptInvalid(Step.CLAIMS, str(e)) from e
    try:
        checked = policy.check(receipt.proof.checkpoint_note)
    except QuorumError as e:
        raise ReceiptInvalid(Step.MIRRORS, str(e)) from e
    except PolicyError as e:
        raise ReceiptInvalid(Step.JOURNAL, str(e)) from e
    leaf, checkpoint = receipt.leaf_hash, checked.checkpoint
    try:
        verify_inclusion(leaf, receipt.proof.index, checkpoint.size, receipt.proof.hashes, checkpoint.root)
    except ProofError as e:
        raise ReceiptInvalid(
            Step.INCLUSION, f"What the receipt says is not what the journal holds: {e}"
        ) from e
    return Verified(
        checkpoint.origin,
        receipt.proof.index,
        checkpoint.size,
        checkpoint.root,
        leaf,
        check_code(leaf),
        claims,
        tuple(checked.cosigned.items()),
        receipt.holder_salt,
        checked.key,
    )


def verify_against(verified: Verified, policy_text: str | bytes, fetch: Fetch) -> Checkpoint:
    """Verify that a copy of the log still holds what a receipt proved. Gives the copy's newest checkpoint.

    `fetch` reads the copy: "checkpoint" and tiles. A mirror's copy carries only its own cosignature, so no quorum
    is asked for.

    7. NEWEST: the copy's checkpoint reads and is signed by the same journal; cosignatures by known mirrors are right.
    8. CONSISTENCY: it is no smaller than the receipt's checkpoint, and its tiles prove that the receipt's tree is
       the beginning of its tree and that the receipt's entry still stands in it. Else the journal was rolled back
       or forked, or the copy is damaged or old.

    Raises ReceiptInvalid with the failed step.
    """
    policy = Policy.parse(policy_text)
    try:
        checked = policy.check_signed(fetch("checkpoint"))
    except (PolicyError, MissingError) as e:
        raise ReceiptInvalid(Step.NEWEST, f"The newest checkpoint does not hold: {e}") from e
    newest = checked.checkpoint
    if newest.origin != verified.origin:
        raise ReceiptInvalid(Step.NEWEST, "The newest checkpoint is of another journal.")
    if newest.size < verified.size:
        raise ReceiptInvalid(
            Step.CONSISTENCY,
            f"This copy ends at entry {newest.size}, but mirrors have signed {verified.size} for this receipt: "
            "it is an older state, or the journal was rolled back.",
        )
    try:
        reader = TileReader(fetch, newest.size, newest.root)
        proof = consistency_proof(reader, verified.size, newest.size)
        verify_consistency(verified.size, newest.size, verified.root, newest.root, proof)
        if reader.hash_at(0, verified.index) != verified.leaf_hash:
            raise ProofError("it holds another entry in this one's place.")
    except (ProofError, MissingError) as e:
        raise ReceiptInvalid(
            Step.CONSISTENCY, f"This copy does not continue the receipt's journal: {e}"
        ) from e
    return newest


MAX_FILE = 8 << 20  # bytes; a receipt carries one payload of at most 1 MiB


def read_policy(file: BinaryIO, name: str) -> bytes:
    """The bytes of a policy as people keep it; octets beyond ASCII are opaque (tlog-policy), so it stays bytes.

    A byte order mark and Windows line ends come from mail programs and editors; neither is ever part of a receipt
    or policy, so both are taken off before anything is verified. Raises FormatError with a sentence naming `name`.
    """
    data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise FormatError(f"{name} is far larger than any receipt or policy.")
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def read_file(file: BinaryIO, name: str) -> str:
    """The text of a receipt as people keep it, cleaned as in `read_policy`; also out of the receipt's PDF.

    Raises FormatError.
    """
    data = read_policy(file, name)
    if data.startswith(b"%PDF-"):
        file.seek(0)  # the lengths in a PDF count every byte
        data = attached_proof(file.read(MAX_FILE))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{name} is neither a receipt nor a policy: it is not UTF-8 text.") from None


def folder(path: Path) -> Fetch:
    """Reads a copy of the log that lies in a folder, as `verify_against` wants it."""

    def fetch(name: str) -> bytes:
        try:
            return (path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise MissingError(f"{name} is not in this copy.") from None

    return fetch


def in_words(verified: Verified, newest: Checkpoint | None = None) -> str:
    """What is proven and by whom, as lines for a terminal; `newest` is what `verify_against` gave."""
    lines = [
        f"This receipt holds: entry {verified.index} of {verified.origin}, check code {verified.check_code}."
    ]
    lines += [f"  {name}: {value}" for name, value in verified.claims]
    lines += [f"  signed by {name} at {_time_in_words(seconds)}" for name, seconds in verified.witnesses]
    if "," in verified.key:
        lines.append(f"  the journal's key {verified.key}")
    if newest is not None:
        lines.append(f"The copy of the log continues it: {newest.size} entries, these {verified.size} first.")
    return "\n".join(lines)


def refusal_in_words(refused: ReceiptInvalid) -> str:
    """Which step failed and why, as one line for a terminal."""
    return (
        f"This receipt does not hold (step {refused.step}, {refused.step.name.lower()}). {refused.sentence}"
    )


def _time_in_words(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):  # a mirror may sign any time below 2**63
        return f"{seconds} seconds after 1970"
