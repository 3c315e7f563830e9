"""An agreed erasure, step by step. Nothing here destroys on a copy: the copies do, for two officers and after 30 days.

  1. Two registrars agreed (my_data/erasure.py). Every record that names the person is found. Records that hold other
     people too are written anew for these; then tombstones of all that was found are drawn up and put into
     HOME/erasure/ for the officers, who sign and send them (`kulla erasure`).
  2. Now and then the copies are asked. When a quorum has carried out all of it, the keeper looks through what was
     written meanwhile. Keys or marks among it wait for a next round of tombstones first.
  3. Sessions end; the keeper's own records become blank; the rows go; `erased` is recorded, which names nobody. What
     else was written meanwhile (a sign-in, a message) has its own round.
A crash repeats the step. One objection that leaves no quorum stops the whole.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kulla.journal.note import Signer, sign_note
from kulla.journal.tombstone import MAX_IDS, OBJECTION, draw_up, note_text, read_unsigned
from kulla.keeper.copies import CopyConnection, CopyUnreachable
from kulla.keeper.erasing import rows
from kulla.keeper.erasing.finding import VITAL, Found, find, others
from kulla.keeper.erasing.judge import Judge, covered, known_officers
from kulla.keeper.errors import Refusal
from kulla.keeper.keys import RootKey, copies_signer
from kulla.keeper.kinds import Body
from kulla.keeper.my_data.questions import reference
from kulla.keeper.records import BLANKED, Sealer

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

log = logging.getLogger("kulla.keeper")
NAME = "kulla-keeper"  # of the key under which the copies know the keeper
PACKED = 48 * 1024
PER_PERSON = 64
EVERY_MS = 10 * 60 * 1000  # between two questions to the copies


class Erasing:
    """Draws up, asks, finishes. `tend` is for one thread."""

    def __init__(self, keeper: "Keeper", root: RootKey, clock: Callable[[], int]) -> None:
        self._keeper, self._sealer, self._clock = keeper, Sealer(root), clock
        self._signer = copies_signer(root)
        self._working = threading.Lock()
        self._asked = 0
        self._due: dict[str, int] = {}  # tombstone: when the last copy that has it carries it out

    # What others ask -----------------------------------------------------------------------------------

    def refuse_unfit(self, person: UUID) -> None:
        """Raise Refusal("holds_role", "is_contact") for whose records cannot be destroyed."""
        word = self._keeper.register.inside(lambda db: rows.unfit(db, person))
        if word == "role":
            raise Refusal("holds_role", "Who has or had a role as an official is not erased.")
        if word == "contact":
            raise Refusal(
                "is_contact", "This person is the contact of a protected person: change that first."
            )

    def covers(self, ids: Sequence[bytes]) -> bool:
        """Whether valid tombstones say that these records are blank."""
        judge = Judge(
            known_officers([{"erasure_officers": self._keeper.config.erasure_officers}]), self._clock()
        )
        for items in self._ask_copies().values():
            judge.add(items)
        return covered(ids, judge)

    def may_withdraw(self, request: UUID) -> bool:
        """Whether no copy has carried out anything of it; a copy that is silent when the time has come may have."""
        told, stones = self._ask_copies(), {row[0] for row in self._stones(request)}
        standing = self.standing(request)
        silent = len(told) < len(self._keeper.config.copies)
        if standing["done"] or (silent and 0 < standing["until"] <= self._clock()):
            return False
        return not any(
            item.get("id") in stones and item.get("state") == "done"
            for items in told.values()
            for item in items
        )

    def stop(self, request: UUID) -> None:
        """Object, in the person's name, to what the copies have of this request. `tend` objects to what comes later."""
        self._object(request, self._ask_copies())

    def _object(self, request: UUID, told: dict[str, list[dict[str, Any]]]) -> None:
        signer, stones = Signer(NAME, self._signer), {row[0] for row in self._stones(request)}
        for copy in self._keeper.config.copies:
            pending = [
                str(item["id"])
                for item in told.get(copy.name, ())
                if item.get("id") in stones and item.get("state") in {"pending", "held"}
            ]
            connection = CopyConnection(copy, self._signer)
            try:
                for stone in pending:
                    text = note_text(OBJECTION, stone, "the person has withdrawn the request")
                    if connection.object(sign_note(text, signer.sign).encode()) != 200:
                        log.error("ALARM: %s does not take the objection to a tombstone", copy.name)
            except CopyUnreachable as error:
                log.warning("%s An objection did not reach it; it is tried again.", error)
            finally:
                connection.close()

    def standing(self, request: UUID) -> dict[str, Any]:
        """How far a request is. `state`: "" (nothing will be done), "begun", "waiting", "stopped" or "erased"; `until`:
        when it is carried out at the earliest, as far as is known (0: not drawn up yet)."""
        row = self._keeper.register.one(
            "SELECT state, at, changed FROM erasure_plan WHERE request = ?", request.bytes
        )
        stones = self._stones(request)
        state, at, changed = row or ("", 0, 0)
        done = sum(each[3] == "done" for each in stones)
        drawn = [int(read_unsigned(each[4])["not_before"]) for each in stones]
        until = max([*drawn, *(self._due.get(each[0], 0) for each in stones)], default=0)
        counts = {"stones": len(stones), "done": done}
        return {"state": state, "at": at, "changed": changed, "until": until, **counts}

    def set_back(self) -> bool:
        """At a start: what was destroyed stays destroyed. True when this disk held some of it again, from a backup: its
        own records are blank now, and the register is to be made anew from them."""
        sql = "SELECT seqs FROM erasure_stone WHERE state = 'done'"
        records = self._keeper.records
        found = [records.read(seq, 1)[0] for seq in self._seqs(sql)]
        # After `kulla rotate` a blank record stands as a sealed one that says no more than that.
        full = [each.seq for each in found if self._sealer.open(each).get("type") != BLANKED]
        if full:
            log.error(
                "ALARM: this disk was set back to before an erasure; %d records are blanked again", len(full)
            )
            records.blank(full)
        return bool(full)

    # The work ------------------------------------------------------------------------------------------

    def tend(self, *, now: bool = False) -> None:
        """Do what can be done; `now`: ask the copies even if they were asked a moment ago. Raises KeeperError."""
        with self._working:
            register = self._keeper.register
            agreed = register.rows(
                "SELECT id, person FROM erasure WHERE state = 'agreed' "
                "AND id IN (SELECT request FROM erasure_plan WHERE state = 'begun')"
            )
            for request, person in agreed:
                self._draw(UUID(bytes=request), UUID(bytes=person), 1, 1)
            if not now and self._clock() < self._asked + EVERY_MS:
                return
            waiting = register.rows("SELECT DISTINCT request FROM erasure_stone WHERE state = 'waiting'")
            unfinished = register.rows("SELECT request FROM erasure_plan WHERE state = 'waiting'")
            withdrawn = {
                raw
                for (raw,) in register.rows("SELECT id FROM erasure WHERE state NOT IN ('agreed', 'open')")
            }
            requests = {raw for (raw,) in [*waiting, *unfinished]}
            if requests:
                self._asked = self._clock()
                told = self._ask_copies()
                for request in sorted(requests):
                    if request in withdrawn:
                        self._object(UUID(bytes=request), told)
                        self._note_stopped(UUID(bytes=request))
                    else:
                        self._look_after(UUID(bytes=request), told)

    def _draw(self, request: UUID, person: UUID, number: int, start: int) -> None:
        """Find what names the person from record `start` on, and draw up a round of tombstones for it."""
        needles = self._keeper.register.inside(lambda db: rows.own_names(db, person))
        end = self._keeper.records.last
        found = list(find(self._keeper.records, self._sealer, start, end, needles))
        self._draw_found(request, person, number, end, found)

    def _draw_found(self, request: UUID, person: UUID, number: int, end: int, found: list[Found]) -> None:
        for each in found:
            if each.body is not None:
                self._write_anew(each.body, person)
        bodies: list[Body] = []
        at = self._clock()
        for place, first in enumerate(range(0, len(found), MAX_IDS), 1):
            part = found[first : first + MAX_IDS]
            reason = f"erasure {reference(request)}, round {number}"
            unsigned = draw_up([each.id for each in part], reason, at)
            body: Body = {"type": "erasure_drawn", "request": request, "at": at, "upto": end, "round": number}
            bodies.append(body | {"number": place, "unsigned": unsigned, "seqs": [each.seq for each in part]})
        if bodies:
            self._keeper.committer.commit(*bodies)
            log.warning("%d tombstones were drawn up for erasure %s", len(bodies), reference(request))
        self._write_files(request)

    def _write_anew(self, body: Body, person: UUID) -> None:
        """The others of a shared record as they stand now, in records of their own: nothing comes in between."""

        def make() -> list[Body]:
            register, made, size = self._keeper.register, list[Body](), PACKED + 1
            for other in others(body, person):
                row = register.one("SELECT profile FROM person WHERE id = ?", other.bytes)
                if row is None:
                    continue  # erased meanwhile
                marks = register.rows("SELECT type, mark FROM identifier WHERE person = ?", other.bytes)
                entry = [other, row[0], [list(each) for each in marks]]
                weight = len(row[0]) + sum(PER_PERSON + len(mark) for _, mark in marks)
                if size + weight > PACKED:
                    made.append({"type": "people", "people": []})
                    size = 0
                made[-1]["people"].append(entry)
                size += weight
            return made

        self._keeper.committer.commit_made(make)

    def _write_files(self, request: UUID) -> None:
        """The unsigned tombstones, for the officers. They hold random numbers and a reference."""
        folder = self._keeper.config.home / "erasure"
        folder.mkdir(exist_ok=True, mode=0o700)
        for ident, number, place, _, unsigned in self._stones(request):
            path = folder / f"{reference(request)}-{number}-{place}-{ident[:8]}.unsigned"
            if not path.exists():
                _write(path, unsigned)

    def _look_after(self, request: UUID, told: dict[str, list[dict[str, Any]]]) -> None:
        """What the copies say of this request's tombstones, and what follows from it."""
        quorum, copies = self._keeper.config.quorum, len(self._keeper.config.copies)
        states = [
            {str(item["id"]): str(item["state"]) for item in items if "id" in item and "state" in item}
            for items in told.values()
        ]
        done: list[Body] = []
        for ident, _, _, state, _ in self._stones(request):
            said = [each.get(ident, "") for each in states]
            if state == "waiting" and said.count("done") >= quorum:
                done.append({"type": "erasure_stone_done", "id": ident})
            if state == "waiting" and said.count("objected") > copies - quorum:
                self._note_stopped(request)
        if done:
            self._keeper.committer.commit(*done)
        plan = self.standing(request)
        if plan["state"] == "erased" and done:
            self._blank("SELECT seqs FROM erasure_stone WHERE request = ? AND state = 'done'", request.bytes)
        elif plan["state"] == "waiting" and plan["stones"] == plan["done"]:
            self._finish(request)

    def _note_stopped(self, request: UUID) -> None:
        if self.standing(request)["state"] in {"begun", "waiting"}:
            self._keeper.committer.commit(
                {"type": "erasure_stopped", "request": request, "at": self._clock()}
            )

    def _finish(self, request: UUID) -> None:
        keeper = self._keeper
        row = keeper.register.one("SELECT person FROM erasure WHERE id = ?", request.bytes)
        plan = keeper.register.one("SELECT upto, round FROM erasure_plan WHERE request = ?", request.bytes)
        if row is None or plan is None:  # the rows went before a crash
            self._record_end(request)
            return
        person, (upto, number) = UUID(bytes=row[0]), plan
        needles = keeper.register.inside(lambda db: rows.own_names(db, person))
        rest, upto = self._after(upto, needles)
        if any(each.kind in VITAL for each in rest):
            self._draw_found(request, person, number + 1, upto, rest)
            return
        keeper.sessions.end_all(person)
        self._end_mandates(person)
        more, upto = self._after(upto, needles)
        self._blank("SELECT seqs FROM erasure_stone WHERE request = ? AND state = 'done'", request.bytes)
        if rest or more:
            self._draw_found(request, person, number + 1, upto, [*rest, *more])
        keeper.register.forget(lambda db: rows.forget(db, person))
        keeper.delivery.forget(person)
        for cache in (*keeper.vault.caches, *keeper.people.caches):
            cache.clear()
        self._record_end(request)

    def _after(self, upto: int, needles: set[bytes]) -> tuple[list[Found], int]:
        end = self._keeper.records.last
        return list(find(self._keeper.records, self._sealer, upto + 1, end, needles)), end

    def _end_mandates(self, person: UUID) -> None:
        """Mandates that this person accepted end by a record of their own: the others' rows stay."""
        held = self._keeper.register.rows(
            "SELECT id FROM mandate WHERE representative = ? AND ended IS NULL", person.bytes
        )
        ends: list[Body] = [
            {"type": "mandate_ended", "id": UUID(bytes=each), "at": self._clock(), "why": "erased"}
            for (each,) in held
        ]
        if ends:
            self._keeper.committer.commit(*ends)

    def _record_end(self, request: UUID) -> None:
        self._keeper.committer.commit({"type": "erased", "request": request, "at": self._clock()})
        log.warning("erasure %s is done", reference(request))

    def _blank(self, sql: str, *values: object) -> None:
        if seqs := self._seqs(sql, *values):
            self._keeper.records.blank(seqs)

    def _seqs(self, sql: str, *values: object) -> list[int]:
        return [int(seq) for (text,) in self._keeper.register.rows(sql, *values) for seq in text.split(",")]

    def _stones(self, request: UUID) -> list[tuple[str, int, int, str, bytes]]:
        """(id, round, number, state, unsigned) of a request's tombstones."""
        found: list[Any] = self._keeper.register.rows(
            "SELECT id, round, number, state, unsigned FROM erasure_stone WHERE request = ? ORDER BY round, number",
            request.bytes,
        )
        return found

    def _ask_copies(self) -> dict[str, list[dict[str, Any]]]:
        told: dict[str, list[dict[str, Any]]] = {}
        for copy in self._keeper.config.copies:
            connection = CopyConnection(copy, self._signer)
            try:
                told[copy.name] = connection.tombstones()
            except CopyUnreachable as error:
                log.warning("%s It was asked for its tombstones.", error)
            finally:
                connection.close()
        for items in told.values():
            for item in items:
                ident, due = str(item.get("id")), item.get("due")
                self._due[ident] = max(self._due.get(ident, 0), due if isinstance(due, int) else 0)
        return told


def sweep(db: sqlite3.Connection) -> int:
    """See rows.sweep."""
    if count := rows.sweep(db):
        log.warning("%d rows of people who were erased went after the derivation", count)
    return count


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
