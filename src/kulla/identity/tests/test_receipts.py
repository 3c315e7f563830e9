"""Receipts: who may see one, and that no page says "received" too early."""

import io
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pypdf
import pytest
from django.conf import LazySettings
from django.utils import translation

from kulla.identity import receipts
from kulla.identity.pdf import receipt_pdf
from kulla.identity.tests.conftest import CLAIMS, Visitors, browser
from kulla.identity.tests.test_verify import one_mirror_policy
from kulla.journal.claims import Claims
from kulla.registry import door

pytestmark = pytest.mark.django_db
Make = Callable[..., UUID]
TOO_EARLY = ("Received", "U pranua", "booked", "rezervuar", "Check code", "receipt.pdf", "tlog-proof")


@pytest.mark.parametrize("state", ["waiting", "late"])
@pytest.mark.parametrize("path", ["", "status"])
@pytest.mark.parametrize("language", ["en", "sq"])
def test_nothing_says_received_too_early(
    signed_in: Visitors, make_receipt: Make, state: str, path: str, language: str
) -> None:
    """Neither the page nor the fragment that turns by itself, in no language."""
    uuid = make_receipt(state)
    page = signed_in(signed_in.keeper.arta, language).get(f"/receipts/{uuid}/{path}").content.decode()
    about = page.split("<title>")[-1].split("</title>")[0] + page.split("<main")[-1].split("</main>")[0]
    for words in TOO_EARLY:
        assert words not in about
    expected = {
        ("waiting", "en"): "Being put in safe keeping",
        ("waiting", "sq"): "Po vihet në ruajtje të sigurt",
        ("late", "en"): "Not yet confirmed",
        ("late", "sq"): "Ende e pakonfirmuar",
    }
    assert expected[state, language] in page
    assert 'hx-trigger="every 1s"' in page
    assert ('http-equiv="refresh"' in page) == (path == "")


def test_lists_say_it_only_when_it_is_so(signed_in: Visitors, make_receipt: Make) -> None:
    """My page names the service until the entry is received, and what happened from then on."""
    arta = signed_in(signed_in.keeper.arta)
    make_receipt("late")
    main = arta.get("/my").content.decode().split("<main")[1].split("</main>")[0]
    assert "Not yet confirmed" in main and "booked" not in main
    make_receipt("received")
    assert "Appointment booked" in arta.get("/my").content.decode()


@pytest.mark.parametrize("file", ["receipt.tlog-proof", "receipt.txt", "receipt.pdf"])
def test_there_is_no_proof_before_the_receipt(signed_in: Visitors, make_receipt: Make, file: str) -> None:
    """Nothing to download that could be shown as one."""
    uuid = make_receipt("waiting")
    assert signed_in(signed_in.keeper.arta).get(f"/receipts/{uuid}/{file}").status_code == 404


def test_a_received_one_says_so_and_stops_asking(signed_in: Visitors, make_receipt: Make) -> None:
    """With the claims in words, the check code and the files."""
    uuid = make_receipt("received")
    answer = signed_in(signed_in.keeper.arta).get(f"/receipts/{uuid}/")
    page = answer.content.decode()
    assert "Received: Appointment booked" in page and "Check code" in page
    assert "Arta Hoxha" in page and "Takim: Pediatër" in page
    assert "Tuesday 24 November 2026 at 09:30" in page
    assert "hx-trigger" not in page and "http-equiv" not in page
    assert "salt" not in page and "commitment" not in page
    assert answer["Cache-Control"] == "no-store"


def test_a_guardian_sees_the_childs(signed_in: Visitors, make_receipt: Make) -> None:
    """With the child's name on it."""
    uuid = make_receipt("received", child=True)
    assert "Besa Hoxha" in signed_in(signed_in.keeper.arta).get(f"/receipts/{uuid}/").content.decode()


@pytest.mark.parametrize("file", ["", "status", "receipt.tlog-proof", "receipt.txt", "receipt.pdf"])
def test_for_everyone_else_it_does_not_exist(signed_in: Visitors, make_receipt: Make, file: str) -> None:
    """A stranger, an office that it does not concern, the operator; and an id that nobody made."""
    keeper = signed_in.keeper
    uuid = make_receipt("received")
    for member in (keeper.dritan, keeper.ilir):
        assert signed_in(member).get(f"/receipts/{uuid}/{file}").status_code == 404, member.name
    assert signed_in(keeper.arta).get(f"/receipts/{uuid4()}/{file}").status_code == 404
    assert browser().get(f"/receipts/{uuid}/{file}").status_code == 302


