"""Settings, needs, sections, erasure; and that all of it comes back from the records."""

import json
from uuid import uuid4

import pytest

from kulla.keeper.config import load
from kulla.keeper.errors import Refusal
from kulla.keeper.my_data.settings import GROUPS, group_of
from kulla.keeper.my_data.tests.conftest import ARTA, OFFICE_1, Lab
from kulla.keeper.register import Register


def code_of(call: object, *args: object, **named: object) -> str:
    with pytest.raises(Refusal) as caught:
        call(*args, **named)  # type: ignore[operator]
    return caught.value.code


def test_channels_and_needs(lab: Lab) -> None:
    """Everything is on at first; safety keeps one; what nobody named counts as safety."""
    settings, person = lab.keeper.my_data.settings, lab.arta.person
    assert settings.of(person) == {
        "language": "sq", "channels": {group: ["phone", "email"] for group in GROUPS}, "needs": []
    }  # fmt: skip
    settings.change(
        person, channels={"services": [], "security": ["phone"]}, needs=["wheelchair", "large_print"]
    )
    data = lab.keeper.my_data
    assert data.channels(person, "appointments/booked") == set()
    assert data.channels(person, "anything_new") == data.channels(person, "phone_changed") == {"phone"}
    assert data.channels(person, "question_answered") == {"phone", "email"}
    assert data.needs(person) == ["large_print", "wheelchair"]
    assert group_of("guardian_added") == "family"
    assert code_of(settings.change, person, channels={"security": []}) == "no_channel"
    for wrong in ({"security": ["pigeon"]}, {"nothing": []}, {"security": "phone"}):
        assert code_of(settings.change, person, channels=wrong) == "bad_request"
    assert code_of(settings.change, person, needs=["money"]) == "bad_request"
    assert code_of(settings.change, person, language="de") == "bad_request"
    settings.change(person, language="en")
    assert lab.keeper.people.field(person, "language") == "en"
    assert data.needs(person) == ["large_print", "wheelchair"]
    settings.change(person, language="sq")


def test_a_clerk_reads_needs_only_with_a_grant(lab: Lab) -> None:
    """And it is a look."""
    keeper, person = lab.keeper, lab.arta.person
    keeper.my_data.settings.change(person, needs=["sign_language"])
    pseudonym = keeper.people.pseudonym(person, "appointments")
    assert keeper.my_data.needs_at(lab.vjosa, pseudonym, "appointments") == []
    body = {"type": "grant", "ref": uuid4(), "person": person, "service": "appointments", "office": OFFICE_1}
    keeper.committer.commit({**body, "day": keeper.people.today().isoformat(), "at": 1})
    assert keeper.my_data.needs_at(lab.vjosa, pseudonym, "appointments") == ["sign_language"]
    assert keeper.my_data.needs_at(lab.ilir, pseudonym, "appointments") == []
    from kulla.keeper.my_data.viewing import Filter

    lines, _ = keeper.my_data.viewing.page(person, Filter(), limit=1)
    assert lines[0]["fields"] == ["needs"]


def test_every_section_is_plain_and_without_secrets(lab: Lab) -> None:
    """What is held, by section; no password hash, no TOTP secret, no data of others."""
    sections = lab.keeper.my_data.sections
    whole = {}
    for name in sections.names(assisted=False):
        answer = sections.read(lab.arta.person, name, 0, assisted=False)
        assert not answer["broken"], name
        answer["rows"] = whole[name] = [dict(row) for row in answer["rows"]]
        for row in answer["rows"]:
            assert all(isinstance(value, str | int | bool | list) for value in row.values()), (name, row)
    text = json.dumps(whole, ensure_ascii=False)
    assert "Arta" in text and ARTA.number in text and "Rruga e Dibrës 12" in text
    for secret in ("argon2", ARTA.password, "otpauth", "Dritan", "Leka"):
        assert secret not in text
    assert whole["credentials"][0]["kind"] == "password"
    assert "Besa Hoxha" in json.dumps(whole["family"], ensure_ascii=False)


def test_sections_of_an_assisted_session(lab: Lab) -> None:
    """What a clerk beside the person does not see."""
    sections = lab.keeper.my_data.sections
    names = sections.names(assisted=True)
    assert "register" in names and not {"notices", "questions", "sessions", "credentials"} & set(names)
    assert code_of(sections.read, lab.arta.person, "notices", 0, assisted=True) == "unknown_section"
    assert code_of(sections.read, lab.arta.person, "nothing", 0, assisted=False) == "unknown_section"


