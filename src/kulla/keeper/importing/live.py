"""A live register: the keeper asks for changes since a cursor over HTTP and applies them as it imports a file.

Both sides sign. A request names the keeper, the cursor, a nonce and the time; the answer names the hash of that very
request, so that no answer serves twice, and its own cursor, which never goes back. docs/register.md is the contract.

(1) ask, (2) check signature, request, nonce, time, cursor, (3) apply the rows, (4) keep the cursor as a record. A loss
between (3) and (4) repeats rows, which then change nothing. What does not check is refused whole, with an alarm.
"""

import base64
import binascii
import hashlib
import http.client
import json
import logging
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kulla.keeper.errors import KeeperError
from kulla.keeper.importing.files import Job
from kulla.keeper.importing.links import FamiliesPass
from kulla.keeper.importing.people import Importer
from kulla.keeper.importing.report import Report
from kulla.keeper.importing.rows import COLUMNS, BadLine, Row
from kulla.keeper.register_settings import LiveRegister

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

log = logging.getLogger("kulla.keeper")
SYSTEM_KEY = "live_register"  # the keeper's own key for its requests, among its system keys
REQUEST, ANSWER = "kulla-register-request/1", "kulla-register-answer/1"
SIGNATURE = "Kulla-Register-Signature"
LIMIT = 1000  # rows an answer
MAX_ANSWER = 8 << 20  # bytes
TIMEOUT_S = 10.0
SKEW_MS = 5 * 60 * 1000
BATCH = 200  # persons a commit: other changes of a running keeper wait for no more
REMEMBERED_MS = 24 * 3600 * 1000  # so long a refused answer stays an alarm
SOURCE = "live_register"


class Silent(KeeperError):
    """The register does not answer."""


class Forged(KeeperError):
    """An answer that the register did not give to this request, or that is an older one."""


@dataclass(frozen=True)
class Answer:
    """A genuine answer."""

    cursor: int
    more: bool
    people: list[Any]
    families: list[Any]


@dataclass
class State:
    """What became of the requests; times in ms."""

    answered: int = 0
    refused: int = 0
    bad_rows: int = 0
    silent: bool = False
    why: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


