"""Getting an account: a code to the telephone on record, or a letter from a counter. Knowing is never enough.

The same page answers whatever was typed. Nothing is sent to who has an account already (but a word that it is so), to
the dead, to the frozen, to children (guardians act for them), and to whoever has no telephone on record. Nor to
officials, and to who was frozen once: their telephone may be what was stolen, so only a letter opens the account.

What was shown may be used for a quarter of an hour, unless a letter was given meanwhile: whoever has shown a document
is not overtaken by who began before. A letter that one clerk gave opens no account of somebody who became an official.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kulla.keeper.accounts.book import Book, Telling
from kulla.keeper.accounts.codes import Passes
from kulla.keeper.accounts.freezing import Freezing
from kulla.keeper.accounts.letters import Letters
from kulla.keeper.accounts.locks import Locks
from kulla.keeper.accounts.papers import Papers
from kulla.keeper.accounts.sending import CodeSender
from kulla.keeper.delivery.delivery import Contacts
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.roles import CITIZEN
from kulla.keeper.strength import LETTER as FACTOR

PASS_MS = 15 * 60 * 1000
PURPOSE = "activation"
ACTIVATE, LETTER, RECOVER = "activate", "letter", "recover"


@dataclass(frozen=True)
class Step:
    """What was shown (`at`, ms): by a telephone's code, a letter, or as recovery. The password comes next."""

    how: str
    person: UUID
    at: int
    letter: UUID | None = None
    paper: bytes | None = None


def wrong() -> Refusal:
    """The one refusal of everything that does not fit together."""
    return Refusal("wrong_code", "The code is wrong, was used already, or is too old.")


class Activation:
    """From nothing to a password."""

    def __init__(
        self,
        book: Book,
        sender: CodeSender,
        letters: Letters,
        papers: Papers,
        freezing: Freezing,
        locks: Locks,
    ) -> None:
        self._book, self._sender, self._letters, self._papers = book, sender, letters, papers
        self._freezing, self._locks = freezing, locks
        self.passes: Passes[Step] = Passes(book.clock, PASS_MS)

    def begin(self, identifier: str, network: str) -> None:
        """Send a code if there is somebody who may get one. Tells nothing. Raises Refusal("slow_down")."""
        account, place, marks = self._book.typed(identifier, network)
        self._sender.check_asked(account, place)
        self._sender.later(lambda: self._send(self._book.people.by_marks(marks)))

    def _send(self, person: UUID | None) -> None:
        if person is None or not self._book.may_have(person):
            return
        to = Contacts(self._book.contacts(person).phone)
        if self._book.active(person):
            self._sender.hint(person, "already_active", to)
        elif to.phone and self._by_phone(person):
            self._sender.code(person, PURPOSE, "code_activation", to)

    def check(self, identifier: str, code: str, network: str) -> str:
        """A pass for the code that was sent. Raises Refusal("wrong_code", "slow_down")."""
        person, counted = self._book.tried(identifier, network)
        right = self._sender.codes.right(person, PURPOSE, code)
        if not right or person is None or self._book.active(person) or not self._book.may_have(person):
            raise wrong()
        if not self._by_phone(person):
            raise wrong()
        self._book.attempts.password_right(counted)
        return self.passes.give(Step(ACTIVATE, person, self._book.clock()))

    def check_letter(self, identifier: str, code: str, network: str) -> str:
        """A pass for a letter. Raises Refusal("wrong_code", "slow_down", "letter_used", "letter_expired",
        "letter_replaced")."""
        person, counted = self._book.tried(identifier, network)
        letter = self._letters.find(person, code)
        if person is None or letter is None or not self._book.may_have(person):
            raise wrong()
        if not self._letter_is_enough(person, letter):
            raise wrong()
        self._book.attempts.password_right(counted)
        return self.passes.give(Step(LETTER, person, self._book.clock(), letter=letter))

    def finish(
        self, name: str, password: str, *, network: str, device: str, language: str | None
    ) -> dict[str, Any]:
        """Set the password: (1) the rules, (2) whether what was shown still stands, (3) all in one commit,
        (4) every channel is told, (5) a session, unless a second factor is asked for: then {}.

        Raises Refusal("too_late", "weak_password", "copies_unavailable").
        """
        step = self.passes.read(name)
        keeper, person = self._book.keeper, step.person
        keeper.credentials.set_rules(person, password)
        with self._locks.of(person):
            step = self.passes.read(name)
            bodies, told = self._stands(step)
            bodies.append(keeper.credentials.password_body(person, password))
            keeper.committer.commit(*bodies, *told.bodies)
            self.passes.take(name)
        self._book.end_sessions(person)
        told.send()
        if self._book.strong(person):
            return {}
        return dict(
            keeper.sessions.open_for(
                person, CITIZEN, None, network=network, device=device, language=language, factor=FACTOR
            )
        )

    def _stands(self, step: Step) -> tuple[list[Body], Telling]:
        """The changes before the password, and what is told. Raises Refusal("too_late")."""
        book, person = self._book, step.person
        late = Refusal("too_late", "This was done already, or does not stand any more: begin again.")
        if not book.may_have(person) or self._letters.given_since(person, step.at, step.letter):
            raise late
        if step.how == ACTIVATE:
            if book.active(person) or not self._by_phone(person):
                raise late
            return [], book.telling(person, "activated", link="activation")
        if step.how == LETTER:
            if step.letter is None or not self._letters.stands(step.letter):
                raise late
            if not self._letter_is_enough(person, step.letter):
                raise late
            cleared: Body = {
                "type": "credentials_cleared",
                "person": person,
                "at": book.clock(),
                "what": "all",
            }
            bodies = [self._letters.used(step.letter), cleared, *self._freezing.waits_ended(person)]
            return bodies, book.telling(person, "letter_used", link="letter")
        if book.official(person):
            raise late
        bodies = self._freezing.waits_ended(person)
        if step.paper is not None:
            spent = self._papers.spent(person, step.paper)
            if spent is None:
                raise late
            bodies.append(spent)
        return bodies, book.telling(person, "password_recovered", link="recovery")

    def _by_phone(self, person: UUID) -> bool:
        """Whether a telephone's code may activate."""
        return not self._book.official(person) and not self._freezing.ever(person)

    def _letter_is_enough(self, person: UUID, letter: UUID) -> bool:
        """Of officials only a letter that two administrators allowed."""
        return not self._book.official(person) or self._letters.allowed_by_two(letter)
