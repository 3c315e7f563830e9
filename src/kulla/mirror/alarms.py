"""Alarms of one mirror: into its log, into files that stay until a person moves them, and to whom the operator named.

    HOME/alarms/<kind>-<id>.json      {"kind", "at", "sentence", "evidence", "told", "tries", "over"}
    HOME/evidence/<kind>-<id>.txt     what proves it (evidence.py)

An alarm is raised once: the same one again changes nothing while its file is in `alarms` or in `alarms/seen`, where
the operator moves it when he has dealt with it. Telling him (a command, a mail) is tried `tries` times, each wait
twice the one before; a restart goes on where it stood.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import logging
import os
import smtplib
import subprocess
import threading
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from kulla.journal.store import LogFolder
from kulla.mirror.evidence import Evidence
from kulla.mirror.options import Watch

log = logging.getLogger("kulla.mirror")

MAX_OPEN = 100  # alarms of which files are kept: whoever floods us with reasons must not fill the disk
COMMAND_S = 30.0
MAIL_S = 20.0
LONGEST_WAIT_S = 3600.0


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Alarms:
    """The alarms of one home. Thread-safe."""

    def __init__(self, home: Path, name: str, watch: Watch | None) -> None:
        self._home, self._name, self._watch = home, name, watch
        self._files = LogFolder(home)
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._stop = threading.Event()
        self._tell = watch is not None and bool(watch.command or watch.mail)
        self._thread: threading.Thread | None = None

    # --- raising ------------------------------------------------------------------------------------------------

    def raise_one(self, kind: str, sentence: str, evidence: Evidence | None = None, about: str = "") -> None:
        """Raise an alarm. `kind`: a word; `about`: what makes it another one than the last of its kind.

        A disk that refuses the file leaves at least the line in the log.
        """
        proof = evidence.first + evidence.second if evidence else about
        name = f"{kind}-{hashlib.sha256(proof.encode()).hexdigest()[:16]}"
        with self._lock:
            if any((self._home / folder / f"{name}.json").exists() for folder in ("alarms", "alarms/seen")):
                return
            log.error("ALARM: %s", sentence)
            if len(list((self._home / "alarms").glob("*.json"))) >= MAX_OPEN:
                return
            item: dict[str, Any] = {
                "kind": kind,
                "at": _now(),
                "sentence": sentence,
                "evidence": None,
                "told": None,
                "tries": 0,
                "over": None,
            }
            try:
                if evidence is not None:
                    item["evidence"] = f"evidence/{name}.txt"
                    self._files.replace(item["evidence"], evidence.text(item["at"], self._name).encode())
                self._save(name, item)
            except OSError as error:
                log.error("ALARM: an alarm could not be written down: %s", error.strerror)
        self._work.set()

    def over(self, kind: str, sentence: str) -> None:
        """What the alarms of a kind spoke of has ended: they move to `seen`, and the operator is told."""
        for name, item in self._open(kind):
            with self._lock, contextlib.suppress(OSError):
                item |= {
                    "over": _now(),
                    "told": None,
                    "tries": 0,
                    "sentence": f"{item['sentence']} {sentence}",
                }
                self._files.replace(f"alarms/seen/{name}.json", _encode(item))
                self._files.remove(f"alarms/{name}.json")
            log.warning("over: %s", sentence)
            self._work.set()

    def is_open(self, kind: str) -> bool:
        """Whether an alarm of this kind stands."""
        return bool(self._open(kind))

    def open(self) -> list[dict[str, Any]]:
        """The alarms that no person has dealt with, oldest first, for the status."""
        keep = ("kind", "at", "sentence", "evidence", "told")
        items = [{key: item.get(key) for key in keep} for _, item in self._open()]
        return sorted(items, key=lambda item: str(item["at"]))

    # --- telling ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin telling, with what an earlier run left untold."""
        if self._tell:
            self._work.set()
            self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop telling; what is left is told after the next start."""
        self._stop.set()
        self._work.set()
        if self._thread is not None:
            self._thread.join(1)

    def _run(self) -> None:
        assert self._watch is not None  # noqa: S101 - started only with one
        while not self._stop.is_set():
            self._work.wait()
            self._work.clear()
            wait = self._watch.wait_s
            while (left := self._untold()) and not self._stop.is_set():
                for folder, name, item in left:
                    self._tell_one(folder, name, item)
                if self._untold():
                    self._stop.wait(wait)
                    wait = min(2 * wait, LONGEST_WAIT_S)

    def _untold(self) -> list[tuple[str, str, dict[str, Any]]]:
        tries = self._watch.tries if self._watch else 0
        found = [(folder, *entry) for folder in ("alarms", "alarms/seen") for entry in self._read(folder)]
        return [entry for entry in found if entry[2].get("told") is None and entry[2].get("tries", 0) < tries]

    def _tell_one(self, folder: str, name: str, item: dict[str, Any]) -> None:
        assert self._watch is not None  # noqa: S101
        faults = []
        if self._watch.command:
            faults.append(self._run_command(item))
        if self._watch.mail:
            faults.append(self._send_mail(item))
        item["tries"] = item.get("tries", 0) + 1
        if not any(faults):
            item["told"] = _now()
        elif item["tries"] >= self._watch.tries:
            log.error(
                "ALARM: nobody could be told of an alarm (%s); it was the last try",
                next(filter(None, faults)),
            )
        else:
            log.warning("telling of an alarm failed: %s; it is tried again", next(filter(None, faults)))
        with self._lock, contextlib.suppress(OSError):
            if (self._home / folder / f"{name}.json").exists():
                self._files.replace(f"{folder}/{name}.json", _encode(item))

    def _run_command(self, item: dict[str, Any]) -> str:
        """Run the operator's command with the sentence on its input; why it failed, or nothing."""
        assert self._watch is not None  # noqa: S101
        environment = os.environ | {"KULLA_ALARM": str(item["kind"]), "KULLA_MIRROR": self._name}
        try:
            done = subprocess.run(
                self._watch.command,
                input=self._words(item).encode(),
                env=environment,
                cwd=self._home,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=COMMAND_S,
                check=False,
            )
        except OSError as error:
            return f"the command cannot be started: {error.strerror}"
        except subprocess.TimeoutExpired:
            return f"the command took longer than {COMMAND_S:.0f} seconds"
        return f"the command ended with {done.returncode}" if done.returncode else ""

    def _send_mail(self, item: dict[str, Any]) -> str:
        """Send the mail; why it failed, or nothing."""
        assert self._watch is not None and self._watch.mail is not None  # noqa: S101
        mail = self._watch.mail
        message = EmailMessage()
        message["From"], message["To"] = mail.sender, ", ".join(mail.to)
        message["Subject"] = (
            f"Kulla mirror {self._name}: {'over: ' if item.get('over') else ''}{item['kind']}"
        )
        message.set_content(self._words(item))
        try:
            with smtplib.SMTP(mail.host, mail.port, timeout=MAIL_S) as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            return f"the mail was not taken ({type(error).__name__})"
        return ""

    def _words(self, item: dict[str, Any]) -> str:
        more = f"Evidence: {item['evidence']} in the mirror's home.\n" if item.get("evidence") else ""
        return f"{item['sentence']}\nSeen by {self._name} at {item['at']}.\n{more}"

    # --- files --------------------------------------------------------------------------------------------------

    def _save(self, name: str, item: dict[str, Any]) -> None:
        self._files.replace(f"alarms/{name}.json", _encode(item))

    def _open(self, kind: str = "") -> list[tuple[str, dict[str, Any]]]:
        return [(name, item) for name, item in self._read("alarms") if kind in {"", item.get("kind")}]

    def _read(self, folder: str) -> list[tuple[str, dict[str, Any]]]:
        found = []
        for path in sorted((self._home / folder).glob("*.json")):
            with contextlib.suppress(OSError, ValueError):  # moved away this moment, or written by hand
                item = json.loads(path.read_text("utf-8"))
                if isinstance(item, dict) and "sentence" in item:
                    found.append((path.stem, item))
        return found


def _encode(item: dict[str, Any]) -> bytes:
    return (json.dumps(item, indent=2, ensure_ascii=False) + "\n").encode()
