"""A receipt whose fact no journal holds any more is handed in, and the fact comes back."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from kulla.journal.receipt import Receipt
from kulla.journal.store import LogFolder
from kulla.journal.verify import ReceiptInvalid, Step
from kulla.record import api, handing_in, rebuild
from kulla.record.errors import RecordError
from kulla.record.handing_in import HandedIn, Item
from kulla.record.models import Entry
from kulla.record.tests.conftest import HOME, Country

pytestmark = pytest.mark.django_db(transaction=True)


def settle(country: Country) -> None:
    """Every mirror holds everything."""
    from kulla.record.tests.test_rebuild import settle as until_level

    until_level(country)


class Lost:
    """A country of which only backups of one moment are left; `receipts` of what came after."""

    def __init__(self, country: Country, tmp_path: Path) -> None:
        self.country, self.kept = country, tmp_path / "kept"
        self.receipts: list[str] = []

    def remember(self) -> None:
        """From here on everything will be lost."""
        settle(self.country)
        for number, folder in enumerate(self.country.mirror_folders()):
            shutil.copytree(folder, self.kept / str(number))

    def receipt_of(self, uuid: UUID) -> None:
        """Receive what waits and keep the receipt."""
        self.country.receive()
        self.receipts.append(api.receipt(uuid, b"", None))

    def lose(self) -> None:
        """Portal and mirrors are gone; all go on from the backups."""
        country = self.country
        for sequencer in country.sequencers:
            sequencer.close()
        country.sequencers.clear()
        for number, (mirror, folder) in enumerate(
            zip(country.mirrors, country.mirror_folders(), strict=True)
        ):
            mirror.stop()
            shutil.rmtree(folder)
            shutil.copytree(self.kept / str(number), folder)
            mirror.start()
        call_command("flush", interactive=False, verbosity=0)
        shutil.rmtree(country.folder.path)
        rebuild.rebuild(
            mirrors=[mirror.home for mirror in country.mirrors],
            rebuild_key=country.rebuild_key.private_bytes_raw(),
            policy=country.policy,
            journal=country.folder.path,
            pass_over=False,
        )
        country.folder = LogFolder(country.folder.path)
        country.receive()

    def items(self) -> list[Item]:
        """What waits, opened."""
        found = list(handing_in.waiting(self.country.segment_key))
        assert all(isinstance(item, Item) for item in found), found
        return found


@pytest.fixture
def lost(country: Country, tmp_path: Path) -> Lost:
    return Lost(country, tmp_path)


def policy_of(country: Country) -> str:
    from kulla.mirror.testkit import make_policy

    return make_policy(country.signer.vkey, country.mirrors, 2)


def test_what_only_a_receipt_holds_comes_back(app: ModuleType, record: Callable, lost: Lost) -> None:
    country, policy = lost.country, policy_of(lost.country)
    with record() as early:
        office = app.Office.objects.create(home=HOME, name="e para")
        tag = app.Tag.objects.create(home=HOME, word="mbetur")
    country.receive()
    early_receipt = api.receipt(early.uuid, b"", None)
    lost.remember()
    with record() as first:
        doctor = app.Doctor.objects.create(home=HOME, office=office, name="Dr. Ëndërr")
        app.Office.objects.filter(pk=office.pk).update(name="e dyta")
        tag.delete()
    lost.receipt_of(first.uuid)
    with record() as second:
        app.Doctor.objects.filter(pk=doctor.pk).update(seen=3)
    lost.receipt_of(second.uuid)
    lost.lose()
    assert not app.Doctor.objects.exists()

    assert handing_in.hand_in(early_receipt, policy).outcome == "known"
    codes = [handing_in.hand_in(text, policy) for text in reversed(lost.receipts)]
    assert [each.outcome for each in codes] == ["taken", "taken"]
    assert handing_in.hand_in(lost.receipts[0], policy) == handing_in.Handed("waiting", codes[1].check_code)
    one, _ = lost.items()  # in the journal's order, not in that of handing in
    assert {(image.table, said) for image, said in one.rows} == {
        ("record_try_office", "older"),
        ("record_try_doctor", "missing"),
        ("record_try_tag", "older"),
    }

    handing_in.bring_back(one, "test")
    assert app.Office.objects.get().name == "e dyta"
    assert app.Doctor.objects.get(pk=doctor.pk).seen == 0
    assert not app.Tag.objects.exists()  # what was deleted is deleted again
    handing_in.bring_back(lost.items()[0], "test")
    assert app.Doctor.objects.get(pk=doctor.pk).seen == 3
    assert lost.items() == []
    assert handing_in.hand_in(lost.receipts[0], policy).outcome == "waiting"
    country.receive()
    kinds = list(Entry.objects.order_by("index").values_list("kind", flat=True))
    assert kinds[-2:] == ["record.brought_back"] * 2


def test_what_is_newer_or_taken_is_left(app: ModuleType, record: Callable, lost: Lost) -> None:
    policy = policy_of(lost.country)
    with record():
        tag = app.Tag.objects.create(home=HOME, word="fjalë")
    lost.country.receive()
    lost.remember()
    with record() as changed:
        app.Tag.objects.filter(pk=tag.pk).update(word="e-humbur")
    lost.receipt_of(changed.uuid)
    with record() as made:
        app.Tag.objects.create(home=HOME, word="vendi")
    lost.receipt_of(made.uuid)
    lost.lose()
    with record():
        app.Tag.objects.create(home=HOME, word="vendi")  # the same place, given to somebody else
    for number in range(2):
        with record():
            app.Tag.objects.filter(pk=tag.pk).update(word=f"e-re-{number}")
    for text in lost.receipts:
        handing_in.hand_in(text, policy)
    newer, taken = lost.items()

    assert [said for _, said in handing_in.bring_back(newer, "test")] == ["newer"]
    assert app.Tag.objects.get(pk=tag.pk).word == "e-re-1"
    with pytest.raises(IntegrityError):
        handing_in.bring_back(taken, "test")
    assert [item.check_code for item in lost.items()] == [taken.check_code]
    handing_in.set_aside(taken.kept, "test", "the place was given to somebody else")
    assert lost.items() == []
    assert HandedIn.objects.get(done="aside").reason == "the place was given to somebody else"


@pytest.mark.parametrize("part", ["sealed", "claims", "segment"])
def test_a_forged_receipt_is_not_taken(app: ModuleType, record: Callable, lost: Lost, part: str) -> None:
    policy = policy_of(lost.country)
    with record() as made:
        app.Tag.objects.create(home=HOME, word="fjalë")
    lost.receipt_of(made.uuid)
    receipt = Receipt.parse(lost.receipts[0])
    changed = {
        "sealed": lambda: forged(receipt, sealed=receipt.sealed[:-1] + bytes([receipt.sealed[-1] ^ 1])),
        "claims": lambda: forged(receipt, claims=b"kulla-claims/1\n"),
        "segment": lambda: lost.receipts[0].replace("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
    }[part]()
    with pytest.raises(ReceiptInvalid) as refused:
        handing_in.hand_in(changed, policy)
    assert refused.value.step in {Step.INCLUSION, Step.CLAIMS, Step.RECEIPT}
    assert not HandedIn.objects.exists()


def forged(receipt: Receipt, **changes: bytes) -> str:
    """The receipt's text with other parts under the same proof."""
    import json
    from dataclasses import replace

    from kulla.journal.note import b64

    fields = json.loads(receipt.proof.extra or b"")
    fields |= {name: b64(value) for name, value in changes.items()}
    return replace(receipt.proof, extra=json.dumps(fields, separators=(",", ":")).encode()).encode()


