"""Who is told what: by scope, and by whom it was done."""

import re
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.families.tests.conftest import AGRON, ARTA, BESA, DRITAN, MIRA, Country, tie
from kulla.keeper.testkit import TEMPLATES, Member


def send(country: Country, by: Member | None, person: UUID, **more: Any) -> None:
    template, texts = next(iter(TEMPLATES["appointments"].items()))
    values = dict.fromkeys(_names(texts), "x")
    proof = more.get("proof") or (country.enter(by).attestation if by else None)
    country.client.notify(person, "appointments", template, uuid4(), values, proof)


def _names(texts: Any) -> set[str]:
    return set(re.findall(r"\$(\w+)", " ".join(part for text in texts.values() for part in text.values())))


def newest(country: Country, who: Member) -> str:
    found = country.client.inbox(country.token(who))
    return found[0].body if found else ""


def count(country: Country, who: Member) -> int:
    return len(country.client.inbox(country.token(who)))


def test_the_other_guardian_reads_who_did_it_and_the_rule(country: Country) -> None:
    with country.running.administered() as admin:
        tie(admin, AGRON, BESA, scopes=["health"])
        tie(admin, DRITAN, BESA, scopes=["school"])
    before = count(country, DRITAN)
    child = country.enter(ARTA).wards[0].person
    send(country, ARTA, child)
    assert f"Këtë e bëri {ARTA.name}, që mund të veprojë për: {BESA.name}." in newest(country, AGRON)
    assert "Rregulli i këtij shërbimi: secili mund të rezervojë e të anulojë." in newest(country, AGRON)
    assert "Këtë e bëri" not in newest(country, ARTA)
    assert count(country, DRITAN) == before, "his scope is another one"
    send(country, AGRON, child)
    assert f"Këtë e bëri {AGRON.name}" in newest(country, ARTA)


def test_a_stranger_in_the_attestation_is_not_named(country: Country) -> None:
    """A stolen portal could hand in anybody's attestation."""
    child = country.enter(ARTA).wards[0].person
    send(country, MIRA, child)
    assert MIRA.name not in newest(country, ARTA)
    assert "dikush tjetër" in newest(country, ARTA)
    forged = country.enter(AGRON, "bills").attestation
    send(country, None, child, proof=forged)
    assert "Këtë e bëri" not in newest(country, ARTA), "an attestation of another service says nothing"


def test_without_custody_nothing_is_told(country: Country) -> None:
    with country.running.administered() as admin:
        tie(admin, AGRON, BESA, custody=False)
    before = count(country, AGRON)
    send(country, ARTA, country.enter(ARTA).wards[0].person)
    assert count(country, AGRON) == before
