"""Policies: the whole grammar, what it refuses, and quorums that count each key once."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.errors import FormatError, PolicyError
from kulla.journal.note import CosignerKey, Signer, sign_note
from kulla.journal.policy import Policy
from kulla.journal.proof import Proof

ORIGIN = "demo.example/journal"


def key(number: int) -> Ed25519PrivateKey:
    """The same key in each run: the names of parametrised tests must not change."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


LOG = Signer(ORIGIN, key(0))
X = [CosignerKey(f"x{i}.example", key(10 + i)) for i in range(3)]
Y = [CosignerKey(f"y{i}.example", key(20 + i)) for i in range(3)]
BODY = Checkpoint(ORIGIN, 5, bytes(32)).body()

SPEC = f"""# the specification's example
log {LOG.vkey}

\twitness X1 {X[0].vkey} http://127.0.0.1:1
witness X2   {X[1].vkey}
witness X3 {X[2].vkey}\t
group X-witnesses 2 X1 X2 X3

witness Y1 {Y[0].vkey}
witness Y2 {Y[1].vkey}
witness Y3 {Y[2].vkey}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
 # indented
quorum X-and-Y
"""


def note(*cosigners: CosignerKey) -> str:
    return sign_note(BODY, LOG.sign) + "".join(
        c.cosign(BODY, 1700000000 + i) for i, c in enumerate(cosigners)
    )


def test_the_specifications_example() -> None:
    policy = Policy.parse(SPEC)
    assert [(w.name, w.url) for w in policy.witnesses][:2] == [("X1", "http://127.0.0.1:1"), ("X2", None)]
    checked = policy.check(note(X[0], X[2], Y[1]))
    assert checked.checkpoint == Checkpoint(ORIGIN, 5, bytes(32))
    assert checked.cosigned == {"X1": 1700000000, "X3": 1700000001, "Y2": 1700000002}
    for too_few in [(), (X[0], Y[0]), tuple(X), tuple(Y), (X[0], X[0], Y[0])]:
        with pytest.raises(PolicyError, match="not the quorum"):
            policy.check(note(*too_few))


def test_a_checkpoint_needs_the_signature_of_a_listed_log_of_that_name() -> None:
    policy = Policy.parse(SPEC)
    other = Signer.generate("other.example/log")
    cosigned = "".join(c.cosign(BODY, 1) for c in (*X, *Y))
    with pytest.raises(PolicyError, match="not signed by a journal"):
        policy.check(sign_note(BODY, other.sign) + cosigned)
    both = Policy.parse(SPEC + f"log {other.vkey}\n")
    with pytest.raises(PolicyError, match="not signed by a journal"):
        both.check(sign_note(BODY, other.sign) + cosigned)  # a listed log, but not this origin's
    with pytest.raises(PolicyError, match="does not verify"):
        policy.check(note(*X, *Y).replace(BODY, BODY.replace("\n5\n", "\n6\n")))
    with pytest.raises(PolicyError, match="three or more"):
        policy.check(sign_note("text\n", LOG.sign))


def test_quorum_none_and_a_single_witness() -> None:
    assert Policy.parse(f"quorum none\nlog {LOG.vkey}").check(note()).cosigned == {}
    one = Policy.parse(f"witness only {X[0].vkey}\nquorum only\nlog {LOG.vkey}\n")
    assert one.check(note(X[0])).cosigned == {"only": 1700000000}
    with pytest.raises(PolicyError):
        one.check(note(X[1]))


def test_names_are_opaque_octets() -> None:
    kelvin = "witness \u212a ".encode() + X[0].vkey.encode()
    latin = b"witness \xe9 " + X[1].vkey.encode()
    policy = Policy.parse(kelvin + b"\n" + latin + b"\ngroup g all \xe2\x84\xaa \xe9\nquorum g\n# \xff\n")
    assert len(policy.witnesses) == 2
    with pytest.raises(PolicyError, match="Line 2"):
        Policy.parse(kelvin + b"\nquorum K\n")
    assert Policy.parse(SPEC).fingerprint != Policy.parse(SPEC + "\n").fingerprint


W = f"witness a {X[0].vkey}\nwitness b {X[1].vkey}\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no quorum line"),
        (W, "no quorum line"),
        (W + "quorum a\nquorum b\n", "Line 4 of the policy: there is a quorum already"),
        (W + "quorum c\n", "c is not defined above"),
        ("quorum a\n" + W, "Line 1 of the policy: a is not defined above"),
        (W + "group g any a c\nquorum g\n", "c is not defined above"),
        (W + "group g any none\nquorum none\n", "none is not defined above"),
        (W + "group g 3 a b\nquorum g\n", "more members than it has"),
        (W + "group g 0 a b\nquorum g\n", "all, any or a number"),
        (W + "group g 01 a b\nquorum g\n", "all, any or a number"),
        (W + "group g some a b\nquorum g\n", "all, any or a number"),
        (W + "group g any\nquorum g\n", "needs members"),
        (W + "group g any a a\nquorum g\n", "member of a group already"),
        (W + "group g any a\ngroup h any a g\nquorum h\n", "member of a group already"),
        (W + "group a any b\nquorum a\n", "the name a is taken"),
        (W + "group none any b\nquorum none\n", "the name none is taken"),
        (W + f"witness a {X[2].vkey}\nquorum a\n", "the name a is taken"),
        (W + f"witness c {X[0].vkey}\nquorum a\n", "listed twice"),
        (W + f"witness c {CosignerKey('z.example', X[0].key).vkey}\nquorum a\n", "listed twice"),
        (f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n", "listed twice"),
        (f"witness c {LOG.vkey}\nquorum c\n", "cosignature key"),
        ("log x\nquorum none\n", "name[+]id[+]key"),
        ("quorum\n", "not a line of a policy"),
        ("Quorum none\n", "not a line of a policy"),
        ("log a b c\n", "not a line of a policy"),
        ("quorum none\r\n", "control characters"),
        ("quorum none # none\n", "not a line of a policy"),
        ("quorum\u00a0none\n", "not a line of a policy"),
    ],
)
def test_bad_policies_are_refused_with_line_and_reason(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError, match=sentence):
        Policy.parse(text)


# --- proofs -----------------------------------------------------------------------------------------------------


def test_proofs_have_the_specified_lines() -> None:
    proof = Proof(73894, (bytes(32), bytes(31) + b"\1"), note(), b"age-v1.2.1")
    text = proof.encode()
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMQ==\nindex 73894\nAAAA")
    assert "AAE=\n\ndemo.example/journal\n5\n" in text
    assert Proof.parse(text) == proof
    bare = Proof(0, (), note())
    assert Proof.parse(bare.encode()) == bare


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 1", "index 01"),
        ("index 1", "Index 1"),
        ("index 1\n", ""),
        ("extra eA==\nindex 1", "index 1\nextra eA=="),
        ("extra eA==", "extra eA="),
        ("AAAA=\n", "AAA=\n"),
        ("\n\n", "\n"),
    ],
)
def test_bad_proofs_are_refused(old: str, new: str) -> None:
    text = Proof(1, (bytes(32),), note(), b"x").encode()
    assert old in text
    with pytest.raises(FormatError):
        Proof.parse(text.replace(old, new))
