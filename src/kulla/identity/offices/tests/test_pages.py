"""The pages of offices, as the public, an administrator, a new official and a second administrator meet them."""

import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.test import Client

from kulla.identity.offices import decisions
from kulla.identity.offices.tests.conftest import (
    ADMIN,
    BRANCH,
    CLERK,
    MINISTRY,
    NEW,
    OTHER,
    SECOND,
    STATE,
    Visitors,
)
from kulla.identity.tests.conftest import browser
from kulla.keeper.testkit import RunningKeeper
from kulla.keeper.tests.offices_kit import land
from kulla.keeper_client.approvals import Asked
from kulla.registry import door


def text(answer: object) -> str:
    return re.sub(r"\s+", " ", answer.content.decode()).replace("\u2060", "")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("language", "name"), [("en", "Ministry of Health"), ("sq", "Ministria e Shëndetësisë")]
)
def test_anyone_reads_the_tree(portal: RunningKeeper, language: str, name: str) -> None:
    page = text(browser(language).get("/offices/"))
    assert name in page
    assert f"/offices/{MINISTRY}/" in page


def test_anyone_finds_an_office_without_its_marks(portal: RunningKeeper) -> None:
    page = text(browser().get("/offices/?q=korce"))
    assert "Dega e Korçës" in page
    assert "Bulevardi Republika 4, Korçë" in page
    assert "Monday to Friday: 08:00–16:00" in page
    assert "Dega e Korçës" not in text(browser().get("/offices/?q=durres"))


def test_an_office_says_where_when_and_under_whom(portal: RunningKeeper) -> None:
    page = text(browser("sq").get(f"/offices/{BRANCH}/"))
    assert "E hënë" in page or "e hënë" in page
    assert "08:00–16:00" in page
    assert f"/offices/{MINISTRY}/" in page
    assert f"/offices/{STATE}/" in page
    assert browser().get(f"/offices/{uuid4()}/").status_code == 404


def test_no_name_of_an_official_is_public(portal: RunningKeeper) -> None:
    pages = ["/offices/", f"/offices/{BRANCH}/", f"/offices/{MINISTRY}/", "/offices/?q=a"]
    for address in pages:
        assert CLERK.name not in text(browser().get(address))


