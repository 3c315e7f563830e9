"""Protected persons: two officials for each look, the contact is told, the address is on no screen."""

import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.opening import Item, register_item
from kulla.keeper.protected import HIDDEN
from kulla.keeper.sessions import Live
from kulla.keeper.testkit import ARTA, BESA
from kulla.keeper.tests.counter_kit import Desk, code_of, desk

SERVICE = "appointments"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("protected")) as found:
        yield found


@pytest.fixture(autouse=True)
def fresh_budgets(counter: Desk) -> None:
    counter.keeper.budgets.restore([])


def protect(counter: Desk, person: UUID, contact: UUID | None = None) -> None:
    """By two registrars."""
    counter.keeper.protected.ask_protect(counter.registrar, person, contact, "violence")
    counter.answer("protect", counter.second)


def item(counter: Desk, person: UUID, field: str = "name") -> Item:
    return register_item(counter.keeper.people.pseudonym(person, SERVICE), SERVICE, field)


def read(counter: Desk, session: Live, person: UUID, field: str = "name", purpose: str = "day list") -> str:
    answer = counter.keeper.opening.open(session, [item(counter, person, field)], purpose)[0]
    return str(answer.get("text") or answer["refused"])


def kinds(counter: Desk, number: str) -> list[str]:
    return [message["kind"] for message in counter.messages(number)]


# Who ---------------------------------------------------------------------------------------------------


def test_two_registrars_protect_and_end_it(counter: Desk) -> None:
    number, person = counter.person()
    helper_number, helper = counter.person()
    keeper = counter.keeper
    assert code_of(keeper.protected.ask_protect, counter.clerk, person, None, "violence") == "role"
    assert code_of(keeper.protected.ask_protect, counter.registrar, person, None, "fame") == "bad_request"
    keeper.protected.ask_protect(counter.registrar, person, helper, "violence")
    for other in (counter.registrar, counter.clerk, counter.above):
        assert code_of(counter.answer, "protect", other) == "unknown_request"
    assert not keeper.protected.is_protected(person)
    counter.answer("protect", counter.second)
    assert keeper.protected.is_protected(person)
    assert keeper.protected.contact(person) == helper
    assert kinds(counter, number)[0] == kinds(counter, helper_number)[0] == "protected_set"
    keeper.protected.ask_unprotect(counter.second, person, "moved away")
    assert code_of(counter.answer, "unprotect", counter.second) == "unknown_request"
    counter.answer("unprotect", counter.registrar)
    assert not keeper.protected.is_protected(person)
    assert kinds(counter, number)[0] == kinds(counter, helper_number)[0] == "protected_ended"


def test_a_protected_registrar_does_not_decide_about_themselves(counter: Desk) -> None:
    protected = counter.keeper.protected
    assert (
        code_of(protected.ask_protect, counter.registrar, counter.registrar.person, None, "keeper")
        == "yourself"
    )
    protected.ask_protect(counter.registrar, counter.second.person, None, "keeper")
    assert code_of(counter.answer, "protect", counter.second) == "unknown_request"


# Looks -------------------------------------------------------------------------------------------------


