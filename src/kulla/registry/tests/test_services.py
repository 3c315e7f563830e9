"""Declarations that cannot be used are refused at start, with a sentence that names them."""

import pytest

from kulla.registry.services import Service, ServiceError, _complete, all_services, kinds, load

WHOLE = {"sq": "Emri", "en": "Name"}


def service(**changes: object) -> Service:
    """A small whole service, with changes."""
    parts = {"slug": "x", "title": WHOLE, "summary": WHOLE, "kinds": {"x.done": WHOLE}, "start": "/x/"}
    return Service(**{**parts, **changes})  # type: ignore[arg-type]


def test_every_folder_is_found() -> None:
    """The first service is there, under the slug of its folder."""
    assert "appointments" in [found.slug for found in all_services()]


def test_every_kind_belongs_to_one_service() -> None:
    """Receipts find their titles by the kind."""
    assert kinds()["appointment.booked"][0].slug == "appointments"


@pytest.mark.parametrize("part", ["title", "summary"])
def test_a_title_missing_in_one_language_is_refused(part: str) -> None:
    """The sentence names the service, the text and the language."""
    with pytest.raises(ServiceError, match=rf"service x: {part} has no text in sq"):
        _complete(service(**{part: {"en": "Name"}}))


def test_an_unknown_role_is_refused() -> None:
    """A typing mistake in a role would otherwise close a page for everyone."""
    with pytest.raises(ServiceError, match="unknown roles: clark"):
        _complete(service(roles=("clark",)))


def test_what_cannot_be_loaded_is_named() -> None:
    """A wrong dotted path says which."""
    with pytest.raises(ServiceError, match=r"kulla\.nowhere:thing is declared"):
        load("kulla.nowhere:thing")


def test_a_scope_is_one_of_those_that_guardians_hold() -> None:
    """Another word would shut every guardian out."""
    assert _complete(service(scope="school")).scope == "school"
    with pytest.raises(ServiceError, match="the scope is none of health, school"):
        _complete(service(scope="children"))


def test_the_rule_for_guardians_who_disagree_is_there_in_every_language() -> None:
    """Each of them reads it in their own."""
    _complete(service(guardians_rule=WHOLE))
    with pytest.raises(ServiceError, match="guardians_rule is not in every language"):
        _complete(service(guardians_rule={"en": "Either may."}))
