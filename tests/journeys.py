"""What people do on the portal, step by step, over HTTP: find a time, book, wait for the receipt, cancel.

Each step takes the form from the page before, as a browser does. Nothing here knows an address that a page
does not show, except where a journey begins.
"""

import random
import re
import time
from urllib.parse import urljoin

from tests.person import Form, Page, Person

RECEIPT = re.compile(r"^/receipts/([0-9a-f-]{36})/$")
SETTLE_S = 30.0


class NoTime(AssertionError):
    """No office has a free time of this kind (for this person)."""


def free_times(person: Person, specialty: str, town: str = "Tiranë") -> tuple[Page, list[str]]:
    """The page with an office's free times and the values of its buttons, at the nearest office that has any."""
    person.open("/appointments/")
    page = person.click(f"/find/{specialty}/")
    page = person.submit(having="q", q=town)
    if not any("/at/" in href for href, _ in page.links):  # several places of that name: take the first
        page = person.click("/near/")
    listing = page.url
    offices = list(dict.fromkeys(href for href, _ in page.links if "/at/" in href))
    for office in offices:
        page = person.open(urljoin(listing, office))
        assert page.status == 200, f"{page.url} answers {page.status}: {page.text[:400]}"
        times = times_on(page)
        if not times and (later := [href for href, _ in page.links if "from=" in href]):
            page = person.open(later[-1])
            times = times_on(page)
        if times:
            return page, times
    raise NoTime(f"no free time for {specialty} near {town}")


def times_on(page: Page) -> list[str]:
    """The values of every time that this page offers."""
    found: list[str] = []
    for form in page.forms:
        found += form.choices.get("time", [])
        found += [value for name, value, _ in form.buttons if name == "time"]
    return found


def choose(person: Person, value: str) -> Page:
    """Press the button of one time on the page of free times."""
    assert person.page is not None
    for form in person.page.forms:
        if value in form.choices.get("time", []):
            return person.submit(form=form, time=value)
        if any(name == "time" and each == value for name, each, _ in form.buttons):
            return person.submit(form=form, button=value)
    raise AssertionError(f"{person.page.url} does not offer {value}")


def hold_a_time(
    person: Person, specialty: str = "gp", town: str = "Tiranë", chance: random.Random | None = None
) -> Page:
    """Find a free time and hold it: the page with the booking form, on which a guardian has chosen herself.

    Tries other times when one is just taken.
    """
    for _ in range(6):
        _page, times = free_times(person, specialty, town)
        page = choose(person, (chance or random).choice(times))
        if page.status == 200 and any("key" in form.names() for form in page.forms):
            form = page.form(having="key")
            people = form.choices.get("person", [])
            if people and "person" not in dict(form.fields):
                form.fields.append(("person", people[0]))
            return page
    raise NoTime(f"six times for {specialty} were all taken: {page.text[:300]}")


def book(
    person: Person,
    specialty: str = "gp",
    *,
    reason: str = "",
    ward: bool = False,
    town: str = "Tiranë",
    chance: random.Random | None = None,
) -> Page:
    """Book a time for oneself or for the first ward; gives the receipt page as it stands right after."""
    hold_a_time(person, specialty, town, chance)
    page = send(person, reason=reason, ward=ward)
    assert RECEIPT.match(page.path), (
        f"no receipt page after booking: {page.status} {page.url} {page.text[:800]}"
    )
    return page


def send(person: Person, *, reason: str = "", ward: bool = False, form: Form | None = None) -> Page:
    """Fill in the booking form at hand and press Book, for oneself or for the first ward."""
    assert person.page is not None
    form = form or person.page.form(having="key")
    return person.submit(form=form, button="book", reason=reason, **whom(form, ward=ward))


def whom(form: Form, *, ward: bool = False) -> dict[str, str]:
    """What a guardian chooses on a booking form; nobody else is asked."""
    people = form.choices.get("person", [])
    assert people or not ward, "there is no ward to book for"
    return {"person": people[1 if ward else 0]} if people else {}


def receipt_id(page: Page) -> str:
    """The uuid of the entry whose receipt this page is."""
    match = RECEIPT.match(page.path)
    assert match, f"{page.url} is no receipt page"
    return match[1]


