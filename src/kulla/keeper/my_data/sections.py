"""Everything that is held about a person, section by section. Each part of the keeper adds its own.

A section is a function from the person to rows: plain maps of names to texts, numbers, yes or no, or lists of texts.
Names that end in `_ms` are times. Secrets are never in them: of a credential its kind and date.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kulla.keeper.errors import KeeperError, Refusal

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

Rows = list[dict[str, Any]]
Section = Callable[[UUID], Rows]
PAGE = 500
# What a clerk who sits beside the person does not get to see in an assisted session.
NOT_ASSISTED = (
    "notices",
    "questions",
    "sessions",
    "credentials",
    "cases",
    "counter_pin",
    "protected",
    "work",
)


class Sections:
    """The sections in the order in which they were added."""

    def __init__(self, keeper: "Keeper") -> None:
        self._keeper = keeper
        self._sections: list[tuple[str, Section]] = []

    def add(self, name: str, section: Section) -> None:
        """Add a section, or replace the one of this name."""
        known = [each for each, _ in self._sections]
        if name in known:
            self._sections[known.index(name)] = (name, section)
        else:
            self._sections.append((name, section))

    def names(self, *, assisted: bool) -> list[str]:
        """The sections that this session may read."""
        return [name for name, _ in self._sections if not (assisted and name in NOT_ASSISTED)]

    def read(self, person: UUID, name: str, offset: int, *, assisted: bool) -> dict[str, Any]:
        """{"rows", "next", "broken"}: at most 500 rows from `offset`, each a list of pairs.

        Raises Refusal("unknown_section").
        A section whose data does not open says so ("broken") and does not take the others with it.
        """
        section = dict(self._sections).get(name)
        if section is None or name not in self.names(assisted=assisted):
            raise Refusal("unknown_section", "There is no such section.")
        try:
            rows = section(person)
        except Refusal:
            raise
        except KeeperError:
            return {"rows": [], "next": None, "broken": True}
        following = offset + PAGE if len(rows) > offset + PAGE else None
        # As pairs: a map would lose its order on the wire.
        shown = [list(map(list, row.items())) for row in rows[offset : offset + PAGE]]
        return {"rows": shown, "next": following, "broken": False}
