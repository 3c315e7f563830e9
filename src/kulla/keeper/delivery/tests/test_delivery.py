"""Messages through real gateways: taken, refused for good, away and back, too late; sealed while they wait."""

import os
import shutil
import sqlite3
import string
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper.delivery import texts
from kulla.keeper.delivery.delivery import Contacts, Delivery
from kulla.keeper.delivery.settings import parse
from kulla.keeper.delivery.tests.conftest import KEY, PASSWORD, USER, MailStandIn, SmsStandIn, free_port
from kulla.keeper.errors import ConfigError
from kulla.keeper.keys import expand, open_box, seal_box
from kulla.keeper.numbers import al
from kulla.keeper.testkit import Member, keeper, row
from kulla.keeper_client import connect

PERSON = uuid4()
TO = Contacts("+355691234567", "arta@example.al")
SECRETS = ("691234567", "arta@", "Takimi")


class Vault:
    """Seals as the keeper's does, under one key."""

    def __init__(self) -> None:
        self._key = expand(os.urandom(32), "own outbox")

    def system(self, _name: str) -> bytes:
        return self._key

    def seal_own(self, person: UUID, _purpose: str, value: object) -> bytes:
        return seal_box(self._key, wire.pad(wire.encode(value)), person.bytes)

    def open_own(self, person: UUID, _purpose: str, blob: bytes) -> Any:
        return wire.decode(wire.unpad(open_box(self._key, blob, person.bytes)))


class Clock:
    """Now, and later."""

    ahead = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[..., Delivery]


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Make]:
    """Deliveries with the settings of keeper.json, one after the other on the same file."""
    made: list[Delivery] = []
    vault = Vault()

    def one(*, demo: bool = False, **settings: Any) -> Delivery:
        for older in made:
            older.close()
        made.clear()
        delivery = Delivery(tmp_path, parse(tmp_path, settings), vault, demo=demo, clock=clock)  # type: ignore[arg-type]
        delivery.contacts = lambda _person: TO
        delivery.start()
        made.append(delivery)
        return delivery

    yield one
    for each in made:
        each.close()


def sms_settings(folder: Path, gateway: SmsStandIn) -> dict[str, Any]:
    """`delivery.sms` for the stand-in."""
    (folder / "sms.key").write_text(f"{KEY}\n")
    return {"url": f"http://127.0.0.1:{gateway.port}/send", "key_file": "sms.key", "sender": "Kulla"}


def smtp_settings(folder: Path, server: MailStandIn) -> dict[str, Any]:
    """`delivery.smtp` for the stand-in."""
    (folder / "smtp.password").write_text(PASSWORD)
    return {
        "host": "localhost",
        "port": server.port,
        "sender": "Kulla <mos-u-pergjigj@kulla.example>",
        "ca_file": "mail.pem",
        "user": USER,
        "password_file": "smtp.password",
    }


