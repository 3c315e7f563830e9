"""Carrying out tombstones: when one is due and nothing stops it, its records become blank in this key copy.

A pass runs at the start, before anything is served (so that a restored backup serves nothing that was destroyed), and
every hour. It
  1. takes every tombstone whose time has come and which is neither objected to nor held; also those carried out
     before, since the records may be older than the tombstones after a restore;
  2. checks the officers' signatures anew, with the officers that operator.json names today;
  3. blanks the records (keycopy.py), durable, then notes in tombstones.log that it was done.
A crash in between repeats it. Everything refused raises an alarm.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kulla.journal.errors import NoteError
from kulla.journal.ids import now_ms
from kulla.journal.note import open_note
from kulla.journal.tombstone import HOLD, LIFTED, OBJECTION, parse_note_text, parse_tombstone
from kulla.journal.wire import encode
from kulla.mirror.config import Config, public_key
from kulla.mirror.frames import StorageFailed
from kulla.mirror.keycopy import KeyCopy
from kulla.mirror.messages import Refused, Request, Response
from kulla.mirror.signed import require_signature
from kulla.mirror.tombstones import (
    MAX_TOMBSTONE,
    CapReached,
    Standing,
    TombstoneRefused,
    Tombstones,
    check_tombstone,
)

if TYPE_CHECKING:
    from kulla.mirror.alarms import Alarms

log = logging.getLogger("kulla.mirror")
EVERY_S = 3600.0
ALL_EVERY = 24  # passes between two that look at everything again, also at what was carried out before
CBOR = "application/cbor"
Route = Callable[[Request], Response]


class Destroying:
    """The tombstones of one mirror: what is asked over HTTP, and what is done when their time has come."""

    def __init__(
        self, config: Config, keycopy: KeyCopy, alarms: Alarms, clock: Callable[[], int] | None = None
    ) -> None:
        """Open the tombstones and carry out what is due. Raises StorageFailed, OSError."""
        self._config, self._keycopy, self._alarms = config, keycopy, alarms
        self._clock = clock or (lambda: now_ms() + config.clock_ahead_s * 1000)
        self.stones = Tombstones(config.home / "keycopy", per_day=config.tombstones_per_day)
        self._passing = threading.Lock()
        self._passes = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.pass_now()

    def routes(self) -> dict[tuple[str, str], Route]:
        """What answers under which address."""
        return {
            ("POST", "/keycopy/schedule-destroy"): self._schedule,
            ("POST", "/keycopy/object"): self._note,
            ("POST", "/keycopy/hold"): self._note,
            ("GET", "/keycopy/tombstones"): self._list,
        }

    def pass_now(self) -> int:
        """Carry out what is due. Gives how many records became blank. Raises StorageFailed, OSError."""
        with self._passing:
            now = self._clock()
            good = [each for each in self.stones.due(now) if self._still_good(each, now)]
            again = self._passes % ALL_EVERY == 0
            self._passes += 1
            ids = {i for each in good if again or each.done is None for i in record_ids(each)}
            count = self._keycopy.blank(ids) if ids else 0
            for standing in good:
                if standing.done is None:
                    self.stones.carried_out(standing.id, now)
                    log.warning("tombstone %s was carried out", standing.id[:16])
            if count:
                self._alarms.raise_one(
                    "destroyed",
                    f"{count} records of the key copy were destroyed by tombstones.",
                    about=str(now),
                )
            return count

    def start(self) -> None:
        """Begin the hourly passes."""
        self._thread = threading.Thread(target=self._run, name="tombstones", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and close the file."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.stones.close()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.pass_now()
            except (StorageFailed, OSError) as error:
                log.error("ALARM: the disk refused: %s", type(error).__name__)

    def _still_good(self, standing: Standing, now: int) -> bool:
        """An officer who was dismissed during the wait destroys nothing. What was done stays done."""
        if standing.done is not None:
            return True
        try:
            check_tombstone(standing.tombstone, self._config.officers, now)
        except TombstoneRefused as error:
            self._refused(f"Tombstone {standing.id[:16]} is due and was not carried out: {error}")
            return False
        return True

    def _refused(self, sentence: str) -> None:
        """An alarm for each day and reason: a flood of them is one alarm, and a line in the log each."""
        log.error("ALARM: %s", sentence)
        day = self._clock() // (24 * 3600 * 1000)
        self._alarms.raise_one("tombstone", sentence, about=f"{day} {sentence}")

    # --- over HTTP ----------------------------------------------------------------------------------------------

    def _schedule(self, request: Request) -> Response:
        body = request.read_all(MAX_TOMBSTONE)
        try:
            standing = self.stones.schedule(body, self._config.officers, self._clock())
        except TombstoneRefused as error:
            self._refused(f"A tombstone was refused: {error}")
            raise Refused(429 if isinstance(error, CapReached) else 422, str(error)) from None
        return Response(f"{standing.id}\n{standing.due}\n".encode(), status=202)

    def _note(self, request: Request) -> Response:
        """An objection, a hold, or the end of one: which it is stands in the signed text."""
        body = request.read_all(MAX_TOMBSTONE)
        config = self._config
        objectors = [*config.officer_keys, *config.objectors, *([config.keeper] if config.keeper else [])]
        try:
            note = open_note(body, [*objectors, *config.hold_issuers])
            kind, ident, _ = parse_note_text(note.text)
        except NoteError as error:
            raise Refused(403, str(error)) from None
        except TombstoneRefused as error:
            raise Refused(422, str(error)) from None
        may = objectors if kind == OBJECTION else list(config.hold_issuers)
        signed = {(each.name, each.key_id) for each in note.signatures}
        keys = [key for key in may if (key.name, key.key_id) in signed]
        if not keys:
            raise Refused(403, "The note is not signed by a key that may do this.")
        try:
            if kind == OBJECTION:
                self.stones.object(ident, body, self._clock())
            else:
                self.stones.hold(ident, body, keys[0].public, self._clock(), lift=kind == LIFTED)
        except KeyError:
            raise Refused(404, "There is no such tombstone here.") from None
        except TombstoneRefused as error:
            raise Refused(409, str(error)) from None
        return Response({OBJECTION: b"objected\n", HOLD: b"held\n", LIFTED: b"lifted\n"}[kind])

    def _list(self, request: Request) -> Response:
        config = self._config
        others = [*config.officer_keys, *config.objectors, *config.hold_issuers, *config.readers]
        keeper = [config.keeper] if config.keeper else []
        require_signature(request, b"", map(public_key, [*keeper, *others]))
        return Response(encode([described(each) for each in self.stones.all()]), content_type=CBOR)


def record_ids(standing: Standing) -> tuple[bytes, ...]:
    """The record ids that a tombstone names."""
    return parse_tombstone(standing.tombstone).ids


def described(standing: Standing) -> dict[str, Any]:
    """One tombstone as `GET /keycopy/tombstones` gives it."""
    return {
        "id": standing.id,
        "state": standing.state,
        "received": standing.received,
        "due": standing.due,
        "done": standing.done,
        "tombstone": standing.tombstone,
        "objections": standing.objections,
        "held": len(standing.holders),
    }


def replay(config: Config, other: Path) -> int:
    """The operator's act after a restore, the mirror stopped: take another copy's tombstones. Gives how many were new.

    They are carried out at the next start, before anything is served. Raises TombstoneRefused, StorageFailed, OSError.
    """
    stones = Tombstones(config.home / "keycopy", per_day=config.tombstones_per_day)
    try:
        return stones.take_over(other, config.officers, now_ms() + config.clock_ahead_s * 1000)
    finally:
        stones.close()
