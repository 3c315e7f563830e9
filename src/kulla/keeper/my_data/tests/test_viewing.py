"""Who looked: by the page, filtered, and nobody else's."""

from uuid import uuid4

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.my_data.tests.conftest import ARTA, BESA, DRITAN, OFFICE_1, OFFICE_2, Lab, move
from kulla.keeper.my_data.viewing import Filter


def test_pages_hold_every_look_once(lab: Lab) -> None:
    """More than 500, in pages of 50, none twice, none left out."""
    entries = [{**_entry(lab), "purpose": f"look {number}"} for number in range(620)]
    lab.keeper.looks.add(entries)  # type: ignore[arg-type]
    me, seen, before, pages = lab.dritan.person, [], None, 0
    while True:
        lines, before = lab.keeper.my_data.viewing.page(me, Filter(service=""), before=before, limit=50)
        seen += [line["purpose"] for line in lines]
        pages += 1
        if before is None:
            break
    assert seen == [f"look {number}" for number in reversed(range(620))]
    assert pages == 13


def _entry(lab: Lab) -> dict[str, object]:
    from kulla.keeper.metering import entry

    person = lab.person(DRITAN.number)
    return entry("open", lab.vjosa, person, ["name"], service="s", purpose="", cost=0, allowed=True)


def test_filters(lab: Lab) -> None:
    """By office, service, person, time, and only what was refused."""
    lab.look()
    lab.look(lab.ilir)
    lab.look(lab.vjosa, BESA.number)
    viewing, me = lab.keeper.my_data.viewing, lab.arta.person

    def found(**wanted: object) -> list[tuple[str, str]]:
        lines, _ = viewing.page(me, Filter(**wanted))  # type: ignore[arg-type]
        return [(line["office"], line["whose"]) for line in lines]

    assert len(found()) == 3
    assert found(office=OFFICE_2) == [("Poliklinika Qendrore, Shkodër", "me")]
    assert found(whose=lab.person(BESA.number)) == [("Poliklinika Nr. 1, Tiranë", "Besa Hoxha")]
    assert found(whose=lab.person(DRITAN.number)) == [], "a stranger's looks are never among them"
    assert found(service="bills") == [] and len(found(service="appointments")) == 3
    assert found(refused=True) == []
    assert found(until_ms=1) == [] and found(since_ms=1 << 61) == []
    offices = [each["name"] for each in viewing.offices(me)]
    assert offices == ["Poliklinika Nr. 1, Tiranë", "Poliklinika Qendrore, Shkodër"]


def test_names_of_looks_are_the_readers_own(lab: Lab) -> None:
    """Another's name, a number, and an invented one name nothing; each reader has other names for one look."""
    lab.look()
    viewing = lab.keeper.my_data.viewing
    lines, _ = viewing.page(lab.arta.person, Filter())
    ref = lines[0]["ref"]
    assert viewing.one(lab.arta.person, ref)[2]["office"] == "Poliklinika Nr. 1, Tiranë"
    seq = viewing.one(lab.arta.person, ref)[0]
    from uuid import UUID

    guesses = [ref, uuid4(), UUID(int=seq), UUID(bytes=seq.to_bytes(8) + bytes(8))]
    for guess in guesses:
        with pytest.raises(Refusal) as caught:
            viewing.one(lab.dritan.person, guess)
        assert caught.value.code == "unknown_look"
        with pytest.raises(Refusal):
            viewing.page(lab.dritan.person, Filter(), before=guess)
    # Even with the right number in the stranger's own naming the look is not theirs.
    stolen = viewing._refs.give(lab.dritan.person, seq)
    with pytest.raises(Refusal):
        viewing.one(lab.dritan.person, stolen)


def test_a_download_stands_among_the_looks(lab: Lab) -> None:
    """And there are at most twenty a day."""
    me = lab.arta
    lab.keeper.my_data.downloaded(me, "pdf")
    lines, _ = lab.keeper.my_data.viewing.page(me.person, Filter())
    assert (lines[0]["kind"], lines[0]["purpose"], lines[0]["fields"]) == ("own", "download", ["pdf"])
    for _time in range(19):
        lab.keeper.my_data.downloaded(me, "json")
    with pytest.raises(Refusal) as caught:
        lab.keeper.my_data.downloaded(me, "json")
    assert caught.value.code == "capped"
    with pytest.raises(Refusal) as caught:
        lab.keeper.my_data.downloaded(lab.live(ARTA.number, assisted=OFFICE_1), "pdf")
    assert caught.value.code == "assisted"
    move(lab, 1.01)
    lab.keeper.my_data.downloaded(me, "json")