def test_the_office_sees_it_and_the_citizen_sees_that(signed_in: Visitors, make_receipt: Make) -> None:
    """A clerk's look at a receipt is one line on the citizen's page."""
    keeper = signed_in.keeper
    uuid = make_receipt("received", office=keeper.office_1)
    clerk = signed_in(keeper.vjosa)
    assert clerk.get(f"/receipts/{uuid}/status").status_code == 200
    page = clerk.get(f"/receipts/{uuid}/")
    assert page.status_code == 200
    assert "Arta Hoxha" in page.content.decode()
    looks = signed_in(keeper.arta).get("/my/looks").content.decode()
    assert "Poliklinika Nr. 1, Tiranë" in looks
    assert "Receptionist" in looks and "a receipt was opened" in looks


def test_the_keeper_away_leaves_the_status(signed_in: Visitors, make_receipt: Make, settings: object) -> None:
    """What is known without it stays: whether the entry is safe."""
    uuid = make_receipt("received")
    arta = signed_in(signed_in.keeper.arta)
    assert arta.get(f"/receipts/{uuid}/").status_code == 200
    settings.KULLA_KEEPER_SOCKET = "/nonexistent/keeper.sock"  # type: ignore[attr-defined]
    door.keeper.cache_clear()
    page = arta.get(f"/receipts/{uuid}/")
    assert page.status_code == 200
    assert "cannot be opened for a moment" in page.content.decode()
    assert "Check code" in page.content.decode()


def test_claims_in_words() -> None:
    """The exact time becomes words; proofs for machines are left out; what is no claim is no page's error."""
    plain = Claims((*CLAIMS, ("holder", "ab" * 32))).encode()
    with translation.override("sq"):
        words = {str(label): text for label, text in receipts.words_of(plain)}
    assert words["Kur"] == "e martë, 24 nëntor 2026, ora 09:30"
    assert words["Çfarë"] == "Takim: Pediatër"
    assert len(words) == 3
    assert receipts.words_of(b"nonsense") == []
    assert (
        receipts.in_words("2026-13-99 99:99 +01:00 Europe/Tirane") == "2026-13-99 99:99 +01:00 Europe/Tirane"
    )


@pytest.mark.parametrize(
    "who", ["Arta Hoxha", "Gjergj Kastrioti-Skënderbeu Muzaka Dukagjini " * 5, "Łukasz Żółć", "Αθηνά Νίκου"]
)
def test_the_paper(who: str) -> None:
    """One page, everything on it, the proof attached as it is; long and foreign names too."""
    lines = receipts.words_of(Claims(CLAIMS).encode())
    with translation.override("sq"):
        body = receipt_pdf(
            title={"sq": "Takim i rezervuar", "en": "Appointment booked"},
            who=who,
            lines=lines,
            check_code="ABCD-EFGH",
            leaf_hash=b"\x01" * 32,
            received_ms=1_795_509_000_000,
            address="https://kulla.example/receipts/x/",
            policy_fingerprint="cd" * 32,
            proof="c2sp.org/tlog-proof@v1\nextra ë\n",
            language="sq",
        )
    reader = pypdf.PdfReader(io.BytesIO(body))
    assert len(reader.pages) == 1
    text = " ".join(reader.pages[0].extract_text().split())
    for words in (
        "ABCD-EFGH",
        "Takim i rezervuar",
        "Appointment booked",
        "Kush",
        "Who",
        "Kur",
        "When",
        "cd" * 32,
    ):
        assert words in text
    assert " ".join(who.split())[:40] in text
    assert reader.attachments["kulla-ABCD-EFGH.tlog-proof"][0].decode() == "c2sp.org/tlog-proof@v1\nextra ë\n"


def test_only_a_received_one_leads_to_the_page_at_a_mirror(
    signed_in: Visitors, make_receipt: Make, settings: LazySettings, tmp_path: Path
) -> None:
    settings.KULLA_POLICY = tmp_path / "policy"
    settings.KULLA_POLICY.write_text(one_mirror_policy())
    visitor = signed_in(signed_in.keeper.arta, "en")
    link = 'href="http://127.0.0.1:7/verify"'
    assert link in visitor.get(f"/receipts/{make_receipt('received')}/").content.decode()
    assert link not in visitor.get(f"/receipts/{make_receipt('waiting')}/").content.decode()
