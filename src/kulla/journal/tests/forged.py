"""Forgeries: for each step of verification the ways to be false that must fail there, for every verifier of ours.

`RECEIPTS` change a receipt or its policy; those of forged_copies.py change the copy of the log that it is compared
with. The command's tests and the page's go through the same tables.
"""

import base64
import json
import string
from collections.abc import Callable
from dataclasses import dataclass, replace

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint
from kulla.journal.merkle import root_hash
from kulla.journal.note import CosignerKey, Signer, sign_note, split_note
from kulla.journal.receipt import Receipt
from kulla.journal.segment import parse_segment
from kulla.journal.store import segment_path
from kulla.journal.tests.demo import DemoJournal
from kulla.journal.verify import Step

INDEX = 301
ROUNDS = (300, 5, 400)


def receipt(journal: DemoJournal, index: int = INDEX) -> Receipt:
    """The receipt of an entry under the journal's last checkpoint."""
    segment = parse_segment(journal.folder.read(segment_path(*journal.folder.segment_at(index))))
    sealed = segment.sealed[index - segment.first]
    return Receipt.build(
        journal.folder, index, journal.note, journal.claims[index], sealed, segment.header, b"s" * 16
    )


@dataclass(frozen=True)
class Case:
    """A journal, one good receipt of it, and the policy that it satisfies. `text` and `policy` are what is shown."""

    journal: DemoJournal
    good: Receipt
    text: str
    policy: str

    @classmethod
    def of(cls, journal: DemoJournal) -> "Case":
        """A receipt that holds."""
        good = receipt(journal)
        return cls(journal, good, good.text, journal.policy)

    def proof(self, **changes: object) -> "Case":
        """The same receipt with other parts of its proof."""
        return replace(self, text=replace(self.good.proof, **changes).encode())  # type: ignore[arg-type]

    def extra(self, **fields: object) -> "Case":
        """The same receipt with other fields in its extra line."""
        return self.proof(extra=json.dumps({**json.loads(self.good.proof.extra or b""), **fields}).encode())

    def swap(self, old: str, new: str) -> "Case":
        """The same receipt with other text in it; the old must be there."""
        assert old in self.text
        return replace(self, text=self.text.replace(old, new, 1))

    def noted(self, body: str, *cosigners: CosignerKey, signer: Signer | None = None) -> "Case":
        """The same receipt under another checkpoint."""
        note = sign_note(body, (signer or self.journal.signer).sign)
        return self.proof(checkpoint_note=self.journal.cosigned(note, body, list(cosigners)))

    @property
    def body(self) -> str:
        """The text of the receipt's checkpoint."""
        return split_note(self.good.proof.checkpoint_note)[0]

    @property
    def checkpoint(self) -> Checkpoint:
        """The receipt's checkpoint."""
        return parse_checkpoint(self.body)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _last_line_flipped(case: Case) -> Case:
    """The last mirror's cosignature with one bit of it changed: right name, right key id, wrong signature."""
    head, last = case.good.proof.checkpoint_note[:-1].rsplit("\n", 1)
    name, _, coded = last.rpartition(" ")
    raw = bytearray(base64.b64decode(coded))
    raw[-1] ^= 1
    return case.proof(checkpoint_note=f"{head}\n{name} {b64(bytes(raw))}\n")


def _other_key(case: Case) -> Case:
    """The third mirror's name with a key that somebody else made."""
    first, second, _ = case.journal.mirrors
    return case.noted(case.body, first, CosignerKey.generate(second.name))


def _nested(case: Case, depth: int) -> str:
    """The policy with its group inside a group inside a group …"""
    lines = [f"group g{i} any {f'g{i - 1}' if i else 'mirrors'}\n" for i in range(depth)]
    return case.policy.replace("quorum mirrors\n", "".join(lines) + f"quorum g{depth - 1}\n")