def test_a_protected_persons_address_is_withheld(lab: Lab) -> None:
    """With a word for it that the page makes a sentence of."""
    keeper, person = lab.keeper, lab.dritan.person
    keeper.committer.commit(keeper.protected.body(person, None, "violence"))
    [pairs] = keeper.my_data.sections.read(person, "register", 0, assisted=False)["rows"]
    row = dict(pairs)
    assert row["address"] == "withheld" and "Rruga" not in json.dumps(row)
    keeper.committer.commit(keeper.protected.end_body(person))


def test_an_area_adds_and_replaces_sections(lab: Lab) -> None:
    """In place; more than five hundred rows come in pages."""
    data = lab.keeper.my_data
    before = data.sections.names(assisted=False)
    data.add_section("many", lambda _person: [{"number": number} for number in range(1100)])
    offset, seen = 0, []
    while offset is not None:
        answer = data.sections.read(lab.arta.person, "many", offset, assisted=False)
        seen += [dict(row)["number"] for row in answer["rows"]]
        offset = answer["next"]
    assert seen == list(range(1100))
    data.add_section("many", lambda _person: [])
    assert data.sections.names(assisted=False) == [*before, "many"]


def test_erasure_takes_two_registrars(lab: Lab) -> None:
    """One proposes, another agrees; it is agreed and nothing is erased."""
    erasures, me = lab.keeper.my_data.erasures, lab.arta
    request = erasures.ask(me, "Mesazhet e vjetra")
    assert code_of(erasures.ask, me, "Edhe një herë") == "asked_already"
    first, second = lab.official("registrar"), lab.official("registrar2")
    assert code_of(erasures.decide, first, request, yes=True, reason="Po") == "not_opened"
    assert erasures.open(first, request)["text"] == "Mesazhet e vjetra"
    erasures.decide(first, request, yes=True, reason="Ligji nuk i ruan.")
    assert erasures.all_of(me.person)[0]["state"] == "proposed"
    assert code_of(erasures.decide, first, request, yes=True, reason="Po") == "decided"
    [waiting] = [each for each in lab.keeper.approvals.open_for(second) if each.kind == "erasure"]
    assert code_of(lab.keeper.approvals.answer, first, waiting.id, yes=True) == "unknown_request"
    lab.keeper.approvals.answer(second, waiting.id, yes=True)
    [mine] = erasures.all_of(me.person)
    assert (mine["state"], mine["answer"]) == ("agreed", "Ligji nuk i ruan.")
    assert lab.inbox(me)[0] == "Kërkesa juaj për fshirje u vendos"
    assert lab.keeper.people.field(me.person, "name"), "nothing was destroyed"


def test_one_registrar_refuses_and_the_person_withdraws(lab: Lab) -> None:
    """With a reason; another's request does not exist."""
    erasures, me, registrar = lab.keeper.my_data.erasures, lab.dritan, lab.official("registrar")
    request = erasures.ask(me, "Gjithçka")
    assert code_of(erasures.withdraw, lab.arta, request) == "unknown_request"
    erasures.open(registrar, request)
    erasures.decide(registrar, request, yes=False, reason="Ligji i ruan.")
    assert erasures.all_of(me.person)[0]["state"] == "refused"
    again = erasures.ask(me, "Vetëm mesazhet")
    erasures.withdraw(me, again)
    assert erasures.all_of(me.person)[0]["state"] == "withdrawn"
    for session in (lab.vjosa, lab.official("protection"), lab.arta):
        assert code_of(erasures.queue, session) == "role"


def test_everything_comes_back_from_the_records(lab: Lab) -> None:
    """A register made anew from the records holds the same."""
    keeper = lab.keeper
    tables = ("question", "look_delay", "correction", "correction_chunk", "my_settings", "erasure")
    path = load(keeper.config.home / "keeper.json").home / "again.sqlite3"
    again = Register(path, keeper.register._sealer)
    number = 1
    while number <= keeper.records.last:
        records = keeper.records.read(number)
        again.apply(records, None)
        number = records[-1].seq + 1
    for table in tables:
        sql = f"SELECT * FROM {table}"  # noqa: S608 - names of our own
        assert again.rows(sql) == keeper.register.rows(sql), table
    assert keeper.register.rows("SELECT 1 FROM my_settings") and keeper.register.rows("SELECT 1 FROM erasure")
    again.close()
