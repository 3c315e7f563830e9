"""The addresses of a mirror and what answers under each. Rules live in logcopy, keycopy and tombstones."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import cbor2

from kulla.journal.errors import NoteError
from kulla.journal.page import verifier_page
from kulla.journal.wire import WireError, decode
from kulla.mirror.alarms import Alarms
from kulla.mirror.config import Config, public_key
from kulla.mirror.destroying import CBOR, Destroying
from kulla.mirror.entries import Package, Truncated, intervals, read_head, read_package
from kulla.mirror.evidence import Evidence
from kulla.mirror.following import Puller
from kulla.mirror.frames import StorageFailed
from kulla.mirror.keycopy import MAX_RECORD, PAGE, Conflict, Gap, KeyCopy, Record
from kulla.mirror.logcopy import GZIP, LogCopy, Upload
from kulla.mirror.merging import Upkeep
from kulla.mirror.messages import Body, Disconnected, GzipBody, Refused, Request, Response
from kulla.mirror.notes import open_checkpoint, parse_submission
from kulla.mirror.reading import FRESH, is_known, is_public, number, read_log
from kulla.mirror.segments import MAX_SEGMENT, parse_path
from kulla.mirror.signed import require_signature
from kulla.mirror.source import Source
from kulla.mirror.stores import open_store
from kulla.mirror.watch import Watched, Watcher

log = logging.getLogger("kulla.mirror")

MAX_CHECKPOINT_BODY = 64 * 1024
SAVE_EVERY = 32  # packages

_LOG = re.compile(r"/([0-9a-f]{64})/(.+)\Z")

NEXT_TYPE = "text/x.kulla.next"

# What everyone may read without a certificate or a signature, beside checkpoint and tiles (reading.py).
PUBLIC = {("GET", path) for path in ("/healthz", "/status", "/policy", "/verify")}


def origin_hash(origin: str) -> str:
    """The part of the address that stands for a log: SHA-256 of its origin in lowercase hexadecimal."""
    return hashlib.sha256(origin.encode()).hexdigest()


class App:
    """One operator's mirror: log copies, key copy, tombstones."""

    def __init__(self, config: Config) -> None:
        """Open everything below `config.home`. Raises CopyDamaged, StorageFailed, OSError."""
        self._config = config
        self._logs: dict[str, tuple[LogCopy, str]] = {}  # by hash, with the origin
        for origin, key in config.logs.items():
            name = origin_hash(origin)
            store = open_store(config.store, config.home, name)
            self._logs[name] = LogCopy(store, key, config.cosigner), origin
        self.alarms = Alarms(config.home, config.name, config.watch)
        watched = [
            Watched(origin, name, config.logs[origin], copy) for name, (copy, origin) in self._logs.items()
        ]
        self.watcher = Watcher(config.home, config.watch, watched, self.alarms, self.status)
        for item in watched:
            item.copy.on_fork = partial(self._fork_came, item)
        (config.home / "keycopy").mkdir(exist_ok=True)
        self._keycopy = KeyCopy(config.home / "keycopy")
        self._destroying = Destroying(config, self._keycopy, self.alarms)
        self._upkeep = Upkeep([copy for copy, _ in self._logs.values()])
        self._puller: Puller | None = None
        if config.pull is not None:
            logs = [(item.hash, item.key, item.copy) for item in watched]
            self._puller = Puller(
                Source(config.pull.url, config.pull.tls, config.pull.key),
                config.pull.every_s,
                logs,
                self._keycopy if config.pull.keycopy else None,
                self.watcher.heard,
                self.watcher.diverged,
            )
        self._keeper_keys = [public_key(config.keeper)] if config.keeper else []
        self._reader_keys = self._keeper_keys + [public_key(key) for key in config.readers]
        self._routes: dict[tuple[str, str], Callable[[Request], Response]] = {
            ("GET", "/healthz"): self._healthz,
            ("GET", "/status"): self._show_status,
            ("GET", "/policy"): self._policy,
            ("GET", "/verify"): self._verify,
            ("POST", "/add-checkpoint"): self._add_checkpoint,
            ("POST", "/add-entries"): self._add_entries,
            ("POST", "/keycopy/put"): self._keycopy_put,
            ("GET", "/keycopy/records"): self._keycopy_records,
            **self._destroying.routes(),
        }

    def handle(self, request: Request) -> Response:
        """Answer one request. Raises Refused."""
        try:
            return self._route(request)
        except (StorageFailed, OSError) as error:
            log.error("ALARM: the disk refused: %s", type(error).__name__)
            raise Refused(503, "The mirror cannot write to its disk now.") from None

    def start(self) -> None:
        """Begin what runs beside the answering: watching and telling."""
        self.alarms.start()
        self.watcher.start()
        self._upkeep.start()
        self._destroying.start()
        if self._puller is not None:
            self._puller.start()

    def close(self) -> None:
        """Close the files of the key copy; everything acknowledged is durable already."""
        if self._puller is not None:
            self._puller.close()
        self._upkeep.close()
        self.watcher.close()
        self.alarms.close()
        self._destroying.close()
        self._keycopy.close()

    def status(self) -> dict[str, Any]:
        """How this mirror stands: what it holds, what it watches, which alarms nobody has dealt with."""
        logs = {entry["origin"]: entry for entry in self.watcher.state()}
        for copy, origin in self._logs.values():
            logs[origin] |= {"size": copy.size, "next": copy.next_entry}
        alarms = self.alarms.open()
        state: dict[str, Any] = {"name": self._config.name, "ok": not alarms, "logs": list(logs.values())}
        if self._puller is not None:
            state["pull"] = self._puller.state()
        return state | {"alarms": alarms}

    def _fork_came(self, item: Watched, evidence: Evidence) -> None:
        self.watcher.forked(item, evidence, "when it was sent here")

    def _route(self, request: Request) -> Response:
        handler = self._routes.get((request.method, request.path))
        if handler:
            if (request.method, request.path) not in PUBLIC:
                self._require_certificate(request)
            return handler(request)
        match = _LOG.match(request.path)
        if match and match[1] in self._logs:
            copy, origin = self._logs[match[1]]
            return self._log_route(request, copy, origin, match[2])
        if any(path == request.path for _, path in self._routes):
            raise Refused(405, "This address does not know that method.")
        raise Refused(404, "There is nothing under this address.")

    def _log_route(self, request: Request, copy: LogCopy, origin: str, path: str) -> Response:
        if path.startswith("segment/") and request.method == "PUT":
            self._require_certificate(request)
            return self._put_segment(request, copy, origin, path)
        if request.method != "GET":
            raise Refused(405, "This address does not know that method.")
        if not is_public(path):
            if not is_known(path):
                raise Refused(404, "There is nothing under this address.")
            self._require_certificate(request)
            # Segments are sealed, but their sizes and times are nobody's business.
            require_signature(request, b"", [public_key(self._config.logs[origin]), *self._reader_keys])
        return read_log(copy, path, request.query)

    def _require_certificate(self, request: Request) -> None:
        tls = self._config.tls
        if tls is not None and tls.clients is not None and not request.certified:
            raise Refused(403, "This address answers only who shows a client certificate.")

    # --- open to everyone ---------------------------------------------------------------------------------------

    def _healthz(self, _request: Request) -> Response:
        state = {
            "ok": True,
            "name": self._config.name,
            "logs": [
                {"origin": origin, "size": copy.size, "next": copy.next_entry}
                for copy, origin in self._logs.values()
            ],
        }
        return Response(
            json.dumps(state).encode() + b"\n", content_type="application/json", headers=dict(FRESH)
        )

    def _show_status(self, _request: Request) -> Response:
        body = json.dumps(self.status()).encode() + b"\n"
        return Response(body, content_type="application/json", headers=dict(FRESH))

    def _verify(self, _request: Request) -> Response:
        # No other site may put the page into a frame of its own and speak for it.
        headers = FRESH | {
            "Content-Security-Policy": "frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(verifier_page(), content_type="text/html; charset=utf-8", headers=headers)

    def _policy(self, _request: Request) -> Response:
        try:
            return Response((self._config.home / "policy").read_bytes(), headers=dict(FRESH))
        except FileNotFoundError:
            raise Refused(404, "This operator has not published a policy yet.") from None

    # --- the journal's side -------------------------------------------------------------------------------------

    def _put_segment(self, request: Request, copy: LogCopy, origin: str, path: str) -> Response:
        first, end = parse_path(path)
        if "kulla-signature" not in request.headers:
            raise Refused(403, "This address answers only signed requests.")
        body = request.read_all(MAX_SEGMENT)
        require_signature(request, body, [public_key(self._config.logs[origin])])
        copy.put_segment(first, end, body)
        return Response(b"stored\n")

    def _add_checkpoint(self, request: Request) -> Response:
        submission = parse_submission(request.read_all(MAX_CHECKPOINT_BODY))
        copy = self._copy_of(submission.origin)
        try:
            new = open_checkpoint(submission.note, self._config.logs[submission.origin])
        except NoteError as error:
            raise Refused(403, str(error)) from None
        self.watcher.heard(origin_hash(submission.origin))
        copy.add_checkpoint(submission.old_size, submission.proof, new)
        return Response(b"")

    def _add_entries(self, request: Request) -> Response:
        coding = request.headers.get("content-encoding", "identity").lower()
        if coding not in {"identity", "gzip"}:
            raise Refused(415, "Of the content codings only gzip is known here.", headers=GZIP)
        body: Body = GzipBody(request.body) if coding == "gzip" else request.body
        head = read_head(body)
        copy = self._copy_of(head.origin)
        upload = copy.begin(head)
        saved = _receive(body, copy, upload)
        if not saved and head.start < head.end:
            raise Refused(400, "The body ended before its first entries were complete.", headers=GZIP)
        return Response(copy.finish(upload), headers=dict(GZIP))

    def _copy_of(self, origin: str) -> LogCopy:
        found = self._logs.get(origin_hash(origin))
        if found is None:
            raise Refused(404, "This log is not mirrored here.")
        return found[0]

    # --- the keeper's side --------------------------------------------------------------------------------------

    def _keycopy_put(self, request: Request) -> Response:
        if "kulla-signature" not in request.headers:
            raise Refused(403, "This address answers only signed requests.")
        body = request.read_all(PAGE)
        require_signature(request, body, self._keeper_keys)
        records = _records(body)
        try:
            next_seq = self._keycopy.put(records)
        except Gap as gap:
            headers = {"Kulla-Next": str(gap.next)}
            raise Refused(409, f"{gap.next}\n", content_type=NEXT_TYPE, headers=headers) from None
        except Conflict as conflict:
            log.error("ALARM: the keeper sent another record under a number that stands")
            raise Refused(409, str(conflict), headers={"Kulla-Next": str(self._keycopy.next)}) from None
        return Response(f"{next_seq}\n".encode(), headers={"Kulla-Next": str(next_seq)})

    def _keycopy_records(self, request: Request) -> Response:
        require_signature(request, b"", self._reader_keys)
        page = self._keycopy.page(number(request.query))
        return Response(cbor2.dumps([list(record) for record in page]), content_type=CBOR)


def _receive(body: Body, copy: LogCopy, upload: Upload) -> bool:
    """Take packages as they come, check each, save 32 at a time. True if at least one was saved.

    A body that ends early, or a client that goes away, leaves the whole packages saved.
    """
    waiting: list[Package] = []
    saved = False
    try:
        for interval in intervals(upload.head.start, upload.head.end):
            package = read_package(body, *interval)
            upload.check(package)
            waiting.append(package)
            if len(waiting) == SAVE_EVERY:
                copy.save(upload, waiting)
                waiting, saved = [], True
    except (Truncated, Disconnected):
        pass
    except Refused:
        if waiting:
            copy.save(upload, waiting)
        raise
    if waiting:
        copy.save(upload, waiting)
        saved = True
    return saved


def _records(body: bytes) -> list[Record]:
    """The records of one put. Raises Refused 422."""
    refusal = Refused(
        422, "The body must be a CBOR list of [number, 16 bytes, bytes], numbers rising by one."
    )
    try:
        items = decode(body)
    except WireError:
        raise refusal from None
    if type(items) is not list:
        raise refusal
    out: list[Record] = []
    for item in items:
        if type(item) is not list or len(item) != 3:
            raise refusal
        seq, record_id, record = item
        if type(seq) is not int or type(record_id) is not bytes or type(record) is not bytes:
            raise refusal
        if not 1 <= seq < 2**63 or len(record_id) != 16 or len(record) > MAX_RECORD:
            raise refusal
        if out and seq != out[-1][0] + 1:
            raise refusal
        out.append((seq, record_id, record))
    return out