def _limit(case: Case, size: int) -> str:
    """The line of a policy that makes the journal's key an earlier one, valid up to this size."""
    return f"#kulla key-until {case.journal.signer.key_id.hex()} {size}\n"


def _shorter(case: Case) -> Case:
    """A true signed checkpoint of the same journal from before this entry stood in it."""
    body = Checkpoint(case.checkpoint.origin, INDEX, bytes(32)).body()
    return case.noted(body, *case.journal.mirrors[:2])


def _respelt(case: Case) -> Case:
    """The last character before the padding has two bits that say nothing: decoders that pass them over are many."""
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    line = b64(case.good.proof.hashes[0])
    other = letters[letters.index(line[-2]) ^ 1]
    return case.swap(line, f"{line[:-2]}{other}=")


def _alone(case: Case, size: int) -> Case:
    """Everybody signs a checkpoint whose root is this very leaf, and the proof has no hashes to climb."""
    body = Checkpoint(case.checkpoint.origin, size, case.good.leaf_hash).body()
    note = sign_note(body, case.journal.signer.sign)
    return case.proof(checkpoint_note=case.journal.cosigned(note, body), hashes=())


def _other_root(case: Case) -> Case:
    """A second checkpoint of the same size, signed by everybody: the journal told two stories."""
    body = replace(case.checkpoint, root=b"\x01" * 32).body()
    return case.noted(body, *case.journal.mirrors)


def _other_claims(case: Case) -> Case:
    return case.extra(claims=b64(case.journal.claims[INDEX + 1]))


def _spelt(case: Case, change: Callable[[bytes], bytes]) -> Case:
    return case.extra(claims=b64(change(case.good.claims)))


Change = Callable[[Case], Case]