def test_the_public_reads_on_while_the_keeper_is_away(
    portal: RunningKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser().get("/offices/").status_code == 200
    monkeypatch.setattr("kulla.identity.offices.tree.KEPT_S", -1.0)
    portal.stop()
    try:
        assert "Dega e Korçës" in text(browser().get("/offices/?q=korce"))
    finally:
        portal.start()


@pytest.mark.parametrize("address", ["/offices/admin/", f"/offices/admin/{BRANCH}/", "/offices/admin/offers"])
def test_who_is_no_administrator_finds_no_administration(signed_in: Visitors, address: str) -> None:
    assert signed_in(CLERK).get(address).status_code == 404
    assert signed_in(NEW).get(address).status_code == 404
    assert browser().get(address).status_code == 302


def test_an_administrator_sees_the_own_subtree_only(signed_in: Visitors) -> None:
    admin = signed_in(ADMIN)
    page = text(admin.get("/offices/admin/"))
    assert "Dega e Korçës" in page
    assert "Ministria e Financave" not in page
    assert admin.get(f"/offices/admin/{OTHER}/").status_code == 404
    office = text(admin.get(f"/offices/admin/{BRANCH}/"))
    assert CLERK.name in office
    assert CLERK.number not in office


def offer(admin: Client, role: str) -> str:
    """The code of a new offer to NEW."""
    address = f"/offices/admin/{BRANCH}/offer"
    wrong = admin.post(address, {"role": role, "identifier": "123", "days": "365", "note": "dritarja 3"})
    assert wrong.status_code == 422
    assert "dritarja 3" in text(wrong)
    good = {"role": role, "identifier": NEW.number.lower(), "days": "91", "note": "dritarja 3"}
    found = re.search(r"([0-9A-Z]{5}-[0-9A-Z]{5})<", text(admin.post(address, good)))
    assert found
    return found[1]


def test_the_way_of_a_registrar(signed_in: Visitors) -> None:
    admin, new, second = signed_in(ADMIN), signed_in(NEW), signed_in(SECOND)
    code = offer(admin, "registrar")
    assert "Waits to be taken" in text(admin.get("/offices/admin/offers"))
    mine = "/offices/my-roles/offer"
    assert signed_in(CLERK).post(mine, {"code": code}).status_code == 422  # a found paper
    assert new.post(mine, {}).status_code == 422
    assert "Dega e Korçës" in text(new.post(mine, {"code": code}))
    assert new.post(mine, {"code": code, "step": "answer"}).status_code == 422
    assert new.post(mine, {"code": code, "step": "answer", "answer": "yes"}).url.endswith("?done=asked")
    assert "the second administrator was asked" in text(admin.get("/offices/admin/offers"))
    own = text(admin.get("/decisions"))
    assert "Take it back" in own
    waiting = text(second.get("/decisions"))
    assert NEW.name in waiting
    assert "Registrar" in waiting
    found = re.search(r"/decisions/([0-9a-f-]{36})\"", waiting)
    assert found
    assert admin.get(f"/decisions/{found[1]}").status_code == 404
    page = text(second.get(f"/decisions/{found[1]}"))
    assert "Dega e Korçës" in page
    assert second.post(f"/decisions/{found[1]}", {"answer": "yes"}).url.endswith("?done=yes")
    office = text(admin.get(f"/offices/admin/{BRANCH}/"))
    assert NEW.name in office
    assert "role_given" in {sent.kind for sent in door.keeper().demo_outbox(NEW.number)}
    role = re.search(
        rf"/offices/admin/{BRANCH}/roles/([0-9a-f-]{{36}})/end[^>]*>[^<]*<span[^>]*>: {NEW.name}", office
    )
    assert role
    assert admin.get(f"/offices/admin/{BRANCH}/roles/{role[1]}/end").status_code == 200
    assert admin.post(f"/offices/admin/{BRANCH}/roles/{role[1]}/end").status_code == 302
    assert NEW.name not in text(admin.get(f"/offices/admin/{BRANCH}/"))


def test_an_offer_is_declined_or_taken_back(signed_in: Visitors) -> None:
    admin, new = signed_in(ADMIN), signed_in(NEW)
    mine, answer = "/offices/my-roles/offer", {"step": "answer", "answer": "no"}
    code = offer(admin, "receptionist")
    assert new.post(mine, {"code": code, **answer}).url.endswith("?done=declined")
    assert new.post(mine, {"code": code}).status_code == 422
    code = offer(admin, "receptionist")
    own = re.search(r'name="offer" value="([0-9a-f-]{36})"', text(admin.get("/offices/admin/offers")))
    assert own
    assert admin.post("/offices/admin/offers", {"offer": own[1]}).status_code == 302
    assert new.post(mine, {"code": code}).status_code == 422
    assert admin.post("/offices/admin/offers", {"offer": "x"}).status_code == 404


def test_a_role_with_power_is_let_go_on_by_two(signed_in: Visitors) -> None:
    second = signed_in(SECOND)
    page = text(second.get(f"/offices/admin/{MINISTRY}/"))
    role = re.search(r"/roles/([0-9a-f-]{36})/renew", page)
    assert role
    address = f"/offices/admin/{MINISTRY}/roles/{role[1]}/renew"
    assert "A second administrator must say yes too." in text(second.get(address))
    assert second.post(address, {"days": "4000"}).status_code == 422
    assert second.post(address, {"days": "182"}).url.endswith("?done=asked")
    own = re.search(r"/decisions/([0-9a-f-]{36})/take-back", text(second.get("/decisions")))
    assert own
    assert second.post(f"/decisions/{own[1]}/take-back").url.endswith("?done=withdrawn")
    assert "Taken back" in text(second.get("/decisions"))


def test_the_review_asks_for_each_and_is_kept(signed_in: Visitors) -> None:
    admin = signed_in(ADMIN)
    address = f"/offices/admin/{BRANCH}/review"
    page = text(admin.get(address))
    name = re.search(r'name="(role-[0-9a-f]{32})"', page)
    assert name
    assert f"Answer for {CLERK.name}" in text(admin.post(address, {}))
    assert admin.post(address, {name[1]: "keep"}).url.endswith("?done=reviewed")
    assert f"by {ADMIN.name}" in text(admin.get(f"/offices/admin/{BRANCH}/"))


def test_an_office_is_changed_made_and_moved(signed_in: Visitors) -> None:
    admin = signed_in(ADMIN)
    typed = {
        "name": "Dega e Korçës",
        "town": "Korçë",
        "address": "Rruga e Re 5",
        "day_0": "08:00-12:00, 13:00-16:00",
    }
    wrong = admin.post(f"/offices/admin/{BRANCH}/change", {**typed, "day_1": "whenever"})
    assert wrong.status_code == 422
    assert "whenever" in text(wrong)
    assert "Rruga e Re 5" in text(wrong)
    for bad in ("16:00-08:00", "08:00-12:00, 11:00-13:00", "08:00-25:00"):
        assert admin.post(f"/offices/admin/{BRANCH}/change", {**typed, "day_1": bad}).status_code == 422
    assert admin.post(f"/offices/admin/{BRANCH}/change", typed).status_code == 302
    assert "08:00–12:00, 13:00–16:00" in text(browser().get(f"/offices/{BRANCH}/"))
    made = admin.post(f"/offices/admin/{BRANCH}/new", {"name": "Sporteli i Pogradecit", "kind": "branch"})
    office = re.search(r"/offices/admin/([0-9a-f-]{36})/", made.url)
    assert office
    assert "Sporteli i Pogradecit" in text(browser().get(f"/offices/{BRANCH}/"))
    move = f"/offices/admin/{office[1]}/move"
    assert admin.post(move, {"parent": str(OTHER)}).status_code == 422
    assert admin.post(move, {"parent": str(MINISTRY)}).url.endswith("?done=asked")
    assert admin.post(f"/offices/admin/{office[1]}/close").url.endswith("?done=asked")
    second = signed_in(SECOND)
    for found in re.findall(r"/decisions/([0-9a-f-]{36})\"", text(second.get("/decisions"))):
        assert second.post(f"/decisions/{found}", {"answer": "yes"}).status_code in {302, 422}


def test_a_kind_without_words_is_shown_plainly() -> None:
    asked = Asked(
        UUID(int=1), "something_new", "Arta", "Zyra", 0, 1, "open", {"thing": "<b>x</b>", "until_ms": "0"}
    )
    found = decisions.shown(asked)
    assert found.title == "something_new"
    assert ("thing", "<b>x</b>") in found.details


def test_every_area_gives_words_for_what_it_declares(tmp_path: Path) -> None:
    kinds, labels, _values = decisions._words()
    assert {"name", "role", "office", "until_ms"} <= labels.keys()
    with land(tmp_path, people=1) as country:
        assert country.keeper.approvals._rules.keys() - kinds.keys() == set()
