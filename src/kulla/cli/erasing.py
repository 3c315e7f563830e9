"""What `kulla erasure` does: files beside each other, signatures, and requests to the key copies.

Beside FILE.unsigned lies one FILE.unsigned.NAME.signature for each officer, two lines: the key's name and base64.
"""

import base64
import hashlib
import http.client
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kulla.cli.errors import CommandError
from kulla.cli.home import open_home
from kulla.journal import tombstone, wire
from kulla.journal.errors import NoteError
from kulla.journal.note import Signer, b64, check_name, sign_note, unb64

Say = Callable[[str], None]
TIMEOUT_S = 30.0
KINDS = {"object": tombstone.OBJECTION, "hold": tombstone.HOLD, "lift": tombstone.LIFTED}
PATHS = {"object": "/keycopy/object", "hold": "/keycopy/hold", "lift": "/keycopy/hold"}


def keygen(path: Path, name: str, say: Say) -> int:
    """Make a key; the verifier key that is printed goes into keeper.json and the copies' operator.json."""
    try:
        key = Signer.generate(check_name(name))
    except NoteError as error:
        raise CommandError(str(error)) from None
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{path} exists already; nothing was touched.") from None
    with os.fdopen(fd, "w") as file:
        file.write(key.skey + "\n")
    say(key.vkey)
    return 0


def listed(home: Path, say: Say) -> int:
    """Every tombstone that the keeper has drawn up, with who signed it."""
    paths = sorted((open_home(home).keeper / "erasure").glob("*.unsigned"))
    for path in paths:
        signed = ", ".join(sorted(_signatures(path))) or "nobody"
        say(f"{path.name}: {_line(path)}; signed by {signed}")
    if not paths:
        say("The keeper has drawn up no tombstone.")
    return 0


def show(path: Path, say: Say) -> int:
    """One tombstone in words."""
    data, fields = _read(path)
    say(f"id         {hashlib.sha256(data).hexdigest()}")
    say(f"reason     {fields['reason']}")
    say(f"records    {len(fields.get('record_ids', [0]))}")
    say(f"drawn up   {_day(fields['at'])}")
    say(f"earliest   {_day(fields['not_before'])}, and 30 days after it reached a copy")
    say(f"signed by  {', '.join(sorted(_signatures(path))) or 'nobody'}")
    return 0


def sign(path: Path, key: Path, say: Say) -> int:
    """Put an officer's signature beside the tombstone."""
    data, _ = _read(path)
    signer = _key(key)
    beside = path.with_name(f"{path.name}.{signer.name}.signature")
    beside.write_text(f"{signer.name}\n{b64(tombstone.sign(data, signer.key))}\n")
    say(f"{beside.name} was written. A tombstone needs the signatures of two officers.")
    return 0


def send(path: Path, copies: Sequence[str], say: Say) -> int:
    """Send a tombstone with its signatures to the copies; 1 when one did not take it."""
    data, _ = _read(path)
    signatures = _signatures(path)
    if len(signatures) < 2:
        raise CommandError("Two officers sign a tombstone before it is sent: kulla erasure sign.")
    try:
        stone = tombstone.assemble(data, signatures)
    except tombstone.TombstoneRefused as error:
        raise CommandError(str(error)) from None
    failed = 0
    for url in copies:
        status, answer = _ask(url, "POST", "/keycopy/schedule-destroy", stone)
        if status == 202:
            say(f"{url}: taken; it is carried out at {_day(int(answer.split()[1]))} at the earliest")
        else:
            failed = 1
            say(f"{url}: not taken: {_words(answer)}")
    return failed


def note(act: str, ident: str, key: Path, reason: str, copies: Sequence[str], say: Say) -> int:
    """Send an objection, a hold or the end of one; 1 when a copy did not take it."""
    try:
        text = tombstone.note_text(KINDS[act], ident, reason)
    except tombstone.TombstoneRefused:
        raise CommandError("ID is the 64 characters that `status` shows; --reason is one line.") from None
    body = sign_note(text, _key(key).sign).encode()
    failed = 0
    for url in copies:
        status, answer = _ask(url, "POST", PATHS[act], body)
        failed |= status != 200
        say(f"{url}: {_words(answer)}")
    return failed


def status(key: Path, copies: Sequence[str], say: Say) -> int:
    """What each copy says of each tombstone."""
    signer, failed = _key(key), 0
    for url in copies:
        code, answer = _ask(url, "GET", "/keycopy/tombstones", b"", signer)
        try:
            items = wire.decode(answer) if code == 200 else None
        except wire.WireError:
            items = None
        if items is None:
            failed = 1
            say(f"{url}: {_words(answer)}")
            continue
        say(f"{url}: {len(items)} tombstones")
        for item in items:
            done = f", done {_day(item['done'])}" if item.get("done") else f", due {_day(item['due'])}"
            say(f"  {item['id']} {item['state']}{done}")
    return failed


def copies_of(home: Path) -> list[str]:
    """The addresses of the key copies that a home's keeper names."""
    try:
        raw = json.loads((open_home(home).keeper / "keeper.json").read_text())
        return [str(each["url"]) for each in raw["copies"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise CommandError(f"{home} holds no keeper whose settings can be read; give --to URL.") from None


def _read(path: Path) -> tuple[bytes, Mapping[str, Any]]:
    data = path.read_bytes()
    try:
        return data, tombstone.read_unsigned(data)
    except tombstone.TombstoneRefused as error:
        raise CommandError(f"{path.name}: {error}") from None


def _signatures(path: Path) -> dict[str, bytes]:
    found = {}
    for beside in sorted(path.parent.glob(f"{path.name}.*.signature")):
        try:
            name, encoded = beside.read_text().split("\n")[:2]
            found[name] = unb64(encoded)
        except (ValueError, NoteError):
            raise CommandError(f"{beside.name} is no signature: delete it and sign again.") from None
    return found


def _key(path: Path) -> Signer:
    try:
        return Signer.from_skey(path.read_text("ascii"))
    except (NoteError, ValueError):
        raise CommandError(f"{path} is no key of an officer (kulla erasure keygen makes one).") from None


def _ask(url: str, method: str, path: str, body: bytes, signer: Signer | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CommandError(f"{url} is no address of a key copy.")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target, headers = parts.path.rstrip("/") + path, {}
    if signer is not None:
        now = int(time.time())
        text = f"kulla-request/1\n{method}\n{target}\n{now}\n{hashlib.sha256(body).hexdigest()}\n"
        headers = {
            "Kulla-Time": str(now),
            "Kulla-Signature": base64.b64encode(signer.key.sign(text.encode())).decode(),
        }
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request(method, target, body or None, headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b"It does not answer."
    finally:
        connection.close()


def _words(answer: bytes) -> str:
    return answer.decode("utf-8", "replace").strip()[:300]


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _line(path: Path) -> str:
    _, fields = _read(path)
    return f"{fields['reason']}, {len(fields.get('record_ids', [0]))} records, drawn up {_day(fields['at'])}"