def test_a_look_needs_a_release_and_is_told(counter: Desk) -> None:
    number, person = counter.person()
    helper_number, helper = counter.person()
    name = read(counter, counter.clerk, person)
    protect(counter, person, helper)
    keeper, office = counter.keeper, counter.clerk.office
    assert read(counter, counter.clerk, person) == "protected"
    assert counter.looks(person)[0]["allowed"] is False, "the try is on the log"
    assert office is not None
    keeper.committer.commit(
        {
            "type": "grant",
            "ref": uuid4(),
            "person": person,
            "service": SERVICE,
            "office": office,
            "day": keeper.people.today().isoformat(),
            "at": 0,
            "late": False,
        }
    )
    assert keeper.grants.holds(office, person)
    assert read(counter, counter.clerk, person) == "protected", "also with a grant"
    assert keeper.protected.ask(counter.clerk, person, SERVICE, "day list") == "open"
    assert keeper.protected.ask(counter.clerk, person, SERVICE, "day list") == "open", "asked once"
    told = kinds(counter, helper_number).count("protected_looked")
    for other in (counter.clerk, counter.stranger, counter.registrar):
        assert code_of(counter.answer, "protected_look", other) == "unknown_request"
    counter.answer("protected_look", counter.colleague)
    assert read(counter, counter.clerk, person) == name
    assert kinds(counter, helper_number).count("protected_looked") == told + 1
    assert name not in str(counter.messages(helper_number)[0]["text"])
    assert kinds(counter, number).count("protected_looked") == 0, "the contact is told, whom the person chose"
    assert counter.looks(person)[0]["allowed"] is True
    assert read(counter, counter.clerk, person, purpose="receipt") == "protected", "for one purpose"
    assert read(counter, counter.colleague, person) == "protected", "for one official"
    counter.minutes(31)
    assert read(counter, counter.clerk, person) == "protected", "for half an hour"


def test_the_office_above_releases_too(counter: Desk) -> None:
    _, person = counter.person()
    protect(counter, person)
    counter.keeper.protected.ask(counter.clerk, person, SERVICE, "day list")
    counter.answer("protected_look", counter.above)
    assert read(counter, counter.clerk, person) != "protected"


def test_a_release_of_one_person_opens_no_other(counter: Desk) -> None:
    _, person = counter.person()
    _, other = counter.person()
    protect(counter, person)
    protect(counter, other)
    counter.keeper.protected.ask(counter.clerk, person, SERVICE, "day list")
    counter.answer("protected_look", counter.colleague)
    pair = [item(counter, person), item(counter, other)]
    answers = counter.keeper.opening.open(counter.clerk, pair, "day list")
    assert "text" in answers[0]
    assert answers[1] == {"refused": "protected"}


def test_one_protected_person_does_not_close_a_list(counter: Desk) -> None:
    _, person = counter.person()
    _, other = counter.person()
    protect(counter, person)
    pair = [item(counter, person), item(counter, other)]
    answers = counter.keeper.opening.open(counter.clerk, pair, "day list")
    assert answers[0] == {"refused": "protected"}
    assert "text" in answers[1]