def is_received(page: Page) -> bool:
    """Whether a receipt page offers the proof: it does so only when the receipt exists."""
    return any("receipt.tlog-proof" in href for href, _ in page.links)


def wait_received(person: Person, page: Page, seconds: float = SETTLE_S) -> Page:
    """Look at a receipt page again and again, as its refresh does, until it says received."""
    address = page.url
    until = time.monotonic() + seconds
    while True:
        page = person.open(address)
        assert page.status == 200, f"{address}: {page.status} {page.text[:400]}"
        if is_received(page):
            return page
        assert time.monotonic() < until, f"not received after {seconds} s: {page.text[:600]}"
        time.sleep(0.2)


def appointment_of(person: Person, receipt: Page) -> str:
    """The address of the appointment whose booking this receipt is about: its calendar link names it."""
    page = person.open(receipt.url)
    for href, _ in page.links:
        if match := re.match(r"(/appointments/[0-9a-f-]{36}/)calendar\.ics$", href):
            return match[1]
    raise AssertionError(f"{receipt.url} does not lead to an appointment: {page.links}")


def cancel(person: Person, receipt: Page) -> Page:
    """From a booking's receipt to its appointment, and cancel it: the receipt of the cancelling."""
    person.open(appointment_of(person, receipt))
    person.click("cancel")
    page = person.submit("cancel")
    assert RECEIPT.match(page.path), f"not cancelled: {page.status} {page.url} {page.text[:500]}"
    return page


def my_appointments(person: Person) -> list[str]:
    """Addresses of the appointments that "my page" lists."""
    page = person.open("/my")
    return [href for href, _ in page.links if re.search(r"/appointments/[0-9a-f-]{36}/$", href)]


# -- officials -----------------------------------------------------------------------------------------------------


def open_all_day(clerk: Person, chance: random.Random | None = None) -> str:
    """Set the hours of one practitioner of the clerk's office to every day, all day. Gives the diary's address."""
    page = clerk.open("/reception/hours/")
    diaries = [href for href, _ in page.links if re.search(r"/reception/hours/[0-9a-f-]{36}/$", href)]
    address = (chance or random).choice(diaries)
    clerk.open(address)
    days = {f"day_{number}": "00:00-24:00" for number in range(7)}
    page = clerk.submit(having="grid", button="preview", slot_minutes="5", **days)
    assert page.status == 200, f"no preview of hours: {page.status} {page.text[:400]}"
    page = clerk.submit(having="grid", button="save")
    assert "saved" in page.url, f"hours not saved: {page.status} {page.text[:400]}"
    return address


def phone_book(
    clerk: Person,
    number: str,
    *,
    practitioner: str = "",
    reason: str = "",
    first: bool = False,
    chance: random.Random | None = None,
) -> Page:
    """Book for a caller with this identity number; gives the office's page of the appointment."""
    page = clerk.open("/reception/book/")
    desks = [href for href, _ in page.links if re.search(r"/reception/book/[0-9a-f-]{36}/$", href)]
    wanted = [href for href in desks if practitioner and practitioner in href] or desks
    page = clerk.open(wanted[0])
    times = [href for href, _ in page.links if re.search(r"/reception/book/[0-9a-f-]{36}/\d+/$", href)]
    clerk.open(times[0] if first else (chance or random).choice(times))
    page = clerk.submit(having="number", number=number, reason=reason)
    assert "/reception/appointment/" in page.path, f"not booked: {page.status} {page.url} {page.text[:600]}"
    return page


def office_cancel(clerk: Person, appointment: str) -> Page:
    """Cancel one appointment as the office."""
    clerk.open(appointment)
    page = clerk.click("/cancel/")
    form = page.form(having="reason")
    page = clerk.submit(form=form, reason=form.choices["reason"][0])
    assert page.status == 200, f"not cancelled: {page.status} {page.text[:400]}"
    return page


def arrive(clerk: Person) -> Page:
    """Note the first person of today's list as arrived."""
    page = clerk.open("/reception/")
    forms = [form for form in page.forms if "/arrived/" in form.action]
    assert forms, f"nobody to arrive today: {page.text[:500]}"
    page = clerk.submit(form=forms[0])
    assert page.status == 200, f"not noted: {page.status} {page.text[:400]}"
    return page
