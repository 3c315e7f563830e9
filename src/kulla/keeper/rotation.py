"""After an attacker's stay: the keeper's own keys anew, every session ended, every official to enrol again.

On the keeper's machine, by `kulla rotate`, with the keeper stopped and two key copies answering. Each step is a commit
of records that does nothing when it was done before, so that it can be repeated after any interruption.

What changes: the keys of session tokens and attestations ("token", "trace"), the keeper's key of the journal's segments
("segment"), the portal's keys. The old ones stay as records under "<name>:<rotation>": with them the keeper still opens
old segments and finds an attacker's acts; an old token or attestation is good for nothing else.
What stays: keys of look-ups and pseudonyms (rows are named by them), of the log of looks, of data, and the root key.
"""

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from uuid import UUID, uuid4

from kulla.journal.ids import now_ms
from kulla.keeper.core import Keeper
from kulla.keeper.kinds import Body
from kulla.keeper.roles import ADMIN
from kulla.keeper.vault import new_system_key

ROTATED = ("token", "segment", "trace")
AT_ONCE = 500  # records of one commit


class Rotation:
    """One rotation of an opened keeper that does not serve. `name` tells rotations apart: "20261121T062000Z"."""

    def __init__(self, keeper: Keeper, name: str) -> None:
        self._keeper, self._name = keeper, name

    def keys(self, portal: Mapping[str, bytes]) -> bytes:
        """New system keys and portal keys, in one commit; gives the new private key of segments."""
        vault, ring = self._keeper.vault, self._keeper.ring
        bodies: list[Body] = []
        if f"token:{self._name}" not in vault.system_names("token:"):
            fresh = {each: os.urandom(32) for each in ROTATED}
            bodies += [new_system_key(ring, f"{each}:{self._name}", vault.system(each)) for each in ROTATED]
            bodies += [new_system_key(ring, each, fresh[each]) for each in ROTATED]
        known = self._keeper.portal_keys()
        bodies += [
            {"type": "portal_key", "name": name, "wrapped": ring.wrap_system(f"portal:{name}", key)}
            for name, key in sorted(portal.items())
            if known.get(name) != key
        ]
        if bodies:
            self._keeper.committer.commit(*bodies)
        row = self._keeper.register.one("SELECT wrapped FROM system_key WHERE name = 'segment'")
        assert row is not None  # noqa: S101 - written above or at the keeper's making
        return ring.unwrap_system("segment", row[0])

    def sessions(self) -> int:
        """End every session; how many."""
        rows = self._keeper.register.rows("SELECT sid FROM session WHERE ended IS NULL")
        now = now_ms()
        return self._commit({"type": "session_ended", "sid": sid, "at": now} for (sid,) in rows)

    def officials(self) -> int:
        """Passwords, second factors and passkeys of everybody with a role go, and their accounts are frozen, so that no
        code to a telephone brings a role back: only a letter that two administrators allowed does, as always for
        officials. The roles of the state's administrators end: two people begin anew by the ceremony
        (`kulla offices first-admin`). How many people lost credentials."""
        offices, now = self._keeper.offices, now_ms()
        rows = self._keeper.register.rows("SELECT DISTINCT person FROM role WHERE ended IS NULL")
        people = [UUID(bytes=person) for (person,) in rows]
        people = [person for person in people if offices.held(person)]
        held = [person for person in people if self._has_credentials(person)]
        self._commit(
            {"type": "account_frozen", "id": uuid4(), "person": person, "at": now, "kind": "rotation"}
            for person in people
            if not self._frozen(person)
        )
        self._commit(
            {"type": "credentials_cleared", "person": person, "at": now, "what": "all"} for person in held
        )
        root = offices.root()
        self._commit(
            offices.role_ended_body(role, by=None, why="rotation")
            for person in people
            for role in offices.held(person)
            if role.role == ADMIN and role.office == root
        )
        return len(held)

    def _frozen(self, person: UUID) -> bool:
        sql = "SELECT 1 FROM account_case WHERE person = ? AND closed IS NULL"
        return self._keeper.register.one(sql, person.bytes) is not None

    def _has_credentials(self, person: UUID) -> bool:
        return (
            self._keeper.register.one(
                "SELECT 1 WHERE EXISTS (SELECT 1 FROM credential WHERE person = ?1)"
                " OR EXISTS (SELECT 1 FROM passkey WHERE person = ?1)",
                person.bytes,
            )
            is not None
        )

    def _commit(self, bodies: Iterator[Body]) -> int:
        count = 0
        while some := list(islice(bodies, AT_ONCE)):
            self._keeper.committer.commit(*some)
            count += len(some)
        return count
