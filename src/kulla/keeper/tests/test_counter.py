"""At the counter a clerk acts with a person who is present, and with nobody else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.tests.counter_kit import Desk, code_of, desk, set_pin

PIN = "739184"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("counter")) as found:
        yield found


@pytest.fixture(autouse=True)
def fresh_budgets(counter: Desk) -> None:
    """Tests share the clerks; what one searched is not the next one's limit."""
    counter.keeper.budgets.restore([])


# The three ways ----------------------------------------------------------------------------------------


def test_with_a_code_to_the_phone(counter: Desk) -> None:
    number, person = counter.person()
    visit = counter.visit(number)
    shown = counter.keeper.counter.show(counter.clerk, visit)
    assert shown["name"] and shown["phone"] and shown["pin"] == "" and not shown["begun"]
    counter.keeper.counter.send_code(counter.clerk, visit)
    said = counter.messages(number)[0]["text"]
    assert "Branch_1" in said and "shëndetin" in said, "the message names the office and what it is for"
    session = counter.begin(visit, "code", counter.code(number))
    assert (session.person, session.is_citizen, session.assisted) == (person, True, counter.clerk.office)
    assert session.helper == counter.clerk.person
    assert "Branch_1" in counter.messages(number)[0]["text"], "the person is told on the phone"
    purposes = [look["purpose"] for look in counter.looks(person)]
    assert purposes == ["assisted", "counter"]
    costs = [look["cost"] for look in counter.looks(person)]
    assert costs == [0, 10]
    mine = counter.keeper.counter.mine(person)["visits"]
    assert [(each["office"], each["way"], each["what"]) for each in mine] == [("Branch_1", "code", "health")]


def test_with_a_pin_on_the_pad(counter: Desk) -> None:
    number, person = counter.person(phone="")
    set_pin(counter, person)
    visit = counter.visit(number)
    assert counter.keeper.counter.show(counter.clerk, visit)["pin"] == "set"
    assert counter.begin(visit, "pin", "739 184").person == person


def test_with_a_signature_and_a_second_official(counter: Desk) -> None:
    """This is the way of those with no phone and no e-mail."""
    number, person = counter.person(phone="")
    visit = counter.visit(number)
    assert not counter.keeper.counter.show(counter.clerk, visit)["phone"]
    counter.sign(visit, counter.colleague)
    assert counter.keeper.counter.show(counter.clerk, visit)["signature"] == "done"
    assert counter.begin(visit, "signature").person == person
    looks = counter.looks(person)
    assert (looks[1]["official"], looks[1]["purpose"]) == (counter.colleague.person, "presence")


def test_the_attestation_carries_the_office(counter: Desk) -> None:
    number, person = counter.person(phone="")
    visit = counter.visit(number)
    counter.sign(visit, counter.colleague)
    session = counter.begin(visit, "signature")
    keeper = counter.keeper
    attestation = keeper.sessions.attest(
        session, "appointments", keeper.people.pseudonym(person, "appointments")
    )
    proven = keeper.sessions.proven(attestation, "appointments").session
    assert (proven.assisted, proven.helper) == (counter.clerk.office, counter.clerk.person)


# Somebody who is absent --------------------------------------------------------------------------------


def test_nobody_acts_without_a_confirmation(counter: Desk) -> None:
    number, _ = counter.person()
    visit = counter.visit(number)
    for way, secret, refused in (
        ("code", "", "wrong_code"),
        ("code", "123456", "wrong_code"),
        ("pin", PIN, "no_pin"),
        ("signature", "", "not_confirmed"),
        ("telephone", "", "not_confirmed"),
        ("", "", "not_confirmed"),
    ):
        assert code_of(counter.begin, visit, way, secret) == refused


def test_a_code_works_once_and_for_its_visit_only(counter: Desk) -> None:
    number, _ = counter.person()
    first, second = counter.visit(number), counter.visit(number)
    counter.keeper.counter.send_code(counter.clerk, first)
    code = counter.code(number)
    assert code_of(counter.begin, second, "code", code) == "wrong_code", "another visit"
    counter.begin(first, "code", code)
    assert code_of(counter.begin, first, "code", code) == "unknown_visit", "replayed"
    assert code_of(counter.begin, second, "code", code) == "wrong_code", "replayed in another visit"