class LiveRegisterClient:
    """Asks one register."""

    def __init__(self, keeper: "Keeper", settings: LiveRegister) -> None:
        self._keeper, self.settings = keeper, settings
        self._public = Ed25519PublicKey.from_public_bytes(settings.key)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live register", daemon=True)
        self.state = State()

    def start(self) -> None:
        """Ask again and again, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the request under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_S + 1)

    @property
    def public_key(self) -> bytes:
        """The key under which the register knows this keeper's requests."""
        return self._key().public_key().public_bytes_raw()

    @property
    def cursor(self) -> int:
        """Up to where the register's changes are in."""
        row = self._keeper.register.one(
            "SELECT cursor FROM register_cursor WHERE register = ?", self.settings.name
        )
        return int(row[0]) if row else 0

    @property
    def alarms(self) -> list[str]:
        """What the operator must see."""
        state = self.state
        recent = state.refused and self._keeper.clock() - state.refused < REMEMBERED_MS
        found = ["live_register_forged"] if recent else []
        found += ["live_register_silent"] if state.silent else []
        return found + (["live_register_bad_rows"] if state.bad_rows else [])

    def poll(self) -> Report:
        """Fetch and apply all changes that there are. Raises Silent, Forged, Refusal("copies_unavailable")."""
        report, more = Report(), True
        with self.state.lock:
            while more and not self._stopping.is_set():
                try:
                    answer = self._fetch()
                except Silent as error:
                    self._fell_silent(error)
                    raise
                except Forged as error:
                    log.error("ALARM: an answer of the live register was refused: %s", error)
                    self.state.refused, self.state.why = self._keeper.clock(), str(error)
                    raise
                self.state.silent, self.state.answered = False, self._keeper.clock()
                self._apply(answer, report)
                more = answer.more
        return report

    def _run(self) -> None:
        while not self._stopping.wait(self.settings.every_s):
            try:
                self.poll()
            except (Silent, Forged):
                pass  # told already
            except KeeperError:
                log.exception("changes of the live register could not be applied; they are asked for again")
            except Exception:
                log.exception("a fault in the live register's connector")
        self._keeper.register.close_thread()

    def _fell_silent(self, error: Silent) -> None:
        if not self.state.silent:
            log.warning("%s", error)
        self.state.silent, self.state.why = True, str(error)

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._keeper.vault.ensure_system(SYSTEM_KEY))

    # Asking --------------------------------------------------------------------------------------------

    def _fetch(self) -> Answer:
        cursor, nonce = self.cursor, os.urandom(16).hex()
        asked = {
            "v": 1,
            "keeper": self._keeper.config.origin,
            "register": self.settings.name,
            "cursor": cursor,
        }
        asked |= {"limit": LIMIT, "nonce": nonce, "time": time.time_ns() // 1_000_000}
        body = json.dumps(asked, separators=(",", ":")).encode()
        raw, signature = self._post(body, sign(REQUEST, body, self._key()))
        if not verify(ANSWER, raw, signature, self._public):
            raise Forged("It is not signed by the register's key.")
        return self._check(raw, body, nonce, cursor)

    def _post(self, body: bytes, signature: str) -> tuple[bytes, str]:
        parts = urlsplit(self.settings.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/json", SIGNATURE: signature}
            connection.request("POST", parts.path or "/", body, headers)
            response = connection.getresponse()
            raw = response.read(MAX_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Silent("The live register does not answer.") from error
        finally:
            connection.close()
        if response.status != 200:
            raise Silent(f"The live register refuses our requests (status {response.status}).")
        if len(raw) > MAX_ANSWER:
            raise Forged("It is longer than agreed.")
        return raw, response.headers.get(SIGNATURE, "")

    def _check(self, raw: bytes, asked: bytes, nonce: str, cursor: int) -> Answer:
        """What the answer says. Raises Forged."""
        try:
            said = json.loads(raw)
            request, again, at = str(said["request"]), str(said["nonce"]), int(said["time"])
            found = Answer(int(said["cursor"]), said["more"] is True, said["people"], said["families"])
            named = (said["v"], said["register"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Forged("It does not have the agreed form.") from error
        if request != hashlib.sha256(asked).hexdigest() or again != nonce:
            raise Forged("It answers another request.")
        if named != (1, self.settings.name):
            raise Forged("It is of another register, or of a later form.")
        if abs(at - time.time_ns() // 1_000_000) > SKEW_MS:
            raise Forged("It was made at another time, or the clocks differ by more than five minutes.")
        lists = isinstance(found.people, list) and isinstance(found.families, list)
        if not lists or len(found.people) + len(found.families) > LIMIT:
            raise Forged("It does not have the agreed form.")
        if not cursor <= found.cursor < 1 << 62 or (found.more and found.cursor == cursor):
            raise Forged("Its cursor goes back.")
        return found

    # Applying ------------------------------------------------------------------------------------------

    def _apply(self, answer: Answer, report: Report) -> None:
        keeper, bad = self._keeper, report.bad_lines
        importer = Importer(keeper.register, keeper.people, keeper.committer, keeper.scheme)
        rows = {number: _row(each) for number, each in enumerate(answer.people, 1)}
        while rows:  # a person may change twice within one answer: each round takes everyone's next change
            again: list[int] = []
            importer.run(rows.items(), report=report, source=SOURCE, batch=BATCH, again=again)
            rows = {number: rows[number] for number in again}
        if answer.families:
            families = [(number, _row(each)) for number, each in enumerate(answer.families, 1)]
            FamiliesPass(Job(keeper, keeper.config.home, report=report)).take(families, len(families))
        if report.bad_lines > bad:
            self.state.bad_rows += report.bad_lines - bad
            told = "; ".join(f"row {line}: {sentence}" for line, sentence in report.bad[:5])
            log.error("ALARM: rows of the live register before %d were not taken: %s", answer.cursor, told)
        if answer.cursor != self.cursor:
            body = {"type": "register_cursor", "register": self.settings.name, "cursor": answer.cursor}
            keeper.committer.commit({**body, "at": keeper.clock()})


def sign(kind: str, body: bytes, key: Ed25519PrivateKey) -> str:
    """The signature of a request or an answer, as its header carries it."""
    return base64.b64encode(key.sign(signed_text(kind, body))).decode()


def verify(kind: str, body: bytes, signature: str, key: Ed25519PublicKey) -> bool:
    """Whether a header signs this body."""
    try:
        key.verify(base64.b64decode(signature, validate=True), signed_text(kind, body))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def signed_text(kind: str, body: bytes) -> bytes:
    """The bytes under a signature: the kind, and the body's SHA-256."""
    return f"{kind}\n{hashlib.sha256(body).hexdigest()}\n".encode()


def _row(each: Any) -> Row | BadLine:
    if not isinstance(each, dict) or not all(isinstance(v, str) for pair in each.items() for v in pair):
        return BadLine("The row is not a map of texts.")
    if len(json.dumps(each)) > 8000:
        return BadLine("The row is longer than 8,000 bytes.")
    return each


__all__ = ["COLUMNS", "Forged", "LiveRegisterClient", "Silent", "sign", "verify"]
