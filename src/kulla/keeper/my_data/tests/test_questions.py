"""Questions about looks: to the right official, without who asks, once, in time."""

import json
from uuid import UUID, uuid4

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.my_data.tests.conftest import ARTA, DRITAN, LONELY, Lab, move
from kulla.keeper.my_data.viewing import Filter
from kulla.keeper.sessions import Live


def newest(lab: Lab, who: Live) -> UUID:
    """The name of the newest look at somebody."""
    found: UUID = lab.keeper.my_data.viewing.page(who.person, Filter(), limit=1)[0][0]["ref"]
    return found


def asked(lab: Lab, official: Live, text: str = "Pse?") -> UUID:
    """Arta asks about a fresh look."""
    lab.look(official)
    found: UUID = lab.keeper.my_data.questions.ask(lab.arta.person, newest(lab, lab.arta), text)["id"]
    return found


def test_the_official_reads_the_look_and_not_who_asks(lab: Lab) -> None:
    """Office, role, purpose, fields, which official; a reference number and no more of the citizen."""
    questions = lab.keeper.my_data.questions
    question = asked(lab, lab.vjosa, "Nuk isha aty atë ditë.")
    official = lab.official("protection")
    [waiting] = questions.for_official(official)
    assert waiting["official"] == "Vjosa Marku" and waiting["text"] == "Nuk isha aty atë ditë."
    assert (waiting["office"], waiting["role"], waiting["purpose"]) == (
        "Poliklinika Nr. 1, Tiranë", "receptionist", "day list"
    )  # fmt: skip
    said = json.dumps(waiting, default=str)
    for hint in (ARTA.number, "Arta", "Hoxha", str(lab.arta.person), str(newest(lab, lab.arta))):
        assert hint not in said
    with pytest.raises(Refusal) as caught:
        questions.answer(official, question, "  ")
    assert caught.value.code == "no_text"
    questions.answer(official, question, "U hap gabimisht.")
    mine = questions.mine(lab.arta.person, question)
    assert mine["answer"] == "U hap gabimisht." and mine["official"] == "" and not mine["overdue"]
    assert lab.inbox(lab.arta)[0] == "Pyetja juaj mori përgjigje"
    with pytest.raises(Refusal) as caught:
        questions.answer(official, question, "Më mirë.")
    assert caught.value.code == "answered_already"
    assert questions.for_official(official) == []
    assert [each["id"] for each in questions.for_official(official, answered=True)] == [question]


def test_the_nearest_office_with_an_official_answers(lab: Lab) -> None:
    """The own one of the second office; above the first is the ministry's; another office's never."""
    questions = lab.keeper.my_data.questions
    question = asked(lab, lab.ilir)
    with pytest.raises(Refusal) as caught:
        questions.one_for(lab.official("protection"), question)
    assert caught.value.code == "unknown_question"
    with pytest.raises(Refusal):
        questions.answer(lab.official("protection"), question, "Jo imja.")
    assert questions.one_for(lab.official("protection2"), question)["official"] == "Ilir Prifti"
    for session in (lab.vjosa, lab.official("registrar"), lab.arta):
        with pytest.raises(Refusal) as caught:
            questions.for_official(session)
        assert caught.value.code == "role"
    questions.answer(lab.official("protection2"), question, "Kishit takim.")


def test_nobody_is_there_to_answer(lab: Lab) -> None:
    """The operator's counts say so; it waits for the topmost office."""
    from kulla.keeper.metering import entry

    clerk = lab.live(DRITAN.number, "receptionist", LONELY)
    person = lab.arta.person
    lab.keeper.looks.add(
        [entry("open", clerk, person, ["name"], service="", purpose="x", cost=0, allowed=True)]
    )
    lab.keeper.my_data.questions.ask(person, newest(lab, lab.arta), "")
    counts = lab.keeper.my_data.status()
    assert counts["questions_nobody"] == 1 and counts["questions_open"] >= 1
    assert lab.keeper.status()["questions_nobody"] == 1


def test_one_question_a_look_few_a_day_and_only_about_ones_own(lab: Lab) -> None:
    """A stranger's look, an invented one and one's own download are nobody's to ask about."""
    move(lab, 2)
    questions = lab.keeper.my_data.questions
    asked(lab, lab.vjosa)
    ref = newest(lab, lab.arta)
    with pytest.raises(Refusal) as caught:
        questions.ask(lab.arta.person, ref, "")
    assert caught.value.code == "asked_already"
    for guess in (ref, uuid4()):
        with pytest.raises(Refusal) as caught:
            questions.ask(lab.dritan.person, guess, "")
        assert caught.value.code == "unknown_look"
    lab.keeper.my_data.downloaded(lab.arta, "pdf")
    with pytest.raises(Refusal) as caught:
        questions.ask(lab.arta.person, newest(lab, lab.arta), "")
    assert caught.value.code == "unknown_look"
    for _time in range(4):
        asked(lab, lab.vjosa)
    with pytest.raises(Refusal) as caught:
        asked(lab, lab.vjosa)
    assert caught.value.code == "capped" and caught.value.details["until_ms"] > lab.keeper._clock()
    with pytest.raises(Refusal) as caught:
        questions.mine(lab.dritan.person, questions.all_of(lab.arta.person)[0]["id"])
    assert caught.value.code == "unknown_question"


def test_what_is_overdue_is_marked_for_both_and_counted(lab: Lab) -> None:
    """After thirty days."""
    move(lab, 4)
    question = asked(lab, lab.ilir)
    assert not lab.keeper.my_data.questions.mine(lab.arta.person, question)["overdue"]
    before = lab.keeper.my_data.status()["questions_overdue"]
    move(lab, 34.1)
    assert lab.keeper.my_data.questions.mine(lab.arta.person, question)["overdue"]
    assert lab.keeper.my_data.questions.one_for(lab.official("protection2"), question)["overdue"]
    assert lab.keeper.my_data.status()["questions_overdue"] > before
