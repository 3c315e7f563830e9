"""`kulla offices` at a terminal of its own (a pty), and what two people type."""

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from typing import Protocol

import pyotp


class Somebody(Protocol):
    """Who takes part: of a keeper in a test, or of a country's cast."""

    @property
    def name(self) -> str: ...

    @property
    def number(self) -> str: ...

    @property
    def password(self) -> str: ...


class Terminal:
    """A command at a terminal of its own, and what two people type."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kulla.cli", "offices", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no other thread forks here
        )
        os.close(theirs)
        self.seen = ""
        self._read = 0

    def expect(self, words: str, limit_s: float = 40) -> str:
        """Wait for words; gives all that stood before them since the last ones."""
        until = time.monotonic() + limit_s
        while words not in self.seen[self._read :]:
            assert time.monotonic() < until, f"no {words!r} in {self.seen[self._read :]!r}"
            if not self._more():
                break
        assert words in self.seen[self._read :], self.seen[self._read :]
        end = self.seen.index(words, self._read) + len(words)
        before, self._read = self.seen[self._read : end], end
        return before

    def type(self, text: str) -> None:
        """A line."""
        os.write(self._ours, text.encode() + b"\n")

    def ended(self) -> int:
        """The exit code."""
        while self._more():
            pass
        code = self.process.wait(20)
        os.close(self._ours)
        return code

    def _more(self) -> bool:
        if not select.select([self._ours], [], [], 1)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def person(self, member: Somebody, *, slips: bool = False) -> str:
        """One person takes part; gives the second factor's secret."""
        self.expect("Number: ")
        if slips:
            self.type("K99999999Z")
            self.expect("nobody")
        self.type(member.number)
        self.expect(member.name)
        if slips:
            self.expect("Choose a password")
            self.type("password1234")
            self.expect("Choose a password")
            self.type(member.password)
            self.expect("The same again")
            self.type("something-else")
        self.expect("Choose a password")
        self.type(member.password)
        self.expect("The same again")
        self.type(member.password)
        page = self.expect("shows now: ")
        found = re.search(r"Or type it: ([A-Z2-7 ]+)", page)
        assert found
        assert "█" in page or "▀" in page or "▄" in page
        secret = found[1].replace(" ", "")
        if slips:
            self.type("000000")
            self.expect("shows now: ")
        self.type(pyotp.TOTP(secret).now())
        self.expect("ready")
        return secret
