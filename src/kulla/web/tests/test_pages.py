"""Page numbers and static files."""

import json

import pytest

from kulla.web import assets_index
from kulla.web.pages import paginate


@pytest.mark.parametrize(
    ("number", "items", "previous", "following"),
    [
        ("1", [0, 1], None, 2),
        ("2", [2, 3], 1, 3),
        ("3", [4], 2, None),
        ("99", [4], 2, None),
        ("0", [0, 1], None, 2),
        ("-1", [0, 1], None, 2),
        ("x", [0, 1], None, 2),
        ("٢", [0, 1], None, 2),
        ("9" * 5000, [4], 2, None),
        (None, [0, 1], None, 2),
    ],
)
def test_any_number_gives_a_page(
    number: str | None, items: list[int], previous: int | None, following: int | None
) -> None:
    """Nothing typed into the address is an error."""
    page = paginate(range(5), number, 2)
    assert list(page.items) == items
    assert (page.previous, page.next) == (previous, following)


def test_an_empty_list_has_one_page() -> None:
    """And no neighbours."""
    page = paginate([], "7", 2)
    assert (list(page.items), page.number, page.last) == ([], 1, 1)


def test_built_files_have_their_hash_in_the_name() -> None:
    """So that browsers keep them for ever and never keep a wrong one."""
    names = json.loads((assets_index.FOLDER / "manifest.json").read_text())
    assert {
        *("kulla.css", "htmx.js", "passkeys.js", "favicon.svg", "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    } == set(names)
    for name in names:
        assert assets_index.path_of(name).stat().st_size > 100
        assert assets_index.static(name) == f"/static/kulla/{names[name]}"
    with pytest.raises(KeyError):
        assets_index.static("nothing.css")


def test_the_first_view_is_at_most_60_kb() -> None:
    """Styles and script, compressed with gzip as every browser takes it; pages add less than 10 kB each."""
    names = json.loads((assets_index.FOLDER / "manifest.json").read_text())
    size = sum(
        (assets_index.FOLDER / f"{names[name]}.gz").stat().st_size for name in ("kulla.css", "htmx.js")
    )
    assert size < 50_000


def test_the_styles_are_our_own() -> None:
    """No crown, no crest, no font and no name of another country's government."""
    css = assets_index.path_of("kulla.css").read_text()
    for foreign in ("GDS Transport", "@font-face", "crest", "crown", "#1d70b8"):
        assert foreign not in css
