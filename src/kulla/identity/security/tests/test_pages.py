"""The pages of signing in, against the real keeper: what changes, what is asked before, what stays nowhere."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyotp
import pytest
from django.test import Client

from kulla.identity.tests.conftest import browser
from kulla.keeper.testkit import ARTA, DRITAN, ILIR, Member, RunningKeeper, keeper
from kulla.keeper.testpasskey import SoftPasskey
from kulla.registry import actor, door

pytestmark = pytest.mark.django_db
NEW = "tri dallëndyshe mbi urë"


@pytest.fixture
def portal(settings: Any, tmp_path: Any) -> Iterator[RunningKeeper]:
    """A keeper for each test: here people's credentials change."""
    with keeper(tmp_path / "country") as running:
        settings.KULLA_KEEPER_SOCKET = str(running.socket)
        settings.KULLA_PORTAL = tmp_path
        door.forget()
        actor._entered.clear()
        yield running
        door.keeper().close()
        door.forget()
        actor._entered.clear()


@pytest.fixture
def enter(portal: RunningKeeper) -> Callable[..., Client]:
    def sign_in(member: Member = ARTA, **more: str) -> Client:
        visitor = browser()
        answer = visitor.post("/sign-in", {"identifier": member.number, "password": member.password, **more})
        if member.totp:
            step = hidden(answer.content.decode(), "step")
            answer = visitor.post("/sign-in", {"step": step, "code": member.code()})
        assert answer.status_code == 302, answer.content.decode()
        return visitor

    return sign_in


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def text(visitor: Client, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.get('Location', '')}"
    assert answer["Cache-Control"] == "no-store"
    return str(answer.content.decode())


def encoded(answer: dict[str, bytes]) -> str:
    return json.dumps(
        {name: base64.urlsafe_b64encode(each).rstrip(b"=").decode() for name, each in answer.items()}
    )