def test_a_code_of_another_purpose_does_not_work(counter: Desk) -> None:
    number, person = counter.person()
    visit = counter.visit(number)
    counter.keeper.accounts.confirm_code(person, "something else")
    assert code_of(counter.begin, visit, "code", counter.code(number)) == "wrong_code"


def test_an_old_code_does_not_work(counter: Desk) -> None:
    number, _ = counter.person()
    visit = counter.visit(number)
    counter.keeper.counter.send_code(counter.clerk, visit)
    code = counter.code(number)
    counter.minutes(11)
    assert code_of(counter.begin, visit, "code", code) == "wrong_code"


def test_five_wrong_codes_end_the_code(counter: Desk) -> None:
    number, _ = counter.person()
    visit = counter.visit(number)
    counter.keeper.counter.send_code(counter.clerk, visit)
    code = counter.code(number)
    for _try in range(5):
        assert code_of(counter.begin, visit, "code", "000000" if code != "000000" else "1") == "wrong_code"
    assert code_of(counter.begin, visit, "code", code) == "wrong_code"


def test_guessing_locks_the_pin_and_nothing_else(counter: Desk) -> None:
    number, person = counter.person()
    own = set_pin(counter, person)
    visit = counter.visit(number)
    left = []
    for _try in range(5):
        try:
            counter.begin(visit, "pin", "000001")
        except Refusal as refusal:
            left.append((refusal.code, refusal.details["left"]))
    assert left == [("wrong_pin", n) for n in (4, 3, 2, 1, 0)]
    assert code_of(counter.begin, visit, "pin", PIN) == "pin_locked", "the right one too"
    assert "PIN" in counter.messages(number)[0]["text"], "the person is told"
    counter.keeper.counter.send_code(counter.clerk, visit)
    counter.begin(visit, "code", counter.code(number))
    assert counter.land.alive(own), "the person's own session stands"
    counter.keeper.counter.set_pin(own, "", "284917")
    assert counter.keeper.counter.mine(person)["pin"] == "set"


