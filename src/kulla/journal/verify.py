"""Verifying a receipt offline. Needs the standard library and `cryptography`, no CBOR, no keys, no network."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from .claims import Claims, check_code
from .errors import FormatError, JournalError, PolicyError, ProofError
from .merkle import verify_inclusion
from .policy import Policy
from .receipt import Receipt


class ReceiptInvalid(JournalError):
    """The receipt does not hold. `.step` is the number of the failed step of `verify_receipt`."""

    def __init__(self, step: int, sentence: str) -> None:
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
    leaf_hash: bytes
    check_code: str
    claims: tuple[tuple[str, str], ...]
    witnesses: tuple[tuple[str, int], ...]
    holder_salt: bytes | None


def verify_receipt(text: str, policy_text: str | bytes) -> Verified:
    """Verify a receipt against a trust policy.

    1. The policy reads.
    2. The receipt reads: a c2sp.org/tlog-proof@v1 whose extra line is of a known version.
    3. The claims in it are canonical; they may be absent.
    4. The leaf is computed: SHA-256(0x00 ‖ 0x01 ‖ SHA-256(sealed payload) ‖ SHA-256(claims)).
    5. The checkpoint is signed by a journal of the policy, and known mirrors' cosignatures make its quorum.
    6. The inclusion proof leads from the leaf at this index to the checkpoint's root.

    Raises ReceiptInvalid with the failed step's number and one plain sentence.
    """
    try:
        policy = Policy.parse(policy_text)
    except PolicyError as e:
        raise ReceiptInvalid(1, f"The policy cannot be used: {e}") from e
    try:
        receipt = Receipt.parse(text)
    except FormatError as e:
        raise ReceiptInvalid(2, str(e)) from e
    try:
        claims = Claims.parse(receipt.claims).lines if receipt.claims else ()
    except FormatError as e:
        raise ReceiptInvalid(3, str(e)) from e
    leaf = receipt.leaf_hash
    try:
        checked = policy.check(receipt.proof.checkpoint_note)
    except PolicyError as e:
        raise ReceiptInvalid(5, str(e)) from e
    checkpoint = checked.checkpoint
    try:
        verify_inclusion(leaf, receipt.proof.index, checkpoint.size, receipt.proof.hashes, checkpoint.root)
    except ProofError as e:
        raise ReceiptInvalid(6, f"What the receipt says is not what the journal holds: {e}") from e
    return Verified(
        checkpoint.origin,
        receipt.proof.index,
        checkpoint.size,
        leaf,
        check_code(leaf),
        claims,
        tuple(checked.cosigned.items()),
        receipt.holder_salt,
    )


MAX_FILE = 8 << 20  # bytes; a receipt carries one payload of at most 1 MiB


def read_file(file: BinaryIO, name: str) -> str:
    """The text of a receipt or policy as people keep it.

    A byte order mark and Windows line ends come from mail programs and editors; neither is ever part of either
    format, so both are taken off before anything is verified. Raises FormatError with a sentence that names `name`.
    """
    data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise FormatError(f"{name} is far larger than any receipt or policy.")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise FormatError(f"{name} is neither a receipt nor a policy: it is not UTF-8 text.") from None


def in_words(verified: Verified) -> str:
    """What is proven and by whom, as lines for a terminal."""
    lines = [
        f"This receipt holds: entry {verified.index} of {verified.origin}, check code {verified.check_code}."
    ]
    lines += [f"  {name}: {value}" for name, value in verified.claims]
    lines += [
        f"  signed by {name} at {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
        for name, seconds in verified.witnesses
    ]
    return "\n".join(lines)
