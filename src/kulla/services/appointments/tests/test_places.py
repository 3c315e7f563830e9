"""The places of Albania: found without diacritics, measured on the globe."""

import pytest

from kulla.services.appointments import places


def test_all_places_are_there() -> None:
    """The data is whole, every id leads back to its place."""
    known = places.all_places()
    assert len(known) == 3133
    assert all(places.place(one.id) is one for one in known)
    assert places.place(0) is None and places.place(3134) is None


@pytest.mark.parametrize("typed", ["Shkodër", "shkoder", "SHKODËR", " shkodër ", "Shkode\u0308r"])
def test_a_town_is_found_however_it_is_typed(typed: str) -> None:
    """Case, ë, blanks and composed letters do not matter."""
    assert places.search(typed)[0].name == "Shkodër"


@pytest.mark.parametrize(
    ("typed", "name"), [("korce", "Korçë"), ("Permet", "Përmet"), ("gjiroka", "Gjirokastër")]
)
def test_ç_and_beginnings(typed: str, name: str) -> None:
    """The ç may be a c; the beginning of a name is enough."""
    assert places.search(typed)[0].name == name


@pytest.mark.parametrize("typed", ["", "   ", "zzzz", "%", "\\", "' OR 1=1", "\u0308"])
def test_nothing_is_found_for_nonsense(typed: str) -> None:
    """And nothing breaks."""
    assert places.search(typed) == []


def test_larger_places_come_first() -> None:
    """The city before the villages that begin alike."""
    assert places.search("tir")[0].name == "Tiranë"


def test_distance_tirana_durres() -> None:
    """About 31 km as the crow flies."""
    tirana, durres = places.search("tirane")[0], places.search("durres")[0]
    assert 30 < places.distance_km(tirana.latitude, tirana.longitude, durres.latitude, durres.longitude) < 33
    assert places.distance_km(tirana.latitude, tirana.longitude, tirana.latitude, tirana.longitude) == 0
