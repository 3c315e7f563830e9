# ruff: noqa: E501  (the examples stand here as in the specifications)
"""Notes and checkpoints against the examples of the C2SP specifications, and what must be refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint
from kulla.journal.errors import NoteError
from kulla.journal.note import (
    CosignerKey,
    Signer,
    key_id,
    open_note,
    parse_vkey,
    sign_note,
    split_note,
    unb64,
)

# signed-note.md, "Example"
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
# signed-note.md, "Format": a text with an empty line in it
POEM = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""
# tlog-cosignature.md, the example with a cosignature
SOFA = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


def test_the_specifications_example_verifies() -> None:
    note = open_note(FOO_NOTE, [parse_vkey(FOO)])
    assert note.text == "This is an example message.\n"
    assert [(s.name, s.timestamp) for s in note.signatures] == [("example.com/foo", None)]
    assert parse_vkey(FOO).vkey == FOO


def test_a_note_is_split_at_its_last_empty_line() -> None:
    text, lines = split_note(POEM)
    assert text.endswith("raggio di sole:\n\ned è subito sera.\n")
    assert [(name, ident.hex()) for name, ident, _, _ in lines] == [
        ("quasimodo.example/salvatore", unb64("NnugSw==").hex())
    ]


def test_the_cosignature_example_has_the_layout_that_is_read_here() -> None:
    text, lines = split_note(SOFA)
    assert parse_checkpoint(text).size == 20852163
    name, ident, signature, _ = lines[1]
    assert (name, ident) == ("witness.example.com/w1", unb64("jWbPPw=="))
    assert len(signature) == 72
    assert (
        int.from_bytes(signature[:8], "big") == 1679315147
    )  # the time in the specification's signed message


def test_cosignatures_carry_their_time_and_verify() -> None:
    log, mirror = Signer.generate("demo.example/journal"), CosignerKey.generate("m1.example")
    body = Checkpoint("demo.example/journal", 7, bytes(32)).body()
    text = sign_note(body, log.sign) + mirror.cosign(body, 1679315147)
    note = open_note(text, [log.verifier, parse_vkey(mirror.vkey)])
    assert [(s.name, s.timestamp) for s in note.signatures] == [
        ("demo.example/journal", None),
        ("m1.example", 1679315147),
    ]
    assert mirror.key_id == key_id("m1.example", 0x04, mirror.public)
    mirror.key.public_key().verify(
        unb64(text.split(" ")[-1].strip())[12:], f"cosignature/v1\ntime 1679315147\n{body}".encode()
    )
    later = text.replace(text.split("\n")[-2], mirror.cosign(body + "x\n", 1679315147).strip())
    with pytest.raises(NoteError, match=r"m1\.example does not verify"):
        open_note(later, [log.verifier, mirror.verifier])


def test_the_same_key_as_log_and_cosigner_has_two_ids() -> None:
    log = Signer.generate("a.example")
    assert CosignerKey("a.example", log.key).key_id != log.key_id


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        (FOO_NOTE.replace("example message", "exemple message"), "does not verify"),
        (FOO_NOTE.replace("example.com/foo", "example.com/bar"), "not signed by a key"),
        (FOO_NOTE.replace("Uw2QOkn8", "Uw2QOkn9"), "does not verify"),
        (FOO_NOTE.replace("— ", "- "), "malformed"),
        (FOO_NOTE[:-1], "complete signature line"),
        (FOO_NOTE.replace("\n\n", "\n"), "no signatures"),
        (FOO_NOTE.replace("This", "This\t"), "control characters"),
        (FOO_NOTE.replace("yaQM=", "yaQN="), "canonical"),
        (FOO_NOTE + "— example.com/foo !!!!\n", "base64"),
        (FOO_NOTE + "— example.com/foo AAAA\n", "too short"),
        (FOO_NOTE + FOO_NOTE.split("\n")[2] * 1 + "\n" + ("— x AAAAAAAA\n" * 100), "too many"),
    ],
)
def test_bad_notes_are_refused_with_a_sentence(note: str, sentence: str) -> None:
    with pytest.raises(NoteError, match=sentence):
        open_note(note, [parse_vkey(FOO)])


def test_a_repeated_signature_counts_once_and_unknown_ones_are_passed_over() -> None:
    line = FOO_NOTE.split("\n")[2] + "\n"
    note = open_note(FOO_NOTE + line + "— example.com/foo AAAAAAAA\n", [parse_vkey(FOO)])
    assert len(note.signatures) == 1


def test_notes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(NoteError, match="UTF-8"):
        open_note(b"\xff\n\n", [])


@pytest.mark.parametrize(
    "vkey",
    [
        "example.com/foo",
        FOO.replace("530d903a", "530D903A"),
        FOO.replace("530d903a", "530d903b"),
        FOO.replace("AekyeR", "BekyeR"),
        FOO.replace("example.com/foo", "example.com foo"),
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        FOO[:-4],
    ],
)
def test_bad_verifier_keys_are_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        parse_vkey(vkey)


def test_private_keys_survive_as_text_and_are_bound_to_their_kind() -> None:
    signer = Signer.generate("a.example/log")
    assert Signer.from_skey(signer.skey + "\n").vkey == signer.vkey
    with pytest.raises(NoteError, match="not of the kind"):
        CosignerKey.from_skey(signer.skey)
    with pytest.raises(NoteError, match="wrong key id"):
        Signer.from_skey(signer.skey.replace("a.example", "b.example"))


@settings(max_examples=40, deadline=None)
@given(st.text(), st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_round_trip_or_are_refused(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    if origin and "\n" not in origin:
        assert parse_checkpoint(checkpoint.body()) == checkpoint
    else:
        with pytest.raises(NoteError):
            parse_checkpoint(checkpoint.body())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
        "a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n٣\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n9223372036854775808\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n1\nCsUY\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nx\n",
    ],
)
def test_bad_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)
