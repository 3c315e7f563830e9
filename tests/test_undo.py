"""`kulla undo` on a running country: a clerk's account was somebody else's for a while."""

from collections.abc import Callable

import pytest

from tests import journeys
from tests.country import Country, run_kulla


@pytest.mark.both_engines
def test_what_was_done_in_a_clerks_name_is_answered_and_people_are_told(
    make_country: Callable[..., Country],
) -> None:
    """By official, from the command line, beside the running portal; honest bookings stay, a rebuild agrees."""
    country = make_country().up()
    accounts = country.accounts()
    citizen, clerk = country.sign_in("citizen"), country.sign_in("clerk")
    honest = journeys.wait_received(citizen, journeys.book(citizen, "dentist"))
    for who in ("neighbour1", "neighbour2"):
        journeys.phone_book(clerk, accounts[who].number)
    country.db.settle()
    before = country.db.kept()

    undo = ["undo", "--home", str(country.home), "--actor", f"official:{accounts['clerk'].identifier}",
            "--since", "2020-01-01"]  # fmt: skip
    would = run_kulla(*undo, "--dry-run", **country.env).stdout
    assert "2 would be answered, 0 left for a person, 0 answered before." in would, would
    country.db.settle()
    kinds = lambda rows: {row for row in rows["record_entry"] if not row[3].startswith("keeper.")}  # noqa: E731
    assert kinds(country.db.kept()) == kinds(before), "a dry run wrote something"
    did = run_kulla(*undo, **country.env).stdout
    assert did.replace("2 answered, ", "2 would be answered, ") == would
    country.db.settle()
    after = country.db.kept()
    honest_rows = [
        row for row in before["appointments_appointment"] if row in after["appointments_appointment"]
    ]
    assert len(honest_rows) == len(before["appointments_appointment"]) - 2
    assert [kind for _, kind in country.db.entries()].count("appointment.undone") == 2
    assert journeys.is_received(citizen.open(honest.url))
    neighbour = country.sign_in("neighbour1")
    answers = [entry for entry, kind in country.db.entries() if kind == "appointment.undone"]
    seen = [neighbour.open(f"/receipts/{entry}/") for entry in answers]
    (own,) = [page for page in seen if page.status == 200]  # the other one's is the other one's
    assert journeys.is_received(own), own.text[:400]
    page = neighbour.open("/my")
    assert "undone" in page.text.lower() or "cancelled" in page.text.lower() or "anul" in page.text.lower()

    again = run_kulla(*undo, **country.env).stdout
    assert "0 answered, 0 left for a person, 2 answered before." in again
    clean = run_kulla("rebuild", "--home", str(country.home), "--compare", check=False, **country.env)
    assert clean.returncode == 0, clean.stdout
    wrong = run_kulla(
        "undo", "--home", str(country.home), "--actor", "x", "--since", "2020-01-01", check=False
    )
    assert wrong.returncode == 2 and "names nobody" in wrong.stderr
