"""Activation over HTTP: the telephone's code, the letter, and the same page for everybody."""

import re

import pytest

from kulla.identity.accounts.tests.conftest import CHILD, DESK, MIRA, code_of, sent, visitor
from kulla.keeper.testkit import RunningKeeper

pytestmark = pytest.mark.django_db
NOBODY = "J55101007H"


def plain(text: str) -> str:
    """A page without what is random in it."""
    return re.sub(r'value="[^"]*"', "", text)


def test_somebody_without_an_account_gets_one_by_telephone(portal: RunningKeeper) -> None:
    """Number, code, password; afterwards signed in, and told on the telephone."""
    me = visitor().get("/activate")
    me.post("/activate", identifier=MIRA.number)
    assert "Enter the code" in me.text and MIRA.number not in me.text
    wrong = "000000" if code_of(MIRA, "code_activation") != "000000" else "000001"
    me.post("/activate/code", code=wrong)
    assert me.status == 422 and "does not fit together" in me.text
    me.post("/activate/code", code=code_of(MIRA, "code_activation"))
    assert "Choose a password" in me.text
    step = me.text
    me.post("/activate/password", password="mira1985", again="mira1985")
    assert me.status == 422 and "at least 10 characters" in me.text
    me.post("/activate/password", password="dritare-e-hapur-77", again="dritare-e-hapur-78")
    assert me.status == 422 and "not the same" in me.text
    me.post("/activate/password", password="dritare-e-hapur-77", again="dritare-e-hapur-77")
    assert me.status == 200 and "My account" in me.text and "signed in" in me.text
    assert {"activated", "code_activation"} <= {each.kind for each in sent(MIRA)}
    other = visitor()
    other.text = step  # a second device with the same step
    other.post("/activate/password", password="tjeter-fjale-kalim-5", again="tjeter-fjale-kalim-5")
    assert other.status == 422 and "done already" in other.text
    again = visitor().post("/sign-in", identifier=MIRA.number, password="dritare-e-hapur-77")
    assert again.status == 200


@pytest.mark.parametrize("language", ["en", "sq"])
def test_everybody_gets_the_same_page(portal: RunningKeeper, language: str) -> None:
    """Active, a child, without a telephone, unknown, nonsense: the same words and status."""
    pages = set()
    for who in (portal.arta.number, CHILD.number, DESK.number, NOBODY, "<b>&"):
        me = visitor(language).get("/activate").post("/activate", identifier=who)
        assert me.status == 200
        pages.add(plain(me.text))
        me.post("/activate/code", code="123456")
        assert me.status == 422
        pages.add(plain(me.text))
    assert len(pages) == 2
    assert [each.kind for each in sent(portal.arta)] == ["already_active"]
    assert sent(DESK) == [] and sent(CHILD) == []


def test_a_step_that_is_not_ours_begins_anew(portal: RunningKeeper) -> None:
    """Changed, empty or missing: back to the first page."""
    for step in ("", "x", "AAAA"):
        for page in ("/activate/code", "/activate/password"):
            assert "Activate your account" in visitor().post(page, step=step, code="123456").text
