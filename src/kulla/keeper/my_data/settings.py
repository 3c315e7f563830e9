"""What a person has chosen: language, on which channels each kind of notice comes, what helps them.

A notice always stands in the inbox; the channels are what else happens. Notices about safety keep at least one.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.often import Often
from kulla.keeper.sessions import LANGUAGES

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

A_DAY = 60  # changes of one person: each is a record for ever
CHANNELS = ("phone", "email")
SECURITY, SERVICES, DATA, FAMILY = "security", "services", "data", "family"
GROUPS = (SECURITY, SERVICES, DATA, FAMILY)
# Kinds of notices that are about one's data or family. A kind that stands here not is about safety: nobody turns
# off what was forgotten here. Services name theirs "service/template".
_DATA = {"question_answered", "looks_shown_late", "correction_decided", "erasure_decided", "look_told"}
_FAMILY_PREFIXES = ("family", "guardian", "mandate", "heir", "ward")
NEEDS = (
    "large_print",
    "sign_language",
    "wheelchair",
    "plain_language",
    "read_to_me",
    "interpreter",
    "more_time",
)


class Settings:
    """Reads and changes."""

    def __init__(self, keeper: "Keeper", clock: Callable[[], int]) -> None:
        self._keeper, self._clock = keeper, clock
        self._changing = threading.Lock()
        self._often = Often(clock, A_DAY)

    def of(self, person: UUID) -> dict[str, Any]:
        """language, channels by group, needs."""
        chosen = self._read(person)
        channels = chosen.get("channels", {})
        return {
            "language": self._keeper.people.field(person, "language") or LANGUAGES[0],
            "channels": {group: list(channels.get(group, CHANNELS)) for group in GROUPS},
            "needs": [need for need in chosen.get("needs", []) if need in NEEDS],
        }

    def change(
        self,
        person: UUID,
        *,
        language: str | None = None,
        channels: Mapping[str, Sequence[str]] | None = None,
        needs: Sequence[str] | None = None,
    ) -> None:
        """Change what is given. Raises Refusal("bad_request", "no_channel", "slow_down")."""
        if language is not None and language not in LANGUAGES:
            raise Refusal("bad_request", "There are no pages in this language.")
        if needs is not None and set(needs) - set(NEEDS):
            raise Refusal("bad_request", "There is no such need.")
        if channels is not None:
            self._check(channels)
        self._often.count(person, "settings")
        with self._changing:
            kept = self._read(person)
            if channels is not None:
                chosen = {group: sorted(set(some)) for group, some in channels.items()}
                kept["channels"] = kept.get("channels", {}) | chosen
            if needs is not None:
                kept["needs"] = [need for need in NEEDS if need in needs]
            sealed = self._keeper.vault.seal_own(person, "settings", kept)
            body: Body = {"type": "my_settings", "person": person, "at": self._clock(), "sealed": sealed}
            if language is not None and language != self._keeper.people.field(person, "language"):
                self._keeper.my_data.save(person, {"language": language}, body)
            else:
                self._keeper.committer.commit(body)

    def channels(self, person: UUID, kind: str) -> set[str]:
        """On which channels, besides the inbox, a notice of this kind goes to this person."""
        chosen = set(self._read(person).get("channels", {}).get(group_of(kind), CHANNELS))
        if group_of(kind) == SECURITY:
            # A choice that reaches nobody (a telephone alone, where there is none now) would be silence.
            contacts = self._keeper.accounts.contacts(person)
            if not any(contacts.of(channel) for channel in chosen):
                return set(CHANNELS)
        return chosen

    def needs(self, person: UUID) -> list[str]:
        """What helps this person, as codes."""
        return [need for need in self._read(person).get("needs", []) if need in NEEDS]

    @staticmethod
    def _check(channels: Mapping[str, Sequence[str]]) -> None:
        for group, some in channels.items():
            listed = isinstance(some, list | tuple | set)
            if group not in GROUPS or not listed or not all(each in CHANNELS for each in some):
                raise Refusal("bad_request", "There is no such channel, or no such kind of notice.")
        if SECURITY in channels and not channels[SECURITY]:
            raise Refusal("no_channel", "Notices about safety need at least one channel.")

    def _read(self, person: UUID) -> dict[str, Any]:
        row = self._keeper.register.one("SELECT sealed FROM my_settings WHERE person = ?", person.bytes)
        found: dict[str, Any] = self._keeper.vault.open_own(person, "settings", row[0]) if row else {}
        return found


def group_of(kind: str) -> str:
    """To which group of notices a kind belongs."""
    if "/" in kind:
        return SERVICES
    if kind in _DATA:
        return DATA
    return FAMILY if kind.startswith(_FAMILY_PREFIXES) else SECURITY
