"""Recovery of what was lost, without weakening the strongest factor in silence.

| lost | without a second factor | with a second factor (TOTP or passkey) |
|---|---|---|
| password | code by telephone, or a recovery code | two of telephone, recovery code, TOTP; with one after 72 hours |
| second factor | | password and a recovery code; password and a code to the telephone after 72 hours |
| everything | a letter from a counter | a letter from a counter |

What waits 72 hours is told to every channel, with a link that freezes the account; afterwards the same proof is shown
again. Officials recover nothing here: two administrators decide (see desk.py).
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.accounts.activation import RECOVER, Activation, Step, wrong
from kulla.keeper.accounts.book import Book
from kulla.keeper.accounts.freezing import Freezing
from kulla.keeper.accounts.locks import Locks
from kulla.keeper.accounts.papers import Papers
from kulla.keeper.accounts.sending import CodeSender
from kulla.keeper.delivery.delivery import Contacts
from kulla.keeper.errors import Refusal

PURPOSE = "recovery"
PASSWORD, FACTOR = "password", "factor"
WAIT_MS = 72 * 3600 * 1000
THEN_MS = 7 * 24 * 3600 * 1000  # how long what has waited can be used


@dataclass(frozen=True)
class Shown:
    """What somebody typed to prove who they are; "" for what they do not have."""

    phone_code: str = field(default="", repr=False)
    paper_code: str = field(default="", repr=False)
    totp: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


class Recovery:
    """Recovery without a counter."""

    def __init__(
        self,
        book: Book,
        sender: CodeSender,
        papers: Papers,
        activation: Activation,
        freezing: Freezing,
        locks: Locks,
    ) -> None:
        self._book, self._sender, self._papers = book, sender, papers
        self._activation, self._freezing, self._locks = activation, freezing, locks

    def begin(self, identifier: str, network: str) -> None:
        """Send a code if there is somebody who may get one. Tells nothing. Raises Refusal("slow_down")."""
        account, place, marks = self._book.typed(identifier, network)
        self._sender.check_asked(account, place)
        self._sender.later(lambda: self._send(self._book.people.by_marks(marks)))

    def _send(self, person: UUID | None) -> None:
        if person is None or not self._book.may_have(person):
            return
        to = Contacts(self._book.contacts(person).phone)
        if not to.phone:
            return
        if self._book.official(person):
            self._sender.hint(person, "ask_desk", to)
        elif self._book.active(person):
            self._sender.code(person, PURPOSE, "code_recovery", to)
        else:
            self._sender.hint(person, "not_active", to)

    def prove(
        self, identifier: str, lost: str, shown: Shown, *, network: str, wait: bool = False
    ) -> dict[str, Any]:
        """What follows from what was shown: {"pass"} for a new password, {"done": True} when the second factor is
        gone, {"due_ms"} when it has to wait until then.

        `wait`: go the slow way, with what there is. Raises Refusal("wrong_code") whatever does not fit, also for
        whoever does not exist; "more" when one proof is right and another is needed; "nothing_lost"; "slow_down".
        """
        if lost not in {PASSWORD, FACTOR}:
            raise Refusal("bad_request", "What was lost is the password or the factor.")
        person, counted = self._book.tried(identifier, network)
        phone = self._sender.codes.right(person, PURPOSE, shown.phone_code, spend=False)
        paper = self._papers.find(person, shown.paper_code)
        known = lost == PASSWORD or self._book.keeper.credentials.password_right(person, shown.password)
        if person is None or not known or not (phone or paper) or not self._may(person):
            raise wrong()
        self._book.attempts.password_right(counted)
        strong = self._book.strong(person)
        if lost == FACTOR and not strong:
            raise Refusal("nothing_lost", "There is no second factor to be taken away.")
        enough = self._enough(person, lost, shown, phone=phone, paper=paper is not None, strong=strong)
        if not enough and not self._waited(person, lost):
            if not wait:
                raise Refusal("more", "One more proof is needed.", due_ms=self._due(person, lost))
            return {"due_ms": self._wait(person, lost)}
        # Now the telephone's code is used; of two at once one only.
        if phone and not self._sender.codes.right(person, PURPOSE, shown.phone_code):
            raise wrong()
        if lost == PASSWORD:
            return {
                "pass": self._activation.passes.give(Step(RECOVER, person, self._book.clock(), paper=paper))
            }
        self._remove_factors(person, paper)
        return {"done": True}

    def _may(self, person: UUID) -> bool:
        book = self._book
        return book.may_have(person) and book.active(person) and not book.official(person)

    def _enough(
        self, person: UUID, lost: str, shown: Shown, *, phone: bool, paper: bool, strong: bool
    ) -> bool:
        if lost == FACTOR:
            return paper  # and the password, which was right
        if not strong or (phone and paper):
            return True
        if not shown.totp:
            return False
        if not self._book.keeper.sign_in.spend_code(person, shown.totp):
            raise wrong()
        return True

    # The slow way --------------------------------------------------------------------------------------

    def _due(self, person: UUID, lost: str) -> int:
        """When a recovery that waits may go on; 0 when none does."""
        row = self._book.register.one(
            "SELECT due FROM recovery_wait WHERE person = ? AND lost = ? AND ended IS NULL AND until > ? "
            "ORDER BY due LIMIT 1",
            *(person.bytes, lost, self._book.clock()),
        )
        return int(row[0]) if row else 0

    def _waited(self, person: UUID, lost: str) -> bool:
        due = self._due(person, lost)
        return bool(due) and due <= self._book.clock()

    def _wait(self, person: UUID, lost: str) -> int:
        with self._locks.of(person):
            if due := self._due(person, lost):
                return due
            now, wait = self._book.clock(), uuid4()
            due = now + WAIT_MS
            told = self._book.telling(person, f"recovery_waits_{lost}", link="recovery", about=wait)
            body = {"type": "recovery_wait", "id": wait, "person": person, "lost": lost, "at": now}
            self._book.keeper.committer.commit({**body, "due": due, "until": due + THEN_MS}, *told.bodies)
        told.send()
        return due

    def _remove_factors(self, person: UUID, paper: bytes | None) -> None:
        with self._locks.of(person):
            now = self._book.clock()
            bodies = self._freezing.waits_ended(person)
            bodies.append({"type": "credentials_cleared", "person": person, "at": now, "what": "factors"})
            if paper is not None:
                spent = self._papers.spent(person, paper)
                if spent is None:
                    raise wrong()
                bodies.append(spent)
            told = self._book.telling(person, "factor_removed", link="recovery")
            self._book.keeper.committer.commit(*bodies, *told.bodies)
        self._book.end_sessions(person)
        told.send()
