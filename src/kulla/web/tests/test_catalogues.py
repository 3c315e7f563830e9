"""The check of the translation catalogues finds each kind of fault."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[4] / "scripts" / "catalogues.py"
HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
HEAD += '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
GOOD = 'msgid "Hello %(name)s"\nmsgstr "Tungjatjeta %(name)s"\n\nmsgid "Bye"\nmsgstr "Mirupafshim"\n\n'
GOOD += (
    'msgid "%(num)s day"\nmsgid_plural "%(num)s days"\nmsgstr[0] "%(num)s ditë"\nmsgstr[1] "%(num)s ditë"\n'
)


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, looking at a package with the rooms `one` and `two`."""
    spec = importlib.util.spec_from_file_location("catalogues_under_test", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    module.ROOT = tmp_path
    for room in ("one", "two"):
        (tmp_path / room / "templates").mkdir(parents=True)
        (tmp_path / room / "templates" / "page.html").write_text(
            "{{ _('Hello %(name)s', name=x) }}{{ ngettext('%(num)s day', '%(num)s days', n) }}"
        )
        (tmp_path / room / "views.py").write_text(
            'from django.utils.translation import gettext as _\n_("Bye")\n'
        )
    return module


def write(catalogues: ModuleType, room: str, body: str) -> list[str]:
    """Give a room a catalogue and check it."""
    path = catalogues.po_path(catalogues.ROOT / room, "sq")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + body, encoding="utf-8")
    found: list[str] = catalogues.check(catalogues.ROOT / room, "sq")
    return found


def test_a_complete_catalogue_has_no_fault(catalogues: ModuleType) -> None:
    """Texts of templates and of code, singular and plural."""
    assert write(catalogues, "one", GOOD) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("Mirupafshim", ""), "has no sq text"),
        (('msgid "Bye"', '#, fuzzy\nmsgid "Bye"'), "marked fuzzy"),
        (('msgid "Bye"', 'msgid "Bye bye"'), "'Bye' is not in the sq catalogue"),
        (
            ('msgid "Bye"', 'msgid "Old"\nmsgstr "E vjetër"\n\nmsgid "Bye"'),
            "'Old' is in the sq catalogue but not used",
        ),
        (("Tungjatjeta %(name)s", "Tungjatjeta %(emri)s"), "placeholders differ"),
        (("Tungjatjeta %(name)s", "Tungjatjeta"), "placeholders differ"),
        (('msgstr[1] "%(num)s ditë"', 'msgstr[1] ""'), "has no sq text"),
    ],
)
def test_each_fault_is_named(catalogues: ModuleType, change: tuple[str, str], fault: str) -> None:
    """Missing, fuzzy, stale both ways, and placeholders that a translator lost."""
    assert change[0] in GOOD
    assert any(fault in each for each in write(catalogues, "one", GOOD.replace(*change)))


def test_two_rooms_at_odds(catalogues: ModuleType) -> None:
    """The portal merges all catalogues, so one of the two would win unseen."""
    write(catalogues, "one", GOOD)
    write(catalogues, "two", GOOD.replace("Mirupafshim", "Lamtumirë"))
    rooms = catalogues.rooms()
    (fault,) = catalogues.conflicts(rooms, "sq")
    assert "'Bye'" in fault
    assert catalogues.main(["--check"]) == 1
    write(catalogues, "two", GOOD)
    assert catalogues.main(["--check"]) == 0


def test_an_update_keeps_what_is_translated(catalogues: ModuleType) -> None:
    """New texts come empty, old ones go, the others stay."""
    write(catalogues, "one", GOOD)
    (catalogues.ROOT / "one" / "views.py").write_text(
        'from django.utils.translation import gettext as _\n_("New")\n'
    )
    catalogues.update(catalogues.ROOT / "one", "sq")
    path = catalogues.po_path(catalogues.ROOT / "one", "sq")
    text = path.read_text(encoding="utf-8")
    assert "Tungjatjeta %(name)s" in text and "%(num)s ditë" in text
    assert "Mirupafshim" not in text
    assert catalogues.check(catalogues.ROOT / "one", "sq") == ["one: 'New' has no sq text"]
    catalogues.compile_room(catalogues.ROOT / "one", "sq")
    assert path.with_suffix(".mo").stat().st_size > 50
