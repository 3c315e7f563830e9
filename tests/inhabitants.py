"""A browser for each role, after something has happened in every area of people; for tests that visit every page."""

from tests import acts
from tests.country import Country
from tests.person import Person

ROLES = {
    "citizen": "citizen",
    "receptionist": "clerk",
    "registrar": "registrar",
    "protection": "protection",
    "admin": "admin",
    "operator": "operator",
}


def arrive(country: Country) -> dict[str, Person]:
    """Everyone signed in: role -> browser; "assisted" is a clerk who acts with somebody."""
    signed_in = {role: country.sign_in(who) for role, who in ROLES.items()}
    return {**signed_in, "assisted": people_acted(country, signed_in)}


def been(person: Person) -> list[str]:
    """Every address that this person has seen as a page."""
    return list(
        dict.fromkeys(path for method, path, status in person.seen if method == "GET" and status == 200)
    )


def people_acted(country: Country, signed_in: dict[str, Person]) -> Person:
    """Something waits and something was done in every area of people; gives a clerk who acts with somebody."""
    accounts = country.accounts()
    citizen, clerk, admin = signed_in["citizen"], signed_in["receptionist"], signed_in["admin"]
    registrar = signed_in["registrar"]
    for who in ("citizen", "neighbour3"):
        visit = acts.find_at_counter(clerk, accounts[who].number).path
        for step in ("code", "pin", "signature", "new-pin"):
            acts.fine(clerk.open(f"{visit}{step}"))
    clerk.open("/counter/account/")
    clerk.submit(having="identifier", identifier=accounts["citizen"].number)
    clerk.click("/phone")
    acts.ask_about_look(citizen, "Pse?")
    acts.ask_correction(citizen, "place", "Shkodër", "U shpërngula.")
    citizen.open("/my/data/erase")
    acts.fine(citizen.submit(having="text", text="Gjithçka e vjetër"))
    acts.offer_mandate(citizen, "money")
    child = accounts["parent_of_teenager"].child_number
    acts.ask_guardian(registrar, accounts["neighbour2"].number, child)
    acts.ask_guardian(country.sign_in("registrar2"), accounts["neighbour3"].number, child)
    office = accounts["clerk"].office
    page = admin.open(f"/offices/admin/{office}/")
    for last in ("/renew", "/end", "/review"):
        acts.fine(admin.open(next(href for href, _ in page.links if href.endswith(last))))
    acts.offer_role(admin, office, "receptionist", accounts["citizen"].number)
    helper = country.sign_in("colleague")
    helper.seen.clear()
    acts.assist_by_code(country, helper, accounts["neighbour4"])
    helper.seen = [("GET", "/my", 200), ("GET", "/counter/finish", 200)]
    return helper