def soon(what: Callable[[], object], seconds: float = 8.0) -> None:
    """It becomes true."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not become true"
        time.sleep(0.02)


def states(folder: Path) -> list[str]:
    """The states of all messages."""
    with sqlite3.connect(folder / "outbox.sqlite3") as db:
        found = [row[0] for row in db.execute("SELECT state FROM message ORDER BY at, id")]
    db.close()
    return found


def test_a_notice_goes_out_both_ways(tmp_path: Path, make: Make, sms: SmsStandIn, mail: MailStandIn) -> None:
    """Once by each; the mail only over TLS; afterwards its words are gone from the file."""
    delivery = make(sms=sms_settings(tmp_path, sms), smtp=smtp_settings(tmp_path, mail))
    assert (
        delivery.pass_on(PERSON, "appointments/booked", "Takimi juaj", "Takimi juaj: nesër në 9, ë dhe ç.")
        == 2
    )
    soon(lambda: sms.got and mail.got)
    assert sms.got[0]["to"] == TO.phone and sms.got[0]["text"].endswith("ë dhe ç.")
    assert sms.got[0]["id"] == sms.got[0]["key"]
    letter = mail.got[0]
    assert letter["To"] == TO.email and letter["Subject"] == "Takimi juaj"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "ë dhe ç" in letter.get_content()  # type: ignore[attr-defined]
    soon(lambda: states(tmp_path) == ["sent", "sent"])
    with sqlite3.connect(tmp_path / "outbox.sqlite3") as db:
        assert db.execute("SELECT count(*) FROM message WHERE sealed IS NOT NULL").fetchone() == (0,)
    db.close()
    assert delivery.status() == {"waiting": 0, "failed": 0, "alarms": []}


def test_nothing_readable_waits_on_the_disk(tmp_path: Path, make: Make) -> None:
    """Address and words stand in the file sealed only, and nobody waited for a gateway that is away."""
    away = {"url": f"http://127.0.0.1:{free_port()}/"}
    delivery = make(sms=away)
    began = time.monotonic()
    delivery.pass_on(PERSON, "x/y", "Takimi", "Takimi juaj 691234567")
    assert time.monotonic() - began < 1
    for path in tmp_path.glob("outbox*"):
        raw = path.read_bytes()
        assert not any(secret.encode() in raw for secret in SECRETS), path


def test_a_gateway_that_was_away_gets_it_later(
    tmp_path: Path, make: Make, sms: SmsStandIn, clock: Clock
) -> None:
    """Also after a restart of the keeper; once; the alarm is up meanwhile and down again."""
    settings = sms_settings(tmp_path, sms)
    sms.stop()
    delivery = make(sms=settings)
    delivery.pass_on(PERSON, "x/y", "s", "Takimi")
    soon(lambda: states(tmp_path).count("waiting") == 2)
    clock.ahead += 6 * 60 * 1000
    soon(lambda: "delivery_waits:phone" in delivery.status()["alarms"])
    delivery = make(sms=settings)
    sms.start()
    clock.ahead += 3600 * 1000
    soon(lambda: len(sms.got) == 1)
    time.sleep(0.6)
    assert len(sms.got) == 1
    assert "delivery_waits:phone" not in delivery.status()["alarms"]


def test_a_gateway_that_stumbles_is_asked_again_but_not_for_ever(
    tmp_path: Path, make: Make, sms: SmsStandIn, clock: Clock
) -> None:
    """After ten tries it is given up, with an alarm."""
    sms.answers = [500, 503, 429]
    delivery = make(sms=sms_settings(tmp_path, sms))
    delivery.send(PERSON, "frozen", {}, channels=["phone"])
    for tries in range(1, 5):
        soon(lambda tries=tries: sms.tried >= tries)
        clock.ahead += 3600 * 1000
    assert len(sms.got) == 1
    sms.answers = [500] * 20
    delivery.send(PERSON, "frozen", {}, channels=["phone"])
    for tries in range(5, 15):
        soon(lambda tries=tries: sms.tried >= tries)
        clock.ahead += 3600 * 1000
    soon(lambda: states(tmp_path) == ["sent", "failed"])
    assert "delivery_failed:phone" in delivery.status()["alarms"] and delivery.status()["failed"] == 1


@pytest.mark.parametrize("status", [400, 422])
def test_what_a_gateway_never_takes_is_not_sent_again(
    tmp_path: Path, make: Make, sms: SmsStandIn, status: int
) -> None:
    """A number that does not exist."""
    sms.answers = [status]
    make(sms=sms_settings(tmp_path, sms)).send(PERSON, "frozen", {}, channels=["phone"])
    soon(lambda: states(tmp_path) == ["failed"])


def test_a_wrong_key_waits_and_a_redirect_carries_nothing_away(
    tmp_path: Path, make: Make, sms: SmsStandIn
) -> None:
    """Both can be mended by the operator: the message stays."""
    settings = sms_settings(tmp_path, sms)
    (tmp_path / "sms.key").write_text("another")
    sms.answers = [302]
    delivery = make(sms=settings)
    delivery.send(PERSON, "frozen", {}, channels=["phone"])
    soon(lambda: sms.tried == 1)
    time.sleep(0.1)
    assert states(tmp_path) == ["waiting"] and not sms.got


def test_an_address_that_the_mail_server_refuses(tmp_path: Path, make: Make, mail: MailStandIn) -> None:
    """For good; a server whose certificate nobody signed is not spoken to at all."""
    settings = smtp_settings(tmp_path, mail)
    delivery = make(smtp=settings)
    delivery.send(PERSON, "frozen", {}, to=Contacts(email="nobody@example.al"))
    soon(lambda: states(tmp_path) == ["failed"])
    delivery = make(smtp={**settings, "ca_file": ""})
    delivery.send(PERSON, "frozen", {}, channels=["email"])
    time.sleep(0.5)
    assert "waiting" in states(tmp_path) and not mail.got


def test_a_code_that_is_too_late_is_not_sent(
    tmp_path: Path, make: Make, sms: SmsStandIn, clock: Clock
) -> None:
    """It would only puzzle."""
    settings = sms_settings(tmp_path, sms)
    sms.stop()
    delivery = make(sms=settings)
    delivery.send(PERSON, "code_recovery", {"code": "123456"}, channels=["phone"], until=clock() + 600_000)
    soon(lambda: delivery._outbox.count("tries > 0")[0])
    clock.ahead += 11 * 60 * 1000
    sms.start()
    soon(lambda: states(tmp_path) == ["late"])
    assert not sms.got


def test_sms_have_a_measure_for_the_country(tmp_path: Path, make: Make, sms: SmsStandIn) -> None:
    """A fault must not spend everything; e-mail goes on."""
    delivery = make(sms=sms_settings(tmp_path, sms), sms_per_hour=3)
    sent = [delivery.send(PERSON, "frozen", {}) for _ in range(5)]
    assert sent == [2, 2, 2, 1, 1]
    assert "delivery_capped:phone" in delivery.status()["alarms"]


def test_who_asks_for_codes_of_everybody_does_not_silence_the_notices(
    tmp_path: Path, make: Make, sms: SmsStandIn
) -> None:
    """Codes that strangers may ask for take three quarters of the hour's measure; what warns people has the rest."""
    delivery = make(sms=sms_settings(tmp_path, sms), sms_per_hour=8)
    code = {"code": "123456"}
    sent = [delivery.send(PERSON, "code_activation", code, channels=("phone",)) for _ in range(12)]
    assert sum(sent) == 6
    assert delivery.send(PERSON, "code_recovery", code, channels=("phone",)) == 0
    assert delivery.send(PERSON, "frozen", {}, channels=("phone",)) == 1


