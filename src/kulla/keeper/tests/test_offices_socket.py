"""Through the socket: what a stolen portal gets from the calls of offices, and that who administers reads nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from kulla.keeper import testkit
from kulla.keeper.admin import open_keeper
from kulla.keeper.calls import CALLS, approvals, offices
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.testkit import Member, RunningKeeper
from kulla.keeper_client import KeeperClient, Refused, RegisterItem, connect

STATE = UUID("0198c000-0000-7000-8000-0000000000f0")
WATCHING = ("admin", "protection", "operator")
# Calls that anybody may make by design: they give no person.
PUBLIC = {"offices"}


def _member(name: str, serial: int, office: UUID | None, totp: str) -> Member:
    return testkit._member(
        name, date(1980, 2, 3), "f", serial, password="një-fjalë-e-gjatë-7", totp=totp, office=office
    )


ADMIN = _member("Teuta Basha", 31, STATE, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
SECOND = _member("Flora Kodra", 32, STATE, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJA")
PROTECTION = _member("Mira Zeqo", 33, STATE, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJB")


@dataclass
class World:
    """A running keeper that is no demo, with somebody of every role."""

    running: RunningKeeper
    client: KeeperClient
    tokens: dict[str, str]

    def ask(self, call: str, args: dict[str, Any]) -> Any:
        """A call, as a stolen portal makes it."""
        return self.client._pool.ask(call, args)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    running = testkit.start_keeper(tmp_path_factory.mktemp("socket"), start=False, demo=False)
    try:
        with open_keeper(running.keeper_home) as admin:
            admin.add_office(STATE, "Shteti", kind="state")
            for member, role in ((ADMIN, "admin"), (SECOND, "admin"), (PROTECTION, "protection")):
                admin.add_official(member.name, STATE, role, member.number, member.password, member.totp)
        running.start()
        client = connect(running.socket)
        tokens = {}
        members = {"admin": ADMIN, "second": SECOND, "protection": PROTECTION, "operator": running.luan}
        for name, member in {**members, "clerk": running.vjosa, "citizen": running.arta}.items():
            code = member.code() if member.totp else None
            session = client.sign_in(
                member.number, member.password, code, network="192.0.2.7", device="a test"
            )
            tokens[name] = session.token
        yield World(running, client, tokens)
        client.close()
    finally:
        testkit.stop_keeper(running)


def generous(world: World, token: str | None) -> dict[str, Any]:
    """Arguments that fit as many calls as possible, about Arta."""
    arta = world.client.enter(world.tokens["citizen"], "appointments", 0)
    item = {"kind": "register", "person": arta.person, "service": "appointments", "field": "name"}
    args: dict[str, Any] = {
        "person": arta.person,
        "service": "appointments",
        "purpose": "test",
        "items": [item],
    }
    args |= {"identifier_type": "number", "identifier": world.running.arta.number, "proof": token, "n": 1}
    args |= {"office": world.running.office_1, "day": date.today().isoformat(), "ref": uuid4(), "id": uuid4()}  # noqa: DTZ011
    args |= {
        "role": "registrar",
        "days": 365,
        "note": "",
        "yes": True,
        "keep": [],
        "end": [],
        "parent": STATE,
    }
    args |= {
        "name": "A name",
        "kind": "branch",
        "since": 0,
        "code": "00000-00000",
        "network": "192.0.2.9",
        "device": "x",
        "language": "sq",
    }
    args |= {
        "number": world.running.arta.number,
        "field": "name",
        "text": "x",
        "month": "2026-11",
        "format": "json",
    }
    return {**args, "token": token} if token is not None else args


CITIZENS_OWN = {
    "my_office_roles",
    "approvals_open",
    "approvals_asked",
    "approvals_waiting",
}


@pytest.mark.parametrize("call", sorted(offices.CALLS.keys() | approvals.CALLS.keys()))
def test_without_a_session_only_the_public_list_answers(world: World, call: str) -> None:
    for token in (None, "", "not a token", world.tokens["admin"][:-4] + "AAAA"):
        if call in PUBLIC:
            continue
        with pytest.raises(Refused) as refused:
            world.ask(call, generous(world, token))
        assert refused.value.code in {"bad_request", "token"}


@pytest.mark.parametrize("call", sorted(offices.CALLS.keys() | approvals.CALLS.keys()))
@pytest.mark.parametrize("who", ["citizen", "clerk", "protection", "operator"])
def test_nobody_else_administers(world: World, call: str, who: str) -> None:
    if call in PUBLIC | CITIZENS_OWN:
        return
    with pytest.raises(Refused) as refused:
        world.ask(call, generous(world, world.tokens[who]))
    assert refused.value.code in {
        "role",
        "unknown_office",
        "unknown_role",
        "unknown_invitation",
        "unknown_request",
    }


@pytest.mark.parametrize("who", WATCHING)
def test_who_watches_or_runs_reads_no_citizen(world: World, who: str) -> None:
    client, token = world.client, world.tokens[who]
    arta = client.enter(world.tokens["citizen"], "appointments", 0).person
    assert arta is not None
    with pytest.raises(Refused) as refused:
        client.open(token, [RegisterItem(arta, "appointments", "name")], "test")
    assert refused.value.code == "role"
    with pytest.raises(Refused) as refused:
        client.find(token, "number", world.running.arta.number, "appointments")
    assert refused.value.code == "role"
    with pytest.raises(Refused) as refused:
        client.holder(token, arta, "appointments")
    assert refused.value.code == "not_yours"


@pytest.mark.parametrize("who", WATCHING)
@pytest.mark.parametrize("call", sorted(CALLS))
def test_no_call_gives_them_a_citizens_values(world: World, who: str, call: str) -> None:
    if call in {"end"}:  # would end the session that this test shares
        return
    args = generous(world, world.tokens[who])
    try:
        answer = repr(world.ask(call, args))
    except Refused as refused:
        answer = f"{refused} {refused.details}"
    world.client.sessions(
        world.tokens[who]
    )  # it still stands: none of this was refused for want of a session
    arta = world.running.arta
    for value in (arta.name, arta.number, "+355 69 2012345", "Rruga e Dibrës", arta.birth_date.isoformat()):
        assert value not in answer


def test_the_whole_way_through_the_socket(world: World) -> None:
    client, tokens = world.client, world.tokens
    office = client.office_add(tokens["admin"], STATE, "Degë e re", "branch", town="Fier")
    assert office in {each.id for each in client.offices()}
    client.office_change(tokens["admin"], office, "Degë", name_en="Branch", hours={0: [(480, 960)]})
    found = {each.id: each for each in client.offices()}[office]
    assert (found.name_en, found.town, found.hours) == ("Branch", "Fier", {0: [(480, 960)]})
    _, code = client.role_offer(
        tokens["admin"], office, "protection", world.running.dritan.number, 365, "e re"
    )
    dritan = world.running.dritan
    weak = client.sign_in(dritan.number, dritan.password, network="192.0.2.8", device="a test")
    assert client.role_offer_read(weak.token, code).role == "protection"
    assert client.my_office_roles(weak.token) == []
    with pytest.raises(Refused) as refused:
        client.role_offer_answer(weak.token, code, yes=True)
    assert refused.value.code == "second_factor_missing"
    overview = {line.office.id: line for line in client.office_overview(tokens["admin"])}
    assert overview[office].officials == 0
    assert overview[STATE].officials == 3
    lines = client.office_officials(tokens["admin"], STATE).officials
    assert {(line.name, line.role, line.own) for line in lines} == {
        (ADMIN.name, "admin", True),
        (SECOND.name, "admin", False),
        (PROTECTION.name, "protection", False),
    }
    assert set(vars(lines[0])) == {"id", "name", "role", "until_ms", "due_ms", "own", "power", "may_end"}
    protection = next(line for line in lines if line.role == "protection")
    request = client.role_renew(tokens["admin"], protection.id, 300)
    assert request is not None
    assert client.approvals_waiting(tokens["second"]) == len(client.approvals_open(tokens["second"]))
    assert client.approvals_waiting(tokens["admin"]) == 0
    (asked,) = (each for each in client.approvals_open(tokens["second"]) if each.id == request)
    assert asked.shown["name"] == PROTECTION.name
    assert client.approval_answer(tokens["second"], request, yes=True).state == "done"
    mark, _ = client.revoked(0)
    client.role_end(tokens["admin"], protection.id)
    assert client.revoked(mark)[1]
    with pytest.raises(Refused) as refused:
        client.sessions(tokens["protection"])
    assert refused.value.code == "session"


def test_roles_and_requests_come_back_after_a_loss(world: World) -> None:
    world.running.stop()
    (world.running.keeper_home / "register.sqlite3").unlink()
    with Keeper(load(world.running.keeper_home / "keeper.json")) as keeper:
        assert keeper.wait_ready(20)
        keeper.serve()
        assert not keeper.register.passed_over
        roles = {role.role for role in keeper.offices.officials([STATE])}
        assert roles == {"admin"}
        asked = keeper.register.rows("SELECT id FROM approval")
        states = {keeper.approvals.get(UUID(bytes=row[0])).state for row in asked}
        assert states >= {"done"}
    world.running.start()
