"""The parts of accounts put together, and what other areas ask of them."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kulla.keeper.accounts.activation import Activation
from kulla.keeper.accounts.book import Book, Telling
from kulla.keeper.accounts.channels import Channels
from kulla.keeper.accounts.codes import CODE_MS, Codes
from kulla.keeper.accounts.desk import Desk
from kulla.keeper.accounts.freezing import Freezing
from kulla.keeper.accounts.held import Held
from kulla.keeper.accounts.letters import Letters
from kulla.keeper.accounts.locks import Locks
from kulla.keeper.accounts.papers import Papers
from kulla.keeper.accounts.recovery import Recovery
from kulla.keeper.accounts.sending import CodeSender
from kulla.keeper.delivery.delivery import Contacts
from kulla.keeper.errors import Refusal
from kulla.keeper.sessions import Live

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper


class Accounts:
    """Everything about accounts."""

    def __init__(self, keeper: "Keeper", clock: Callable[[], int]) -> None:
        """After sessions, delivery, families, offices, approvals and the meter."""
        self._keeper, self._clock = keeper, clock
        self.book = Book(keeper, clock)
        codes, locks = Codes(clock), Locks()
        self._sender = CodeSender(self.book, codes)
        self._codes, self._papers, self._locks = codes, Papers(self.book), locks
        letters = Letters(self.book)
        self.freezing = Freezing(self.book, codes, locks)
        self.channels = Channels(self.book, self._sender, locks)
        self.activation = Activation(self.book, self._sender, letters, self._papers, self.freezing, locks)
        self.recovery = Recovery(self.book, self._sender, self._papers, self.activation, self.freezing, locks)
        self.desk = Desk(self.book, codes, letters, self.channels, self.freezing, locks)
        keeper.delivery.contacts = self.contacts
        keeper.delivery.language = self.book.language
        keeper.people.reached = self.book.reached

    def add_sections(self, add: Callable[[str, Callable[[UUID], list[dict[str, Any]]]], None]) -> None:
        """Add what accounts hold to what a person downloads."""
        held = Held(self.book)
        add("contacts", held.contacts)
        add("cases", held.cases)

    # For other areas -----------------------------------------------------------------------------------

    def tell(self, person: UUID, kind: str, params: Mapping[str, str] | None = None) -> None:
        """A notice of the keeper (delivery/texts.py) into the inbox and to all channels; a child's to the guardians.

        Raises Refusal("copies_unavailable"). Where it tells of a change use `telling`, so that both count together.
        """
        told = self.telling(person, kind, params)
        self._keeper.committer.commit(*told.bodies)
        told.send()

    def telling(
        self,
        person: UUID,
        kind: str,
        params: Mapping[str, str] | None = None,
        *,
        link: str = "",
        channels: Collection[str] | None = None,
    ) -> Telling:
        """The same in two steps: commit `bodies` with the change, then `send()`. With `link` (a fixed word: what it
        is about) the text's $link is an address that freezes the account."""
        return self.book.telling(person, kind, params, link=link, channels=channels)

    def frozen(self, person: UUID) -> bool:
        """Whether the account is frozen: sign-in refuses with the ordinary words."""
        return self.book.frozen(person)

    def contacts(self, person: UUID) -> Contacts:
        """The telephone number (E.164) and e-mail address that count now."""
        return self.book.contacts(person)

    def confirm_code(self, person: UUID, purpose: str, kind: str = "code_confirm", **params: str) -> int:
        """Send six digits to the telephone on record (ten minutes, five tries); gives until when they work.

        `kind` is the notice (one of sending.CODE_KINDS) and `params` what it says besides the code.

        Raises Refusal("no_channel") without a telephone, "slow_down" (retry_after_s) when one was sent just now.
        """
        to = Contacts(self.contacts(person).phone)
        if not to.phone:
            raise Refusal("no_channel", "There is no telephone on record.")
        if not self._sender.code(person, f"confirm {purpose}", kind, to, **params):
            wait = max(1000, self._sender.may_send(to.phone) - self._clock())
            raise Refusal("slow_down", "Codes to this telephone must wait.", retry_after_s=wait // 1000 + 1)
        return self._clock() + CODE_MS

    def check_code(self, person: UUID, purpose: str, code: str) -> bool:
        """Whether it is the code that `confirm_code` sent; a right one is spent."""
        return self._codes.right(person, f"confirm {purpose}", code)

    # The own account -----------------------------------------------------------------------------------

    def view(self, session: Live) -> dict[str, Any]:
        """The own channels, what waits, and how many recovery codes are left."""
        if not session.is_citizen:
            raise Refusal("role", "Officials see this as citizens.")
        person = session.person
        return {
            **self.channels.view(person),
            "papers": self._papers.left(person),
            "strong": self.book.strong(person),
        }

    def channel_ask(self, session: Live, channel: str, text: str) -> dict[str, Any]:
        """Ask for a new address, see `Channels.ask`."""
        return self.channels.ask(self.book.own(session), channel, text)

    def channel_confirm(self, session: Live, channel: str, code: str) -> int:
        """Show that the new address works, see `Channels.confirm`."""
        return self.channels.confirm(self.book.own(session), channel, code)

    def channel_cancel(self, session: Live, change: UUID) -> None:
        """Take back a change that waits."""
        self.channels.cancel(self.book.own(session), change)

    def paper_codes(self, session: Live) -> list[str]:
        """Ten new recovery codes in the place of the older ones; who it is must have been proven lately.

        Raises Refusal("confirm", "role", "assisted", "short_session", "slow_down").
        """
        person = self.book.own(session)
        self._keeper.security.must_be_fresh(session)
        self.book.often.count(person, "papers")
        with self._locks.of(person):
            codes, body = self._papers.make(person)
            told = self.book.telling(person, "paper_codes_made", link="papers")
            self._keeper.committer.commit(body, *told.bodies)
        told.send()
        return codes

    # The house -----------------------------------------------------------------------------------------

    def status(self) -> dict[str, int]:
        """How many cases of "this was not me" are open."""
        return {"cases": self.freezing.open_cases()}

    def demo_outbox(self, identifier: str) -> list[dict[str, Any]]:
        """What went to the telephone and letter box of one person, newest first; waits until all of it went."""
        self._sender.settled(3.0)
        self._keeper.delivery.settled(1.0)
        person = self.book.people.by_marks(self.book.people.sign_in_marks(identifier))
        return self._keeper.delivery.shown(person) if person else []

    def close(self) -> None:
        """Finish what was asked for."""
        self._sender.close()