def test_a_changed_header_waits_and_says_that_it_does_not_open(
    app: ModuleType, record: Callable, lost: Lost
) -> None:
    """The segment's header is not under the leaf: whoever changes it hands in what nobody can open."""
    with record():
        app.Tag.objects.create(home=HOME, word="i-parë")
    lost.country.receive()
    lost.remember()
    with record() as made:
        app.Tag.objects.create(home=HOME, word="fjalë")
    lost.receipt_of(made.uuid)
    lost.lose()
    receipt = Receipt.parse(lost.receipts[0])
    header = bytearray(receipt.segment_header)
    header[-1] ^= 1
    assert (
        handing_in.hand_in(forged(receipt, segment=bytes(header)), policy_of(lost.country)).outcome == "taken"
    )
    (said,) = list(handing_in.waiting(lost.country.segment_key))
    assert "does not open" in str(said)


def test_a_fact_that_stands_is_not_brought_back_twice(app: ModuleType, record: Callable, lost: Lost) -> None:
    with record():
        app.Tag.objects.create(home=HOME, word="i-parë")
    lost.country.receive()
    lost.remember()
    with record() as made:
        app.Tag.objects.create(home=HOME, word="fjalë")
    lost.receipt_of(made.uuid)
    lost.lose()
    handing_in.hand_in(lost.receipts[0], policy_of(lost.country))
    (item,) = lost.items()
    handing_in.bring_back(item, "test")
    with pytest.raises(RecordError):
        handing_in.bring_back(item, "test")
    assert app.Tag.objects.count() == 2
