"""A country with a family that a court has divided, two registrars, somebody who has died, and a young adult to be."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kulla.keeper.admin import Admin
from kulla.keeper.families import guardian_body
from kulla.keeper.numbers import al
from kulla.keeper.testkit import (
    ARTA,
    BESA,
    DRITAN,
    OFFICE_1,
    OFFICE_2,
    Member,
    RunningKeeper,
    keeper,
    row,
)
from kulla.keeper_client import Entered, KeeperClient, Refused, Session, connect

RULE = {"sq": "secili mund të rezervojë e të anulojë.", "en": "either may book and cancel."}
SERVICES = {
    "appointments": {"scope": "health", "guardians_rule": RULE},
    "enrolment": {"scope": "school", "guardians_rule": {}},
    "bills": {"scope": "money", "guardians_rule": {}},
    "plain": {"scope": None, "guardians_rule": {}},
}


def member(name: str, born: date, sex: str, serial: int, **more: Any) -> Member:
    """Another of the cast."""
    return Member(name, al.make(born, sex, serial, "K"), born, **more)


AGRON = member("Agron Hoxha", date(1986, 2, 3), "m", 201, password="agron-dhe-kafja-1")
MIRA = member("Mira Deda", date(1992, 7, 8), "f", 202, password="mira-mbi-urë-2022")
GENT = member("Gent Kola", date(1950, 4, 1), "m", 203, password="gent-në-pyll-77")
OLD = member("Zef Ndoca", date(1941, 9, 9), "m", 204, password="zef-në-kullë-41")
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PX"
REGISTRAR = member("Lule Basha", date(1980, 1, 1), "f", 205, password="lule-mali-i-gjatë-1", totp=TOTP + "A")
SECOND = member("Petrit Zeqo", date(1981, 1, 1), "m", 206, password="petrit-lumi-i-kaltër-2", totp=TOTP + "B")
PEOPLE = (AGRON, MIRA, GENT, OLD)


@dataclass
class Country:
    """A running keeper, and sessions that are kept: officials sign in once."""

    running: RunningKeeper
    client: KeeperClient
    sessions: dict[str, Session] = field(default_factory=dict)

    def session(self, who: Member) -> Session:
        """The session of a member of the cast, signed in once."""
        if who.number not in self.sessions:
            for code in (who.code(), who.fresh_code()) if who.totp else (None,):
                try:
                    self.sessions[who.number] = self.client.sign_in(
                        who.number, who.password, code, network="192.0.2.7", device="a test"
                    )
                    break
                except Refused as refused:
                    if refused.code != "second_factor":
                        raise
        return self.sessions[who.number]

    def token(self, who: Member) -> str:
        """The token of their session."""
        return self.session(who).token

    def enter(self, who: Member, service: str = "appointments") -> Entered:
        """The session seen from a service."""
        return self.client.enter(self.token(who), service)

    def relations(self, who: Member, service: str = "appointments") -> list[str]:
        """The relations of the wards that a service is given."""
        return [ward.relation for ward in self.enter(who, service).wards]

    def decide(self, *, yes: bool = True, by: Member = SECOND) -> str:
        """Another registrar answers the one request that waits; gives its state."""
        [asked] = self.client.approvals_open(self.token(by))
        return self.client.approval_answer(self.token(by), asked.id, yes=yes).state


def refused(call: Any, *args: Any, **named: Any) -> str:
    """The code with which a call is refused."""
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.code


def tie(admin: Admin, guardian: Member, ward: Member, **terms: Any) -> None:
    """A guardianship as the register's import makes it."""
    found = [admin._person(who.number) for who in (guardian, ward)]
    admin._keeper.committer.commit(guardian_body(*found, **terms))


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """Arta has custody of Besa in everything; Agron and the others come in the tests."""
    budgets = {"official_hour": 10_000, "official_day": 10_000}
    folder, rows = tmp_path_factory.mktemp("families"), [row(each) for each in PEOPLE]
    with keeper(folder, rows, budgets=budgets) as running:
        prepare(running)
        client = connect(running.socket)
        yield Country(running, client)
        client.close()


def prepare(running: RunningKeeper) -> None:
    """Services with their scopes; passwords, officials, a death."""
    write_services(running.keeper_home)
    with running.administered() as admin:
        for each in PEOPLE:
            admin.set_password(each.number, each.password)
        for official, office in ((REGISTRAR, OFFICE_1), (SECOND, OFFICE_2)):
            admin.add_official(
                official.name, office, "registrar", official.number, official.password, official.totp
            )
        die(admin, GENT)


def write_services(home: Path) -> None:
    """services.json, as a deployment writes it."""
    (home / "services.json").write_text(json.dumps(SERVICES))


def die(admin: Admin, who: Member) -> None:
    """The register says that somebody has died."""
    inside = admin._keeper
    inside.committer.commit(*inside.people.death_bodies(admin._person(who.number), "2026-11-01"))


__all__ = ["AGRON", "ARTA", "BESA", "DRITAN", "GENT", "MIRA", "OLD", "REGISTRAR", "SECOND", "Country"]