def test_what_cannot_be_told_is_not_shown(counter: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, person = counter.person()
    protect(counter, person)
    keeper = counter.keeper
    keeper.protected.ask(counter.clerk, person, SERVICE, "day list")
    counter.answer("protected_look", counter.colleague)

    def fails(_person: UUID, _kind: str, _params: dict[str, str]) -> None:
        raise Refusal("copies_unavailable", "no")

    with monkeypatch.context() as patched:
        patched.setattr(keeper.protected, "tell", fails)
        assert read(counter, counter.clerk, person) == "protected"
    assert read(counter, counter.clerk, person) != "protected"


def test_a_search_tells_nothing_and_is_told(counter: Desk) -> None:
    """The answer, its cost and its entry on the log are those of anybody."""
    number, person = counter.person()
    helper_number, helper = counter.person()
    other_number, other = counter.person()
    protect(counter, person, helper)
    find = counter.keeper.opening.find
    assert find(counter.clerk, "number", number, SERVICE) == counter.keeper.people.pseudonym(person, SERVICE)
    assert find(counter.clerk, "number", other_number, SERVICE)
    same = ("kind", "cost", "allowed", "purpose", "fields")
    mine, theirs = counter.looks(person)[0], counter.looks(other)[0]
    assert [mine[name] for name in same] == [theirs[name] for name in same]
    for _try in range(100):  # it is told aside
        if "protected_found" in kinds(counter, helper_number):
            break
        time.sleep(0.05)
    assert kinds(counter, helper_number)[0] == "protected_found"


# The address -------------------------------------------------------------------------------------------


def test_the_address_is_on_no_screen(counter: Desk) -> None:
    """Not on the person's own either."""
    _, person = counter.person()
    keeper = counter.keeper
    keeper.committer.commit(
        keeper.people.update_body(person, {"address": "Rruga e Fshehtë 1", "place": "Krujë"})
    )
    pseudonym = keeper.people.pseudonym(person, SERVICE)
    own = counter.land.session(person)
    items = [Item("register", pseudonym, SERVICE, name) for name in HIDDEN]
    assert [answer.get("text") for answer in keeper.opening.open(own, items, "my page")] == [
        "Rruga e Fshehtë 1",
        "Krujë",
    ]
    protect(counter, person)
    assert keeper.opening.open(own, items, "my page") == [{"refused": "no_value"}] * 2
    keeper.protected.ask(counter.clerk, person, SERVICE, "day list")
    counter.answer("protected_look", counter.colleague)
    assert keeper.opening.open(counter.clerk, items, "day list") == [{"refused": "no_value"}] * 2
    visible = keeper.protected.visible(person, keeper.people.profile(person))
    assert not set(HIDDEN) & visible.keys()
    assert visible["first_name"]


def test_the_address_of_the_children_is_hidden_too(counter: Desk) -> None:
    keeper = counter.keeper
    arta, besa = (keeper.people.by_identifier("number", each.number) for each in (ARTA, BESA))
    assert arta and besa
    assert not keeper.protected.hides_address(besa)
    protect(counter, arta)
    assert keeper.protected.hides_address(besa)


def test_notices_still_reach_them(counter: Desk) -> None:
    number, person = counter.person()
    protect(counter, person)
    params = {"when": "nesër", "where": "Branch_1"}
    pseudonym = counter.keeper.people.pseudonym(person, SERVICE)
    counter.keeper.notices.notify(pseudonym, SERVICE, "booked", uuid4(), params)
    assert counter.keeper.notices.inbox(person)[0]["template"] == "booked"
    del number


# At the counter ----------------------------------------------------------------------------------------


def test_at_the_counter_the_name_needs_a_release(counter: Desk) -> None:
    number, person = counter.person()
    protect(counter, person)
    keeper = counter.keeper
    visit = counter.visit(number)
    shown = keeper.counter.show(counter.clerk, visit)
    assert (shown["name"], shown["birth_date"], shown["phone"], shown["pin"]) == ("", "", False, "")
    assert code_of(keeper.counter.send_code, counter.clerk, visit) == "protected_look"
    assert code_of(counter.begin, visit, "code", "123456") == "protected_look"
    assert keeper.counter.ask_release(counter.clerk, visit) == "open"
    counter.answer("protected_look", counter.colleague)
    assert keeper.counter.show(counter.clerk, visit)["name"]
    assert "protected_looked" in kinds(counter, number)
    keeper.counter.send_code(counter.clerk, visit)
    assert counter.begin(visit, "code", counter.code(number)).person == person


def test_who_confirms_the_signature_releases_too(counter: Desk) -> None:
    number, person = counter.person()
    protect(counter, person)
    visit = counter.visit(number)
    counter.sign(visit, counter.colleague)
    assert counter.begin(visit, "signature").person == person


def test_a_desk_that_looks_asks_by_itself(counter: Desk) -> None:
    """Desks of other areas look through `look_at`: the refused try puts the question, and tells nobody of a look."""
    number, person = counter.person()
    protect(counter, person)
    keeper = counter.keeper
    look = (counter.clerk, person, ["name"])
    words = {"service": "identity", "purpose": "some desk"}
    assert code_of(keeper.opening.look_at, *look, **words) == "protected"
    assert "protected_looked" not in kinds(counter, number)
    counter.answer("protected_look", counter.colleague)
    assert code_of(keeper.opening.look_at, *look, **words) == "none"
    assert "protected_looked" in kinds(counter, number)
