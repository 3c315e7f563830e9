"""The pages of my data, as people use them, and as attackers try them."""

import csv
import io
import json
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override

from kulla.identity.my_data import held, tables, words
from kulla.identity.my_data.pdf import my_data_pdf
from kulla.identity.my_data.tests.conftest import (
    ARTA,
    DORINA,
    DRITAN,
    EDLIRA,
    ILIR,
    MERITA,
    OFFICE_1,
    TJETRA,
    VJOSA,
    People,
)
from kulla.identity.my_data.tests.test_grouping import look
from kulla.identity.tests.conftest import browser
from kulla.keeper.my_data.delays import KIND as DELAY
from kulla.keeper.my_data.settings import GROUPS, NEEDS
from kulla.keeper.my_data.tests.test_documents import chunk, png
from kulla.registry import door
from kulla.web import uploads

CITIZENS = ("/my/looks", "/my/looks.csv", "/my/looks.json", "/my/data", "/my/settings", "/my/data/correct",
            "/my/data/erase")  # fmt: skip
OFFICIALS = ("/questions/", "/questions/order", "/registry-desk/")


def text(visitor: Client, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def asks(page: str) -> list[str]:
    return re.findall(r'href="(/my/looks/[0-9a-f-]{36}/ask)"', page)


# Who looked ----------------------------------------------------------------------------------------------


def test_everything_works_in_both_languages(people: People) -> None:
    people.look()
    for language, title in (("en", "Who looked at my data"), ("sq", "Kush i pa të dhënat e mia")):
        arta = people.browser(ARTA, language)
        assert title in text(arta, "/my/looks")
        for path in CITIZENS:
            answer = arta.get(path)
            assert answer.status_code == 200 and answer["Cache-Control"] == "no-store", path
        assert browser(language).get("/transparency").status_code == 200
    edlira, merita = people.browser(EDLIRA), people.browser(MERITA)
    assert "Requests to the register" in text(edlira, "/registry-desk/")
    assert "Questions about looks" in text(merita, "/questions/")
    for path in CITIZENS:
        assert edlira.get(path).status_code == 404
    for path in OFFICIALS:
        assert people.browser(ARTA).get(path).status_code == 404
    assert merita.get("/registry-desk/").status_code == 404 and edlira.get("/questions/").status_code == 404


def test_filters_and_pages(people: People) -> None:
    """A filter stays while pages are turned; one that is wrong says so; a place that is none does not exist."""
    for _time in range(3):
        people.look()
    arta = people.browser(ARTA)
    page = text(arta, f"/my/looks?office={OFFICE_1}&since_0=1&since_1=1&since_2=2026")
    assert "Poliklinika Nr. 1" in page and f"my/looks.csv?office={OFFICE_1}" in page
    assert "No look is like that." in text(arta, "/my/looks?refused=on&until_0=1&until_1=1&until_2=2020")
    wrong = text(arta, "/my/looks?until_0=45&until_1=1&until_2=2020&office=nothing&whose=1")
    assert "There is no such day in the calendar" in wrong
    for guess in (uuid4(), "x", UUID(int=1)):
        assert arta.get(f"/my/looks?before={guess}").status_code == 404


def test_more_than_a_page(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older ones follow, none twice; the file has all of them."""
    from kulla.identity.my_data.views import looks

    for _time in range(5):
        people.look()
    monkeypatch.setattr(looks, "PAGE", 2)
    monkeypatch.setattr(looks, "IN_FILE", 2)
    arta = people.browser(ARTA)
    seen, path = [], "/my/looks"
    while path:
        page = text(arta, path)
        seen += asks(page) + re.findall(r'href="(/my/questions/[^"]+)"', page.split('id="questions"')[0])
        following = re.search(r'href="(/my/looks\?before=[0-9a-f-]{36})" rel="next"', page)
        path = following[1] if following else ""
    assert len(seen) == len(set(seen)) >= 5
    rows = list(csv.reader(io.StringIO(arta.get("/my/looks.csv").content.decode("utf-8-sig"))))
    assert len(rows) == len(json.loads(arta.get("/my/looks.json").content)["looks"]) + 1
    assert len(rows) - 1 >= len(seen)


def test_cells_no_spreadsheet_computes() -> None:
    """A BOM, every cell quoted, what begins like a formula is text."""
    for evil in ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "=cmd|' /C calc'!A0", "＝1"):
        assert tables.harmless(evil) == f"'{evil}"
    assert tables.harmless("Poliklinika Nr. 1 – Tiranë") == "Poliklinika Nr. 1 – Tiranë"
    made = tables.as_csv([look(8, office="=HYPERLINK(1)", whose='@"x"')], {})
    assert made.startswith(b"\xef\xbb\xbf")
    [_heading, row] = list(csv.reader(io.StringIO(made.decode("utf-8-sig"))))
    assert row[1] == "'=HYPERLINK(1)" and row[6] == '\'@"x"'


def test_a_question_from_the_look_to_the_answer(people: People) -> None:
    """Asked once; read by that office's official without who asks; the answer comes back, and a notice."""
    people.look()
    arta = people.browser(ARTA)
    path = asks(text(arta, "/my/looks"))[0]
    assert "must answer within 30 days" in text(arta, path)
    refused = arta.post(path, {"text": "x" * 1001})
    assert refused.status_code == 422 and "x" * 1001 in refused.content.decode(), "what was typed is there"
    answer = arta.post(path, {"text": "Nuk isha aty.\nPse?"})
    assert answer.status_code == 302
    mine = text(arta, answer["Location"])
    assert "Nuk isha aty." in mine and "answer due by" in mine
    assert arta.get(path)["Location"] == answer["Location"].split("?")[0], "one question a look"
    [link] = re.findall(r'href="(/questions/[0-9a-f-]{36})"', text(people.browser(MERITA), "/questions/"))
    page = text(people.browser(MERITA), link)
    assert "Vjosa Marku" in page and "Nuk isha aty." in page
    for hint in ("Arta", "Hoxha", ARTA.number):
        assert hint not in page
    assert people.browser(TJETRA).get(link).status_code == 404, "another office's official"
    assert people.browser(TJETRA).post(link, {"text": "Jo imja"}).status_code == 404
    assert people.browser(MERITA).post(link, {"text": " "}).status_code == 422
    assert people.browser(MERITA).post(link, {"text": "U hap gabimisht."}).status_code == 302
    again = people.browser(MERITA).post(link, {"text": "Më mirë kështu."})
    assert again.status_code == 409 and "Më mirë kështu." not in text(arta, answer["Location"])
    assert "U hap gabimisht." in text(arta, answer["Location"])
    assert any("question" in each.template or "Pyetja" in each.subject or "question" in each.subject
               for each in door.keeper().inbox(people.token(ARTA)))  # fmt: skip


def test_nobody_asks_about_or_reads_what_is_anothers(people: People) -> None:
    """Addresses of one are nothing to another."""
    people.look(ILIR, DRITAN)
    dritan, arta = people.browser(DRITAN), people.browser(ARTA)
    path = asks(text(dritan, "/my/looks"))[0]
    for guess in (path, f"/my/looks/{uuid4()}/ask"):
        assert arta.get(guess).status_code == 404
        assert arta.post(guess, {"text": ""}).status_code == 404
    question = dritan.post(path, {"text": ""})["Location"].split("?")[0]
    assert arta.get(question).status_code == 404
    assert arta.get(f"/my/questions/{uuid4()}").status_code == 404


def test_a_courts_order_hides_looks_from_every_page(people: People) -> None:
    """Page, files, filters, and the download say the same as before there were any; the public count grows."""
    dritan, keeper = people.browser(DRITAN), door.keeper()
    today = __import__("datetime").date.today()

    def readable() -> str:
        pages = [text(dritan, "/my/looks"), dritan.get("/my/looks.csv").content.decode()]
        pages += [dritan.get("/my/looks.json").content.decode(), text(dritan, "/my/data?all")]
        return re.sub(r'value="[^"]{20,}"|[0-9a-f]{8}-[0-9a-f-]{27}', "", "".join(pages))

    merita = people.browser(MERITA)
    form = {"order": "Vendim 7", "court": "Gjykata", "number": DRITAN.number, "office": str(OFFICE_1)}
    for name, day in (
        ("since", today),
        ("until", today + timedelta(days=9)),
        ("shown", today + timedelta(days=20)),
    ):
        form |= {f"{name}_0": str(day.day), f"{name}_1": str(day.month), f"{name}_2": str(day.year)}
    wrong = merita.post("/questions/order", {**form, "number": "J55101042K"})
    assert wrong.status_code == 409 and "Vendim 7" in wrong.content.decode()
    late = merita.post("/questions/order", {**form, "shown_2": str(today.year + 3)})
    assert late.status_code == 409 and "at most a year" in late.content.decode()
    assert merita.post("/questions/order", form).status_code == 302
    [asked] = [each for each in keeper.approvals_open(people.token(DORINA)) if each.kind == DELAY]
    assert asked.shown["order_person"] == DRITAN.number
    ever = keeper.transparency()["delays_ever"]
    keeper.approval_answer(people.token(DORINA), asked.id, yes=True)
    before = readable()
    for _time in range(3):
        people.look(VJOSA, DRITAN)
    assert readable() == before
    page = text(browser(), "/transparency")
    assert keeper.transparency()["delays_ever"] == ever + 1 and "Orders in force now" in page
    assert "Poliklinika" not in page and "Gjykata" not in page


# My data -------------------------------------------------------------------------------------------------


def test_what_is_held_as_page_json_and_pdf(people: People) -> None:
    """With what a service holds; the download stands among the looks; a GET downloads nothing."""
    arta = people.browser(ARTA)
    page = text(arta, "/my/data")
    assert ARTA.number in page and "Rruga e Dibrës 12" in page and "Medical appointments" in page
    answer = arta.post("/my/data/download.json")
    assert answer["Content-Disposition"] == 'attachment; filename="kulla-my-data.json"'
    document = json.loads(answer.content)
    sections = {each["section"]: each for each in document["sections"]}
    assert sections["identifiers"]["rows"] == [{"number": ARTA.number, "type": "number"}]
    assert {"appointments.1", "looks", "sessions", "settings", "credentials"} <= sections.keys()
    assert all(each["complete"] for each in sections.values())
    assert not {"argon2", ARTA.password} & set(re.findall(r"argon2|besa-dhe", answer.content.decode()))
    assert "T" in sections["sessions"]["rows"][0]["started"]
    paper = arta.post("/my/data/download.pdf")
    assert paper.content.startswith(b"%PDF") and paper["Content-Type"] == "application/pdf"
    page = text(arta, "/my/looks")
    assert "you downloaded what is held about you" in page
    assert arta.get("/my/data/download.json").status_code == 405
    stranger = browser(csrf=True)
    stranger.cookies["kulla"] = arta.cookies["kulla"].value
    assert stranger.post("/my/data/download.pdf").status_code == 403


def test_paper_takes_every_letter_and_length() -> None:
    """Albanian, Greek, Cyrillic, very long words; an empty and a broken section."""
    rows = [{"name": "Ελένη Димитър Ëç", "text": "w" * 3000, "body": "rresht\n" * 80}] * 4
    parts = [held.Part("family", "Familja", rows, False, {}), held.Part("x", "Asgjë", [], False, {}),
             held.Part("y", "Prishur", [], True, {})]  # fmt: skip
    with override("sq"):
        assert my_data_pdf(parts, name="Ελένη", language="sq").startswith(b"%PDF")


def test_a_correction_with_a_document(people: People) -> None:
    """From the form to the register; the document comes to the registrar as a file that can do nothing."""
    arta, picture = people.browser(ARTA), png(extra=chunk(b"teXt", bytes(300_000)))
    form = {"field": "place", "value": "Vlorë", "reason": "U shpërngula."}
    file = SimpleUploadedFile("../../e keqe.svg", picture, "image/svg+xml")
    assert arta.post("/my/data/correct", {**form, "document": file}).status_code == 302
    assert "Vlorë" in text(arta, "/my/data")
    edlira = people.browser(EDLIRA)
    queue = text(edlira, "/registry-desk/")
    assert "Vlorë" not in queue and "Arta" not in queue
    [link] = re.findall(r'href="(/registry-desk/corrections/[0-9a-f-]{36})"', queue)
    closed = text(edlira, link)
    assert "Arta" not in closed and "costs 10" in closed
    opened = edlira.post(link, {"action": "open"}).content.decode()
    assert "Arta Hoxha" in opened and "Vlorë" in opened and "U shpërngula." in opened
    document = edlira.post(f"{link}/document")
    assert document.content == picture
    assert document["Content-Type"] == "image/png" and document["X-Content-Type-Options"] == "nosniff"
    assert document["Content-Disposition"] == 'attachment; filename="document.png"'
    assert document["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    empty = edlira.post(link, {"action": "yes", "reason": ""})
    assert empty.status_code == 422 and "Write the reason" in empty.content.decode()
    assert edlira.post(link, {"action": "yes", "reason": "E vërtetë."})["Location"].endswith("correction-yes")
    assert edlira.post(link, {"action": "no", "reason": "Jo."}).status_code == 409
    page = text(arta, "/my/data")
    assert "E vërtetë." in page and "Accepted" in page
    for visitor in (people.browser(MERITA), arta, people.browser(VJOSA)):
        assert visitor.post(f"{link}/document").status_code == 404
    assert edlira.post(f"/registry-desk/corrections/{uuid4()}", {"action": "open"}).status_code == 404


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty"),
        (b"<svg onload=alert(1)>", "neither a JPEG"),
        (png() + b"<script>alert(1)</script>", "not whole"),
        (b"x" * (uploads.LARGEST + 1), "larger than 2 MB"),
        (b"\x89PNG" + b"x" * (9 << 20), "larger than 2 MB"),
        (b"%PDF-1.4\n/JavaScript\nstartxref\n9\n%%EOF", "scripts or files inside"),
    ],
)
def test_a_refused_file_takes_nothing_with_it(people: People, data: bytes, sentence: str) -> None:
    """What was typed stands in the form again, whatever came first in it; nothing was asked."""
    dritan = people.browser(DRITAN)
    file = SimpleUploadedFile("foto.png", data, "image/png")
    form = {"document": file, "field": "address", "value": "Rruga “Ëndrra” 9", "reason": "Gabim\nshtypi"}
    answer = dritan.post("/my/data/correct", form)
    page = answer.content.decode()
    assert answer.status_code == 422 and sentence in page
    assert "Rruga “Ëndrra” 9" in page and "Gabim\nshtypi" in page
    assert re.search(r'value="address" checked', page)
    assert door.keeper().corrections_mine(people.token(DRITAN)) == []


def test_other_pages_take_no_files(people: People) -> None:
    """A form that is no text is refused as ever."""
    arta = people.browser(ARTA)
    file = SimpleUploadedFile("x.png", b"\xff\xfe" * 10, "image/png")
    assert arta.post("/my/data/erase", {"text": "x", "document": file}).status_code == 400
    assert arta.post("/my/data/correct", {"field": "x", "value": "y" * 400_000}).status_code in {
        400,
        413,
        422,
    }


def test_values_are_checked_and_stay(people: People) -> None:
    dritan = people.browser(DRITAN)
    for field, value, sentence in (
        ("birth_date", "nesër", "cannot be the right value"),
        ("last_name", "Leka", "says already"),
        ("number", "J55101042K", "Select a valid choice"),
    ):
        answer = dritan.post("/my/data/correct", {"field": field, "value": value, "reason": "arsye"})
        page = answer.content.decode()
        assert answer.status_code == 422 and value in page and "arsye" in page
        assert sentence in page or field == "number"


def test_settings(people: People) -> None:
    """Saved, shown, safety keeps a channel, and the language turns at once."""
    arta = people.browser(ARTA)
    form = {
        "language": "en",
        "on_security": ["email"],
        "on_services": [],
        "needs": ["wheelchair", "large_print"],
    }
    answer = arta.post("/my/settings", form)
    assert answer["Location"] == "/my/settings?saved" and answer.cookies["language"].value == "en"
    chosen = door.keeper().my_settings(people.token(ARTA))
    assert chosen["channels"]["security"] == ["email"] and chosen["channels"]["services"] == []
    assert set(chosen["needs"]) == {"wheelchair", "large_print"}
    page = text(arta, "/my/settings?saved")
    assert re.search(r'value="wheelchair" checked', page) and "Your settings were saved" in page
    none = arta.post("/my/settings", {"language": "sq", "needs": ["wheelchair"]})
    assert none.status_code == 422 and "need at least one channel" in none.content.decode()
    assert arta.post("/my/settings", {**form, "needs": ["money"]}).status_code == 422


def test_erasure_never_claims_to_be_done(people: People) -> None:
    """Asked, proposed, agreed by a second; every page says that nothing was erased."""
    arta, edlira = people.browser(ARTA), people.browser(EDLIRA)
    assert "Until it is carried out nothing is erased" in text(arta, "/my/data/erase")
    assert arta.post("/my/data/erase", {"text": "Mesazhet e vjetra"}).status_code == 302
    again = arta.post("/my/data/erase", {"text": "Edhe këto"})
    assert again.status_code == 409
    [link] = re.findall(r'href="(/registry-desk/erasures/[0-9a-f-]{36})"', text(edlira, "/registry-desk/"))
    assert "Mesazhet e vjetra" in edlira.post(link, {"action": "open"}).content.decode()
    assert edlira.post(link, {"action": "yes", "reason": "Ligji nuk i kërkon."}).status_code == 302
    assert "Waits for a second registrar" in text(arta, "/my/data")
    keeper = door.keeper()
    [asked] = [each for each in keeper.approvals_open(people.token(DORINA)) if each.kind == "erasure"]
    keeper.approval_answer(people.token(DORINA), asked.id, yes=True)
    page = text(arta, "/my/data")
    assert "Agreed, not carried out yet" in page and "nothing has been erased yet" in page.lower()
    assert arta.post("/my/data/erase", {"text": "Edhe këto"}).status_code == 409
    [withdraw] = re.findall(
        r'action="(/my/data/erase/[0-9a-f-]{36}/withdraw)"', arta.get("/my/data").content.decode()
    )
    assert arta.post(withdraw).status_code == 302
    assert "nothing has been erased yet" not in text(arta, "/my/data").lower()
    dritan = people.browser(DRITAN)
    assert dritan.post(f"/my/data/erase/{uuid4()}/withdraw").status_code == 404


def test_every_code_has_words() -> None:
    """Groups and needs of the keeper are those of the pages."""
    assert tuple(words.GROUPS) == GROUPS and tuple(words.NEEDS) == NEEDS


def test_a_protected_person_needs_a_colleagues_release(people: People) -> None:
    """Refused, asked for, released, opened; the reference alone was seen before."""
    keeper, dritan, edlira = door.keeper(), people.browser(DRITAN), people.browser(EDLIRA)
    form = {"field": "place", "value": "Sarandë", "reason": "U shpërngula."}
    assert dritan.post("/my/data/correct", form).status_code == 302
    assert keeper.protect(people.token(EDLIRA), ("number", DRITAN.number), None, "violence")
    [asked] = [each for each in keeper.approvals_open(people.token(DORINA)) if each.kind == "protect"]
    keeper.approval_answer(people.token(DORINA), asked.id, yes=True)
    [link] = re.findall(r'href="(/registry-desk/corrections/[0-9a-f-]{36})"', text(edlira, "/registry-desk/"))
    refused = edlira.post(link, {"action": "open"})
    page = refused.content.decode()
    assert refused.status_code == 409 and "Dritan" not in page and "release the look" in page
    assert "A colleague was asked" in edlira.post(link, {"action": "release"}).content.decode()
    assert edlira.post(link, {"action": "open"}).status_code == 409
    [asked] = [each for each in keeper.approvals_open(people.token(DORINA)) if each.kind == "protected_look"]
    keeper.approval_answer(people.token(DORINA), asked.id, yes=True)
    assert "Dritan Leka" in edlira.post(link, {"action": "open"}).content.decode()
