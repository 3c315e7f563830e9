"""What the page "my family" shows one person. Names stand here because it is their own family; nothing is given of
a child whom a parent without custody has: only that there is one."""

from typing import Any
from uuid import UUID

from kulla.keeper.families.links import GUARDIANSHIP, SCOPES, Link
from kulla.keeper.families.mandates import Mandate, Mandates
from kulla.keeper.families.store import Families
from kulla.keeper.people import People, full_name

IDENTITY = "identity"


def family(
    families: Families, mandates: Mandates, people: People, me: UUID, *, assisted: bool
) -> dict[str, Any]:
    """What `keeper_client.families.Family` describes.

    given: my offers and mandates; taken: those that I accepted and that wait or hold. Codes of offers are left out
    when it is `assisted`: an official looks on.
    """
    links = families.links(me)
    mine = [link for link in families.links_to(me) if link.kind == GUARDIANSHIP and link.open_scopes]
    return {
        "wards": [_ward(families, people, link) for link in links if link.open_scopes],
        "without_custody": sum(1 for link in links if not link.custody),
        "guardians": [
            {"name": people.field(link.actor, "name"), "relation": link.relation, **_terms(link)}
            for link in mine
        ],
        "given": [
            _mandate(people, each, each.representative) | ({"code": ""} if assisted else {})
            for each in mandates.of(me)
        ],
        "taken": [_mandate(people, each, each.person) for each in mandates.accepted_by(me)],
    }


def offer(people: People, mandate: Mandate) -> dict[str, Any]:
    """An offer as the representative sees it before accepting: who asks, for what."""
    return {**_mandate(people, mandate, mandate.person), "code": ""}


def _ward(families: Families, people: People, link: Link) -> dict[str, Any]:
    profile, words = people.profile(link.person), families.details(link)
    others = [
        full_name(people.profile(other.actor))
        for other in families.links_to(link.person)
        if other.kind == GUARDIANSHIP and other.actor != link.actor and other.open_scopes
    ]
    return {
        "name": full_name(profile),
        "person": people.pseudonym(link.person, IDENTITY),
        "kind": link.kind,
        "relation": link.relation,
        "others": others if link.kind == GUARDIANSHIP else [],
        "words": words.get("words", ""),
        "id": link.id,
        "ends": None
        if link.until or link.kind != GUARDIANSHIP or link.adult
        else _of_age(families, link.person),
        **_terms(link),
    }


def _of_age(families: Families, person: UUID) -> str | None:
    day = families.facts(person).of_age
    return day.isoformat() if day else None


def _terms(link: Link) -> dict[str, Any]:
    open_scopes = [scope for scope in SCOPES if scope in link.open_scopes]
    return {
        "scopes": open_scopes,
        "until": link.until.isoformat() if link.until else None,
        "limits": link.limits,
        "adult": link.adult,
    }


def _mandate(people: People, mandate: Mandate, other: UUID | None) -> dict[str, Any]:
    return {
        "id": mandate.id,
        "name": people.field(other, "name") if other else "",
        "scopes": list(mandate.scopes),
        "until": mandate.until.isoformat(),
        "expires_ms": mandate.expires,
        "state": mandate.state,
        "code": mandate.code,
    }
