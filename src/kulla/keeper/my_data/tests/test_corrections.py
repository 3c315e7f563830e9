"""Corrections: asked with a document, opened as a look, decided by a registrar, told."""

from uuid import uuid4

from kulla.keeper.errors import Refusal
from kulla.keeper.my_data.documents import MAX_BYTES
from kulla.keeper.my_data.tests.conftest import ARTA, BESA, OFFICIALS, Lab, move
from kulla.keeper.my_data.tests.test_documents import chunk, png
from kulla.keeper.my_data.viewing import Filter


class refused:  # noqa: N801 - reads as pytest.raises
    """A with block that must end in this refusal."""

    def __init__(self, code: str, reason: str = "") -> None:
        self.code, self.reason = code, reason

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _at: object) -> bool:
        assert isinstance(error, Refusal), f"no refusal, but {self.code} was due"
        assert error.code == self.code and error.details.get("reason", "") == self.reason
        return True


def big(size: int) -> bytes:
    """A picture of exactly this size."""
    return png(extra=chunk(b"teXt", bytes(size - len(png()) - 12)))


def test_a_correction_from_request_to_register(lab: Lab) -> None:
    """Queue without names; opening is a look that costs once an hour; the document comes back whole."""
    corrections, me = lab.keeper.my_data.corrections, lab.arta
    document = big(1_500_000)
    request = corrections.ask(me, "first_name", "  Arta-Ëngjëll ", "Mungon emri i dytë", document)
    registrar = lab.official("registrar")
    [line] = corrections.queue(registrar)
    assert line["document"] == "png" and line["size"] == len(document)
    assert "Arta" not in str(line) and "value" not in line
    with refused("not_opened"):
        corrections.decide(registrar, request, yes=True, reason="E qartë.")
    spent = len(lab.keeper.looks.spent_since(0))
    opened = corrections.open(registrar, request)
    assert (opened["name"], opened["number"]) == ("Arta Hoxha", ARTA.number)
    assert (opened["was"], opened["now"], opened["value"]) == ("Arta", "Arta", "Arta-Ëngjëll")
    assert corrections.document(registrar, request) == {"kind": "png", "data": document}
    corrections.open(registrar, request)
    assert len(lab.keeper.looks.spent_since(0)) == spent + 1, "again within the hour costs nothing"
    lines, _ = lab.keeper.my_data.viewing.page(me.person, Filter(), limit=3)
    assert [line["purpose"] for line in lines] == ["correction"] * 3, "and is logged each time"
    assert lines[1]["fields"] == ["document"]
    with refused("no_text"):
        corrections.decide(registrar, request, yes=True, reason=" ")
    corrections.decide(registrar, request, yes=True, reason="Dokumenti e tregon.")
    assert lab.keeper.people.field(me.person, "first_name") == "Arta-Ëngjëll"
    assert lab.inbox(me)[0] == "Kërkesa juaj për korrigjim u vendos"
    [mine] = corrections.all_of(me.person)
    assert (mine["state"], mine["answer"]) == ("accepted", "Dokumenti e tregon.")
    with refused("decided"):
        corrections.decide(registrar, request, yes=False, reason="Jo.")
    assert corrections.queue(registrar) == []


def test_a_refused_one_changes_nothing(lab: Lab) -> None:
    """And says why."""
    corrections, me, registrar = lab.keeper.my_data.corrections, lab.dritan, lab.official("registrar2")
    request = corrections.ask(me, "birth_date", "1975-11-03", "Gabim", None)
    corrections.open(registrar, request)
    with refused("no_value"):
        corrections.document(registrar, request)
    corrections.decide(registrar, request, yes=False, reason="Numri tregon ditën 2.")
    assert lab.keeper.people.field(me.person, "birth_date") == "1975-11-02"
    assert corrections.all_of(me.person)[0]["answer"] == "Numri tregon ditën 2."


def test_values_that_cannot_be(lab: Lab) -> None:
    """Empty, the same, other fields, control signs, days that are none."""
    ask, me = lab.keeper.my_data.corrections.ask, lab.arta
    for field, value in (
        ("first_name", " "),
        ("first_name", "a\x00b"),
        ("first_name", "x" * 201),
        ("sex", "x"),
    ):
        with refused("bad_value", "form"):
            ask(me, field, value, "", None)
    for value in ("1988-02-30", "3000-01-01", "1700-01-01", "19880514", "nesër"):
        with refused("bad_value", "form"):
            ask(me, "birth_date", value, "", None)
    with refused("bad_value", "same"):
        ask(me, "last_name", "Hoxha", "", None)
    for field in ("number", "language", "status", "phone", "__class__"):
        with refused("bad_request"):
            ask(me, field, "x", "", None)
    with refused("bad_document", "too_large"):
        ask(me, "last_name", "Hoxhaj", "", big(MAX_BYTES) + b"x")
    with refused("bad_document", "empty"):
        ask(me, "last_name", "Hoxhaj", "", b"")
    assert all(each["state"] != "open" for each in lab.keeper.my_data.corrections.all_of(me.person))


def test_measures(lab: Lab) -> None:
    """Three open requests; six million bytes in thirty days, decided or not."""
    move(lab, 40)
    corrections, me, registrar = lab.keeper.my_data.corrections, lab.dritan, lab.official("registrar")
    requests = [corrections.ask(me, "place", f"Vendi {number}", "", big(2_000_000)) for number in range(3)]
    with refused("capped", "open"):
        corrections.ask(me, "place", "Vlorë", "", None)
    lab.keeper.looks.confirm(1 << 62)
    for request in requests:
        corrections.open(registrar, request)
        corrections.decide(registrar, request, yes=False, reason="Jo.")
        lab.keeper.looks.confirm(1 << 62)
    with refused("capped", "bytes"):
        corrections.ask(me, "place", "Vlorë", "", big(400_000))
    corrections.ask(me, "place", "Vlorë", "", None)
    move(lab, 71)
    corrections.ask(me, "place", "Durrës", "", big(400_000))


def test_who_may_not(lab: Lab) -> None:
    """Clerks, protection officials, citizens; a registrar in one's own matter; an invented request."""
    move(lab, 120)
    corrections = lab.keeper.my_data.corrections
    for session in (lab.vjosa, lab.official("protection"), lab.arta):
        for call in (corrections.queue, lambda s: corrections.open(s, uuid4())):
            with refused("role"):
                call(session)
    own = lab.official("both")
    request = corrections.ask(lab.live(OFFICIALS["both"][0]), "address", "Rruga 1", "", None)
    assert request not in [each["id"] for each in corrections.queue(own)]
    for call in (corrections.open, corrections.document):
        with refused("unknown_request"):
            call(own, request)
    with refused("unknown_request"):
        corrections.decide(own, request, yes=True, reason="Po.")
    with refused("unknown_request"):
        corrections.open(lab.official("registrar"), uuid4())


def test_a_child_is_not_asked_for_here(lab: Lab) -> None:
    """The session's person is who the request is about: Besa's profile stays as it is."""
    before = lab.keeper.people.profile(lab.person(BESA.number))
    lab.keeper.my_data.corrections.ask(lab.arta, "address", "Rruga e re 2", "", None)
    assert lab.keeper.people.profile(lab.person(BESA.number)) == before
