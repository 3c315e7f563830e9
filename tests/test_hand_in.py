"""Everything was put back from a backup of yesterday. A citizen's receipt brings her appointment back."""

import re
import shutil
from collections.abc import Iterator

import pytest

from tests import journeys
from tests.country import Country, remove, run_kulla, short_folder


@pytest.fixture
def country() -> Iterator[Country]:
    folder = short_folder()
    country = Country.create(folder)
    yield country
    country.stop()
    remove(folder)


def test_from_the_citizens_hand_to_her_page(country: Country) -> None:
    home, backup = country.home, country.home.with_name("backup")
    country.up()
    citizen = country.sign_in("citizen")
    # The keeper knows her in this service: what it makes at the first use (keys, pseudonyms) is in the backup.
    journeys.wait_received(
        citizen, journeys.cancel(citizen, journeys.wait_received(citizen, journeys.book(citizen)))
    )
    before = journeys.my_appointments(citizen)
    country.stop()
    shutil.copytree(home, backup, symlinks=True)
    country.up()
    citizen = country.sign_in("citizen")
    receipt = journeys.wait_received(citizen, journeys.book(citizen))
    proof = citizen.open(
        next(href for href, _ in receipt.links if "receipt.tlog-proof" in href)
    ).body.decode()
    after = journeys.my_appointments(citizen)
    assert len(after) == len(before) + 1
    country.stop()
    shutil.rmtree(home)
    backup.rename(home)
    country.up()

    visitor = country.visitor()
    assert journeys.my_appointments(country.sign_in("citizen")) == before
    visitor.open("/verify")
    visitor.click("/verify/hand-in")
    page = visitor.submit(having="text", text=proof)
    assert "Your receipt was taken in" in page.text
    code = re.search(r"(?<![\w-])[A-Z2-7]{4}-[A-Z2-7]{4}(?![\w-])", page.text)
    assert code

    listed = run_kulla("receipts", "--home", str(home)).stdout
    assert code[0] in listed
    assert "missing" in listed
    assert "appointment.booked" in listed
    assert journeys.my_appointments(country.sign_in("citizen")) == before  # looking changes nothing
    none = run_kulla("receipts", "--home", str(home), "--bring-back", "AAAA-2222", check=False)
    assert none.returncode == 2
    assert "No receipt with the check code AAAA-2222" in none.stderr
    keys = str(home / "holders")
    back = run_kulla("receipts", "--home", str(home), "--keys", keys, "--bring-back", code[0].lower())
    assert "brought back: 1 of 1 rows" in back.stdout, back.stdout
    assert journeys.my_appointments(country.sign_in("citizen")) == after
    assert run_kulla("receipts", "--home", str(home)).stdout == "No receipt waits.\n"
    compared = run_kulla("rebuild", "--home", str(home), "--compare", "--keys", keys)
    assert compared.returncode == 0, compared.stdout