def test_without_a_gateway_a_country_is_alarmed_and_a_demo_shows(
    tmp_path: Path, make: Make, clock: Clock
) -> None:
    """Nothing vanishes in silence."""
    delivery = make()
    delivery.send(PERSON, "frozen", {})
    clock.ahead += 6 * 60 * 1000
    soon(lambda: len(delivery.status()["alarms"]) == 2)
    assert delivery.status()["alarms"] == ["delivery_waits:phone", "delivery_waits:email"]
    delivery = make(demo=True)
    clock.ahead += 3600 * 1000
    soon(lambda: delivery.status()["waiting"] == 0)
    assert {each["to"] for each in delivery.shown(PERSON)} == {TO.phone, TO.email}


def test_wishes_are_asked_for_services_only(tmp_path: Path, make: Make) -> None:
    """A service's notice goes where the person wants it."""
    delivery = make(demo=True)
    delivery.wanted = lambda _person, kind: {"email"} if kind == "a/b" else set()
    assert delivery.pass_on(PERSON, "a/b", "s", "t") == 1
    assert delivery.pass_on(PERSON, "a/c", "s", "t") == 0


def test_settings_that_cannot_be_right_are_refused(tmp_path: Path) -> None:
    """At the start, with a sentence."""
    for raw in (
        {"smtp": {"host": "h", "sender": "x", "tls": True}},
        {"sms": {"url": "ftp://x"}},
        {"portal": "kulla.example"},
        {"mail": {}},
    ):
        with pytest.raises(ConfigError):
            parse(tmp_path, raw)


def test_a_full_disk_undoes_nothing(tmp_path: Path, make: Make) -> None:
    """What was told of has happened: the caller goes on, and the operator is alarmed."""
    delivery = make(demo=True)
    delivery._outbox._db.execute("PRAGMA query_only = 1")
    assert delivery.send(PERSON, "frozen", {}) == 0
    assert "delivery_outbox" in delivery.status()["alarms"]


def test_a_services_notice_leaves_a_real_keeper(sms: SmsStandIn, mail: MailStandIn) -> None:
    """From the portal's call to both gateways; the settings are those of keeper.json, the address is the register's."""
    folder = Path(tempfile.mkdtemp(prefix="k-"))
    (folder / "keeper").mkdir()
    for name in ("mail.pem",):
        shutil.copy(mail.certificate, folder / "keeper" / name)
    settings = {
        "sms": sms_settings(folder / "keeper", sms),
        "smtp": smtp_settings(folder / "keeper", mail),
        "portal": "https://kulla.example",
    }
    mira = Member("Mira Shehu", al.make(date(1985, 4, 4), "f", 77, "K"), date(1985, 4, 4))
    someone = {**row(mira), "phone": "069 77 12 345", "email": "mira@example.al"}
    with keeper(folder, [someone], delivery=settings) as running:
        client = connect(running.socket)
        client.activate_begin(mira.number, network="192.0.2.7")
        soon(lambda: sms.got)
        code = "".join(filter(str.isdigit, sms.got[0]["text"].split(":")[1].split(".")[0]))
        step = client.activate_check(mira.number, code, network="192.0.2.7")
        session = client.account_finish(
            step, "dritare-e-hapur-77", network="192.0.2.7", device="t", language=None
        )
        assert session
        me = client.enter(session.token, "appointments").person
        assert me
        client.notify(me, "appointments", "booked", uuid4(), {"when": "nesër", "where": "Tiranë"})
        soon(lambda: len(sms.got) == 3 and len(mail.got) == 2)
        client.close()
        log = running.log()
    assert {each["to"] for each in sms.got} == {"+355697712345"}
    assert "https://kulla.example/not-me/" in sms.got[1]["text"]
    assert [each["Subject"] for each in mail.got] == ["Llogaria juaj u aktivizua", "Takimi juaj"]
    assert not any(secret in log for secret in ("97712345", "mira@", mira.number, code))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("kind", sorted(texts.TEXTS))
def test_every_notice_stands_in_both_languages(kind: str) -> None:
    """The same values in both, and none in a subject."""
    both = texts.TEXTS[kind]
    assert set(both) == {"sq", "en"}
    values = []
    for text in both.values():
        assert set(text) <= {"subject", "body", "sms"} and text["subject"] and text["body"]
        assert "$" not in text["subject"]
        values.append(set(string.Template(text["body"]).get_identifiers()))
    assert values[0] == values[1]
    assert both["sq"]["body"] != both["en"]["body"]
