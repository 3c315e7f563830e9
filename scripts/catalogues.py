#!/usr/bin/env python3
"""Translation catalogues: one `locale/<language>/LC_MESSAGES/django.po` in each room, English as the key.

Usage: python scripts/catalogues.py            take new texts into the catalogues, drop the ones not used
       python scripts/catalogues.py --check    fail when a catalogue is stale, incomplete, fuzzy or wrong
       python scripts/catalogues.py --compile  write the .mo files that the portal reads (not committed)
"""

import re
import sys
from pathlib import Path

from babel.messages import extract
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent / "src/kulla"
LANGUAGES = ("sq",)
METHODS = [
    ("**/tests/**", "ignore"),
    ("**/node_modules/**", "ignore"),
    ("**.py", "python"),
    ("**.html", "jinja2"),
]
OPTIONS = {
    "**.html": {
        "silent": "false",
        "newstyle_gettext": "true",
        "trimmed": "true",
        "extensions": "jinja2.ext.do",
    }
}
KEYWORDS = extract.DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
HEADER = "# Albanian texts of this room. The key is the English text; scripts/catalogues.py keeps the list."
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%|%[sd]|\{(\w*)\}")


def rooms() -> list[Path]:
    """Every folder of the package that has texts of its own: rooms, areas of identity, services."""
    folders = [*ROOT.iterdir(), *(ROOT / "services").glob("*"), *areas()]
    return sorted(
        folder for folder in folders if folder.is_dir() and folder.name not in {"services", "__pycache__"}
    )


def areas() -> list[Path]:
    """The areas of identity."""
    return [path.parent for path in (ROOT / "identity").glob("*/urls.py")]


def texts_of(room: Path) -> Catalog:
    """What the code and the templates of a room say."""
    catalog = Catalog(charset="utf-8")
    methods = METHODS
    if room.name == "identity":
        methods = [(f"{area.name}/**", "ignore") for area in areas()] + METHODS
    for name, _line, message, comments, context in extract.extract_from_dir(
        room, methods, OPTIONS, KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        catalog.add(message, None, [(name, None)], auto_comments=comments, context=context)
    return catalog


def po_path(room: Path, language: str) -> Path:
    """Where the catalogue of a room stands."""
    return room / "locale" / language / "LC_MESSAGES" / "django.po"


def read(path: Path, language: str) -> Catalog:
    """The catalogue at `path`, or an empty one."""
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def key(message: Message) -> tuple[object, str | None]:
    """What names a text: its English form (or forms) and its context."""
    return (tuple(message.id) if isinstance(message.id, list | tuple) else message.id, message.context)


def faults_of(message: Message, language: str) -> list[str]:
    """What is wrong with one translation."""
    name = message.id if isinstance(message.id, str) else message.id[0]
    given = [message.string] if isinstance(message.string, str) else list(message.string)
    if not all(given):
        return [f"{name!r} has no {language} text"]
    faults = [f"{name!r} is marked fuzzy"] if message.fuzzy else []
    english = [message.id] if isinstance(message.id, str) else list(message.id)
    wanted = {found for text in english for found in PLACEHOLDER.findall(text)}
    if any(set(PLACEHOLDER.findall(text)) - wanted for text in given) or (
        wanted - set(PLACEHOLDER.findall(given[-1]))
    ):
        faults.append(f"{name!r}: the placeholders differ in {language}")
    return faults


def check(room: Path, language: str) -> list[str]:
    """Every fault of a room's catalogue, as sentences."""
    wanted = {key(message) for message in texts_of(room) if message.id}
    catalog = read(po_path(room, language), language)
    have = {key(message): message for message in catalog if message.id}
    faults = [f"{name[0]!r} is not in the {language} catalogue" for name in wanted - have.keys()]
    faults += [f"{name[0]!r} is in the {language} catalogue but not used" for name in have.keys() - wanted]
    for name in wanted & have.keys():
        faults += faults_of(have[name], language)
    where = room.relative_to(ROOT)
    return sorted(f"{where}: {fault}" for fault in faults)


def conflicts(chosen: list[Path], language: str) -> list[str]:
    """Texts that two rooms translate differently: the portal merges all rooms, so one would win unseen."""
    seen: dict[object, tuple[object, Path]] = {}
    faults = []
    for room in chosen:
        for message in read(po_path(room, language), language):
            if message.id:
                given, other = seen.setdefault(key(message), (message.string, room))
                if given != message.string:
                    rooms_named = f"{other.relative_to(ROOT)} and {room.relative_to(ROOT)}"
                    faults.append(f"{rooms_named} translate {key(message)[0]!r} differently into {language}")
    return faults


def update(room: Path, language: str) -> None:
    """Bring a room's catalogue up to its texts; a new text stays empty until someone translates it."""
    wanted = texts_of(room)
    path = po_path(room, language)
    if not len(wanted) and not path.exists():
        return
    old = {key(message): message for message in read(path, language) if message.id}
    new = Catalog(locale=language, charset="utf-8", header_comment=HEADER, fuzzy=False)
    for message in wanted:
        if message.id:
            known = old.get(key(message))
            new.add(
                message.id, known.string if known else None, message.locations,
                auto_comments=message.auto_comments, context=message.context,
            )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file, new, width=110, sort_output=True, omit_header=True, include_lineno=False, no_location=False
        )
    body = path.read_text(encoding="utf-8")
    plural = f'"Plural-Forms: {new.plural_forms}\\n"\n'
    head = f'{HEADER}\nmsgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    path.write_text(f"{head}{plural}\n{body}", encoding="utf-8")


def compile_room(room: Path, language: str) -> None:
    """Write the .mo file when it is older than its .po file."""
    source = po_path(room, language)
    target = source.with_suffix(".mo")
    if source.exists() and (not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns):
        with target.open("wb") as file:
            write_mo(file, read(source, language))


def main(arguments: list[str]) -> int:
    """Run one of the three tasks over all rooms (or the rooms named). Gives the exit code."""
    named = [name for name in arguments if not name.startswith("--")]
    chosen = [room for room in rooms() if not named or str(room.relative_to(ROOT)) in named]
    faults = []
    for room in chosen:
        for language in LANGUAGES:
            if "--check" in arguments:
                faults += check(room, language)
            elif "--compile" in arguments:
                compile_room(room, language)
            else:
                update(room, language)
    if "--check" in arguments:
        for language in LANGUAGES:
            faults += conflicts(chosen, language)
    for fault in faults:
        print(fault)  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