RECEIPTS: dict[str, tuple[Step, Change]] = {
    "a policy without a quorum": (
        Step.POLICY,
        lambda c: replace(c, policy=c.policy.replace("quorum mirrors\n", "")),
    ),
    "a policy naming one mirror twice": (
        Step.POLICY,
        lambda c: replace(c, policy=c.policy.replace("operator-1 operator-2", "operator-1 operator-1")),
    ),
    "a policy with one key under two names": (
        Step.POLICY,
        lambda c: replace(c, policy=f"witness again {c.journal.mirrors[0].vkey}\n" + c.policy),
    ),
    "a policy whose key has another id": (
        Step.POLICY,
        lambda c: replace(c, policy=c.policy.replace(f"+{c.journal.signer.key_id.hex()}+", "+00000000+")),
    ),
    "a policy asking for more than there are": (
        Step.POLICY,
        lambda c: replace(c, policy=c.policy.replace("group mirrors 2", "group mirrors 4")),
    ),
    "a policy of more groups than anybody can read": (
        Step.POLICY,
        lambda c: replace(c, policy=_nested(c, 1000)),
    ),
    "no mirror, for groups nested nine hundred deep": (
        Step.MIRRORS,
        lambda c: replace(c.noted(c.body), policy=_nested(c, 900)),
    ),
    "a policy with a line of another kind": (
        Step.POLICY,
        lambda c: replace(c, policy=c.policy + "trust me\n"),
    ),
    "a policy that limits a key it does not list": (
        Step.POLICY,
        lambda c: replace(c, policy=c.policy + "#kulla key-until 00000000 100\n"),
    ),
    "a policy whose limit of a key is misspelt": (
        Step.POLICY,
        lambda c: replace(c, policy=c.policy + f"#kulla key-untill {c.journal.signer.key_id.hex()} 100\n"),
    ),
    "a policy that limits a key twice": (
        Step.POLICY,
        lambda c: replace(c, policy=c.policy + _limit(c, 800) + _limit(c, 900)),
    ),
    "no receipt at all": (Step.RECEIPT, lambda c: replace(c, text="Takimi u rezervua.\n")),
    "another version of proof": (Step.RECEIPT, lambda c: c.swap("tlog-proof@v1", "tlog-proof@v2")),
    "a proof without its checkpoint": (
        Step.RECEIPT,
        lambda c: replace(c, text=c.text.split("\n\n")[0] + "\n\n"),
    ),
    "a proof without its extra line": (Step.RECEIPT, lambda c: c.proof(extra=None)),
    "an extra line of another version": (Step.RECEIPT, lambda c: c.extra(v=2)),
    "an extra line whose version is true": (Step.RECEIPT, lambda c: c.extra(v=True)),
    "an extra line in UTF-16": (
        Step.RECEIPT,
        lambda c: c.proof(extra=(c.good.proof.extra or b"").decode().encode("utf-16")),
    ),
    "an extra line that is not JSON": (Step.RECEIPT, lambda c: c.proof(extra=b'{"v": 1, "x": NaN}')),
    "an extra line without the payload": (Step.RECEIPT, lambda c: c.extra(sealed=None)),
    "a field that is not base64": (Step.RECEIPT, lambda c: c.extra(claims="%%%")),
    "an index with a leading zero": (Step.RECEIPT, lambda c: c.swap(f"index {INDEX}", f"index 0{INDEX}")),
    "an index in other digits": (Step.RECEIPT, lambda c: c.swap(f"index {INDEX}", "index ٣٠١")),
    "a hash of 31 bytes": (
        Step.RECEIPT,
        lambda c: c.proof(hashes=(c.good.proof.hashes[0][:31], *c.good.proof.hashes[1:])),
    ),
    "a hash in another spelling of its base64": (Step.RECEIPT, _respelt),
    "more hashes than any tree has": (Step.RECEIPT, lambda c: c.proof(hashes=(bytes(32),) * 64)),
    "claims of another version": (
        Step.CLAIMS,
        lambda c: _spelt(c, lambda b: b.replace(b"claims/1", b"claims/2")),
    ),
    "claims with a second salt": (
        Step.CLAIMS,
        lambda c: _spelt(c, lambda b: b + b"salt: " + b"0" * 32 + b"\n"),
    ),
    "claims with one name twice": (
        Step.CLAIMS,
        lambda c: _spelt(c, lambda b: b.replace(b"where:", b"what: other\nwhere:")),
    ),
    "claims that are not UTF-8": (
        Step.CLAIMS,
        lambda c: _spelt(c, lambda b: b.replace(b"Qendra", b"Qendr\xeb")),
    ),
    "claims in decomposed letters": (
        Step.CLAIMS,
        lambda c: _spelt(c, lambda b: b.replace(b"Qendra", "Qendre\u0308".encode())),
    ),
    "claims with a line break in a value": (
        Step.CLAIMS,
        lambda c: _spelt(c, lambda b: b.replace(b"Qendra", "Qendra\u2028paid: yes".encode())),
    ),
    "claims with a shouted name": (
        Step.CLAIMS,
        lambda c: _spelt(c, lambda b: b.replace(b"where:", b"Where:")),
    ),
    "a checkpoint that nobody signed": (
        Step.JOURNAL,
        lambda c: c.proof(checkpoint_note=c.good.proof.checkpoint_note.split("\n\n")[0] + "\n"),
    ),
    "a checkpoint of an unknown journal": (
        Step.JOURNAL,
        lambda c: c.noted(c.body, *c.journal.mirrors, signer=Signer.generate("other.example/journal")),
    ),
    "a journal of the right name with another key": (
        Step.JOURNAL,
        lambda c: c.noted(c.body, *c.journal.mirrors, signer=Signer.generate(c.journal.signer.name)),
    ),
    "a checkpoint of another origin under this key": (
        Step.JOURNAL,
        lambda c: c.noted(c.body.replace(c.checkpoint.origin, "other.example/journal"), *c.journal.mirrors),
    ),
    "an earlier key of the journal after its time": (
        Step.JOURNAL,
        lambda c: replace(c, policy=c.policy + _limit(c, 704)),
    ),
    "a checkpoint changed after signing": (Step.JOURNAL, lambda c: c.swap("\n705\n", "\n706\n")),
    "a size with a plus sign": (
        Step.JOURNAL,
        lambda c: c.noted(c.body.replace("\n705\n", "\n+705\n"), *c.journal.mirrors),
    ),
    "a root of 31 bytes": (
        Step.JOURNAL,
        lambda c: c.noted(replace(c.checkpoint, root=bytes(31)).body(), *c.journal.mirrors),
    ),
    "too many signatures": (
        Step.JOURNAL,
        lambda c: c.proof(checkpoint_note=c.good.proof.checkpoint_note + "— x.example AAAAAAAA\n" * 100),
    ),
    "no mirror at all": (Step.MIRRORS, lambda c: c.noted(c.body)),
    "one mirror": (Step.MIRRORS, lambda c: c.noted(c.body, c.journal.mirrors[0])),
    "one mirror named twice": (Step.MIRRORS, lambda c: c.noted(c.body, *[c.journal.mirrors[0]] * 2)),
    "one mirror's key under another's name": (
        Step.MIRRORS,
        lambda c: c.noted(
            c.body, c.journal.mirrors[0], CosignerKey(c.journal.mirrors[1].name, c.journal.mirrors[0].key)
        ),
    ),
    "a mirror's name with the wrong key": (Step.MIRRORS, _other_key),
    "a mirror's cosignature with one bit changed": (Step.MIRRORS, _last_line_flipped),
    "a mirror that signed another checkpoint": (
        Step.MIRRORS,
        lambda c: c.proof(
            checkpoint_note=c.noted(c.body, c.journal.mirrors[0]).text.split("\n\n", 1)[1]
            + c.journal.mirrors[1].cosign(c.body.replace("\n705\n", "\n706\n"), 1_795_000_000)
        ),
    ),
    "mirrors that sign without their time": (
        Step.MIRRORS,
        lambda c: c.proof(
            checkpoint_note=sign_note(
                c.body, c.journal.signer.sign, *[Signer(m.name, m.key).sign for m in c.journal.mirrors]
            )
        ),
    ),
    "the proof of another index": (Step.INCLUSION, lambda c: c.swap(f"index {INDEX}", f"index {INDEX + 1}")),
    "an index beyond the tree": (Step.INCLUSION, lambda c: c.swap(f"index {INDEX}", "index 705")),
    "the claims of another entry": (Step.INCLUSION, _other_claims),
    "claims with another word": (
        Step.INCLUSION,
        lambda c: _spelt(c, lambda b: b.replace(b"Qendra", b"Spital")),
    ),
    "claims left out": (Step.INCLUSION, lambda c: c.extra(claims="")),
    "another payload": (Step.INCLUSION, lambda c: c.extra(sealed=b64(b"another payload"))),
    "a proof that is one hash too short": (
        Step.INCLUSION,
        lambda c: c.proof(hashes=c.good.proof.hashes[:-1]),
    ),
    "a proof that is one hash too long": (
        Step.INCLUSION,
        lambda c: c.proof(hashes=(*c.good.proof.hashes, bytes(32))),
    ),
    "a proof with two hashes swapped": (
        Step.INCLUSION,
        lambda c: c.proof(hashes=(c.good.proof.hashes[1], c.good.proof.hashes[0], *c.good.proof.hashes[2:])),
    ),
    "a hash that would fit a smaller tree": (Step.INCLUSION, lambda c: _alone(c, 705)),
    "an index beyond a tree of this leaf alone": (Step.INCLUSION, lambda c: _alone(c, 1)),
    "a checkpoint of a shorter tree": (Step.INCLUSION, _shorter),
    "a second checkpoint of the same size": (Step.INCLUSION, _other_root),
    "the empty tree": (
        Step.INCLUSION,
        lambda c: c.noted(Checkpoint(c.checkpoint.origin, 0, root_hash([])).body(), *c.journal.mirrors),
    ),
}