def test_many_at_once_guess_no_more_often(counter: Desk) -> None:
    number, person = counter.person()
    set_pin(counter, person)
    visit = counter.visit(number)

    def guess(n: int) -> str:
        return code_of(counter.begin, visit, "pin", f"{n:06}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(100_000, 100_020)))
    assert answers.count("wrong_pin") == 5
    assert answers.count("pin_locked") == 15


@pytest.mark.parametrize(
    ("pin", "reason"),
    [
        ("12345", "form"),
        ("1234567", "form"),
        ("abcdef", "form"),
        ("١٢٣٤٥٦", "form"),
        ("123456", "easy"),
        ("987654", "easy"),
        ("111111", "easy"),
        ("121212", "easy"),
        ("471471", "easy"),
    ],
)
def test_weak_pins(counter: Desk, pin: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        counter.keeper.counter.set_pin(counter.land.session(counter.registrar.person), "", pin)
    assert (refused.value.code, refused.value.details["reason"]) == ("weak_pin", reason)


def test_a_birth_date_is_no_pin(counter: Desk) -> None:
    number, person = counter.person()
    year, month, day = counter.keeper.people.profile(person)["birth_date"].split("-")
    session = counter.land.session(person)
    for pin in (day + month + year[2:], year[2:] + month + day):
        with pytest.raises(Refusal) as refused:
            counter.keeper.counter.set_pin(session, "", pin)
        assert refused.value.details["reason"] in {"own", "easy"}
    del number


def test_setting_a_pin_asks_for_the_password_where_there_is_one(counter: Desk) -> None:
    _, person = counter.person()
    keeper, session = counter.keeper, counter.land.session(person)
    keeper.committer.commit(keeper.credentials.password_body(person, "mbi-malet-e-larta-7"))
    assert code_of(keeper.counter.set_pin, session, "", PIN) == "wrong"
    for _try in range(4):
        assert code_of(keeper.counter.set_pin, session, "guess", PIN) == "wrong"
    assert code_of(keeper.counter.set_pin, session, "mbi-malet-e-larta-7", PIN) == "slow_down"


# The second official -----------------------------------------------------------------------------------


def test_nobody_confirms_their_own_question(counter: Desk) -> None:
    number, _ = counter.person()
    visit = counter.visit(number)
    counter.keeper.counter.ask_signature(counter.clerk, visit)
    assert code_of(counter.answer, "assisted_signature", counter.clerk) == "unknown_request"
    asked = counter.keeper.approvals.asked_by(counter.clerk.person, "assisted_signature")[0]
    assert code_of(counter.keeper.approvals.answer, counter.clerk, asked.id, yes=True) == "unknown_request"
    again = counter.land.session(counter.clerk.person, "receptionist", counter.clerk.office)
    assert code_of(counter.keeper.approvals.answer, again, asked.id, yes=True) == "unknown_request"
    assert code_of(counter.begin, visit, "signature") == "not_confirmed"


def test_no_other_office_and_no_other_role_confirms(counter: Desk) -> None:
    number, person = counter.person()
    visit = counter.visit(number)
    counter.keeper.counter.ask_signature(counter.clerk, visit)
    for other in (counter.stranger, counter.above, counter.registrar, counter.land.session(person)):
        assert code_of(counter.answer, "assisted_signature", other) == "unknown_request"
    assert code_of(counter.begin, visit, "signature") == "not_confirmed"


def test_a_colleague_who_says_no(counter: Desk) -> None:
    number, _ = counter.person()
    visit = counter.visit(number)
    counter.sign(visit, counter.colleague, yes=False)
    assert code_of(counter.begin, visit, "signature") == "not_confirmed"


def test_ten_minutes_to_confirm_and_to_begin(counter: Desk) -> None:
    number, _ = counter.person()
    visit = counter.visit(number)
    counter.keeper.counter.ask_signature(counter.clerk, visit)
    counter.minutes(11)
    assert code_of(counter.answer, "assisted_signature", counter.colleague) == "unknown_request"
    counter.sign(visit, counter.colleague)
    counter.minutes(11)
    assert counter.keeper.counter.show(counter.clerk, visit)["signature"] == "expired"
    assert code_of(counter.begin, visit, "signature") == "not_confirmed"


def test_a_yes_is_good_for_its_visit_only(counter: Desk) -> None:
    number, _ = counter.person()
    first, second = counter.visit(number), counter.visit(number)
    counter.sign(first, counter.colleague)
    assert code_of(counter.begin, second, "signature") == "not_confirmed"
    assert code_of(counter.begin, first, "signature", clerk=counter.colleague) == "unknown_visit"
    counter.begin(first, "signature")
    assert code_of(counter.begin, first, "signature") == "unknown_visit"


def test_of_two_at_once_one_begins(counter: Desk) -> None:
    number, _ = counter.person()
    visit = counter.visit(number)
    counter.sign(visit, counter.colleague)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _n: code_of(counter.begin, visit, "signature"), range(4)))
    assert sorted(answers) == ["none", "unknown_visit", "unknown_visit", "unknown_visit"]


def test_a_pin_at_the_desk_needs_the_second_official(counter: Desk) -> None:
    """Else a clerk would set one while the person is there, and use it when the person is gone."""
    number, person = counter.person(phone="")
    visit = counter.visit(number)
    counter.keeper.counter.ask_pin(counter.clerk, visit, PIN)
    assert code_of(counter.begin, visit, "pin", PIN) == "no_pin"
    assert code_of(counter.answer, "counter_pin", counter.clerk) == "unknown_request"
    assert code_of(counter.answer, "counter_pin", counter.stranger) == "unknown_request"
    counter.answer("counter_pin", counter.colleague)
    assert counter.keeper.counter.mine(person)["pin_office"] == "Branch_1"
    assert counter.begin(visit, "pin", PIN).person == person