def challenge(visitor: Client, path: str, **fields: str) -> tuple[dict[str, Any], str]:
    """(options with bytes, state) as the page's script gets them."""
    answer = visitor.post(path, fields)
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
    said = answer.json()

    def opened(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    options = said["options"]
    options["challenge"] = opened(options["challenge"])
    if "user" in options:
        options["user"]["id"] = opened(options["user"]["id"])
    return options, said["state"]


def add_passkey(visitor: Client) -> SoftPasskey:
    passkey = SoftPasskey()
    options, state = challenge(visitor, "/my/security/passkeys/options")
    answer = visitor.post(
        "/my/security/passkeys/new",
        {"name": "My <b>phone", "answer": encoded(passkey.register(options)), "state": state},
    )
    assert answer["Location"] == "/my/security?done=passkey"
    return passkey


def test_a_passkey_is_added_signs_in_and_is_removed(enter: Callable[..., Client]) -> None:
    visitor = enter()
    passkey = add_passkey(visitor)
    page = text(visitor, "/my/security?done=passkey")
    assert "The passkey is added" in page and "My &lt;b&gt;phone" in page
    other = browser()
    options, state = challenge(other, "/sign-in/passkey/options")
    fields = {"answer": encoded(passkey.answer(options)), "state": state, "next": "/my/sessions"}
    answer = other.post("/sign-in/passkey", fields)
    assert answer["Location"] == "/my/sessions"
    assert "with a passkey" in text(other, "/my/sessions")
    again = browser().post("/sign-in/passkey", fields)
    assert again.status_code == 422 and "sent twice" in again.content.decode()
    mark = re.search(r"/my/security/passkeys/([0-9a-f]+)\"", page)
    assert mark
    renamed = visitor.post(f"/my/security/passkeys/{mark[1]}", {"do": "rename", "name": "Çelësi"})
    assert renamed["Location"] == "/my/security?done=passkey-renamed"
    removed = visitor.post(f"/my/security/passkeys/{mark[1]}", {"do": "remove"})
    assert removed["Location"] == "/my/security?done=passkey-removed"
    assert visitor.get(f"/my/security/passkeys/{mark[1]}").status_code == 404


@pytest.mark.parametrize(
    "answer", ["", "x", "[]", "{}", '{"id": 1}', '{"id": "ë"}', "[" * 5000, "x" * 100_000]
)
def test_broken_answers_are_plain_sentences(enter: Callable[..., Client], answer: str) -> None:
    visitor = enter()
    for path, where in (
        ("/sign-in/passkey", browser()),
        ("/my/security/confirm/passkey", visitor),
        ("/my/security/passkeys/new", visitor),
    ):
        got = where.post(path, {"answer": answer, "state": "x", "name": "n"})
        assert got.status_code == 422, path
        assert "Error:" in got.content.decode()


def test_the_password_is_changed_with_the_old_one(enter: Callable[..., Client]) -> None:
    visitor, elsewhere = enter(), enter()
    wrong = visitor.post("/my/security/password", {"old": "no", "new": NEW, "again": NEW})
    page = wrong.content.decode()
    assert wrong.status_code == 422 and "The password is wrong." in page and NEW not in page
    differ = visitor.post("/my/security/password", {"old": ARTA.password, "new": NEW, "again": NEW + "x"})
    assert "not the same" in differ.content.decode()
    weak = visitor.post(
        "/my/security/password", {"old": ARTA.password, "new": "artahoxha1988", "again": "artahoxha1988"}
    )
    assert "what others know about you" in weak.content.decode()
    done = visitor.post("/my/security/password", {"old": ARTA.password, "new": NEW, "again": NEW})
    assert done["Location"] == "/my/security?done=password"
    assert elsewhere.get("/my").status_code == 302, "the other session has ended"
    assert visitor.get("/my").status_code == 200


def test_codes_are_added_and_what_was_scanned_stays(enter: Callable[..., Client]) -> None:
    visitor = enter()
    page = text(visitor, "/my/security/codes")
    assert "<svg" in page and "style=" not in page and "Hoxha" not in page.split("<main")[1]
    secret, state = re.search(r"<code>([A-Z2-7 ]+)</code>", page), hidden(page, "state")
    assert secret
    totp = pyotp.TOTP(secret[1].replace(" ", ""))
    wrong = visitor.post("/my/security/codes", {"state": state, "code": "12"})
    assert wrong.status_code == 422 and secret[1] in wrong.content.decode()
    old = visitor.post("/my/security/codes", {"state": "x", "code": totp.now()})
    assert old.status_code == 422 and "took too long" in old.content.decode()
    done = visitor.post("/my/security/codes", {"state": state, "code": totp.now()})
    assert done["Location"] == "/my/security?done=codes"
    fresh = browser()
    step = fresh.post("/sign-in", {"identifier": ARTA.number, "password": ARTA.password})
    assert "Enter the code" in step.content.decode()


def test_changes_ask_who_it_is_and_lead_back(portal: RunningKeeper, enter: Callable[..., Client]) -> None:
    visitor = enter()
    page = text(visitor, "/my/security/codes")
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret
    totp = pyotp.TOTP(secret[1].replace(" ", ""))
    visitor.post("/my/security/codes", {"state": hidden(page, "state"), "code": totp.now()})
    portal.kill()  # what was proven is forgotten, the session stands
    portal.start()
    answer = visitor.get("/my/security/codes/remove")
    assert answer["Location"] == "/my/security/confirm?next=%2Fmy%2Fsecurity%2Fcodes%2Fremove"
    confirm = {"password": ARTA.password, "next": "/my/security/codes/remove"}
    missing = visitor.post("/my/security/confirm", confirm)
    assert missing.status_code == 422 and "Enter the code from your phone" in missing.content.decode()
    wrong = visitor.post("/my/security/confirm", {**confirm, "password": "no", "code": "123456"})
    assert wrong.status_code == 422 and "The password is wrong." in wrong.content.decode()
    code = totp.at(int(time.time()) + 30)
    right = visitor.post("/my/security/confirm", {**confirm, "code": code})
    assert right["Location"] == "/my/security/codes/remove"
    assert visitor.post("/my/security/codes/remove")["Location"] == "/my/security?done=codes-removed"


def test_not_my_phone_leaves_nothing(enter: Callable[..., Client]) -> None:
    visitor = enter(ARTA, short="on")
    assert set(visitor.cookies) <= {"kulla", "csrftoken"}, "no language, no note"
    assert visitor.cookies["kulla"]["max-age"] == "" and visitor.cookies["kulla"]["expires"] == ""
    page = text(visitor, "/my")
    assert "Not your own device" in page
    chosen = visitor.get("/language?to=en&next=/my")
    assert chosen.cookies["language"]["max-age"] == ""
    assert "change nothing" in text(visitor, "/my/security")
    assert visitor.get("/my/security/password").status_code == 302
    assert visitor.get("/my/security/confirm").status_code == 403
    out = visitor.post("/sign-out")
    assert out["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    own = enter()
    assert "kulla_known" in own.cookies and own.cookies["kulla_known"]["path"] == "/sign-in"
    assert not own.post("/sign-out").has_header("Clear-Site-Data")


def test_the_second_step_remembers_that_it_is_not_my_phone(portal: RunningKeeper) -> None:
    visitor = browser()
    first = visitor.post("/sign-in", {"identifier": ILIR.number, "password": ILIR.password, "short": "on"})
    step = hidden(first.content.decode(), "step")
    assert visitor.post("/sign-in", {"step": step, "code": ILIR.code()}).status_code == 302
    assert "Not your own device" in text(visitor, "/my/sessions")


def test_an_official_acts_as_a_citizen_and_back(enter: Callable[..., Client]) -> None:
    visitor = enter(ILIR)
    page = text(visitor, "/my/role")
    assert "Receptionist, Poliklinika Qendrore" in page and "Myself, as a citizen" in page
    assert visitor.get("/my").status_code == 404
    assert visitor.post("/my/role", {"role": "citizen"})["Location"] == "/my"
    assert "Ilir" in text(visitor, "/my")
    back = f"receptionist {door.keeper().my_roles(token(visitor))[0].office}"
    assert visitor.post("/my/role", {"role": back}).status_code == 302
    assert visitor.get("/my").status_code == 404
    assert visitor.post("/my/role", {"role": "operator"}).status_code == 422


def token(visitor: Client) -> str:
    from kulla.registry import cookie

    found = cookie.unpack(visitor.cookies["kulla"].value)[0]
    assert found
    return found


def test_a_citizen_has_nothing_to_choose(enter: Callable[..., Client]) -> None:
    assert "one role only" in text(enter(DRITAN), "/my/role")


def test_sessions_are_told_in_words_and_others_end(enter: Callable[..., Client]) -> None:
    visitor, other = enter(), enter()
    page = text(visitor, "/my/sessions")
    assert "Firefox on Android" in page and "the same network as now" in page and "with the password" in page
    assert visitor.post("/my/sessions", {"sid": "others"})["Location"] == "/my/sessions?ended"
    assert other.get("/my").status_code == 302
    assert visitor.get("/my").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/my/security", "/my/security/confirm", "/my/security/codes", "/my/role", "/my/security/passkeys/00"],
)
def test_strangers_are_sent_to_sign_in(portal: RunningKeeper, path: str) -> None:
    assert browser().get(path)["Location"].startswith("/sign-in?next=")
