"""The first administrators: made on the keeper's own machine, with two people present, and never over the socket.

Both are in the register. Each chooses a password and a second factor; both become administrators of the state, each
granted by the two of them. There is no ceremony while two administer the state. Where only one is left, that one is one
of the two and proves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import pyotp

from kulla.keeper.core import Keeper
from kulla.keeper.credentials import step_of
from kulla.keeper.errors import KeeperError, Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.offices import STATE
from kulla.keeper.roles import ADMIN, READERS

TWO = 2


@dataclass(frozen=True)
class Present:
    """Somebody who takes part. Without `password` and `secret`: the one who administers already, and has proven it."""

    person: UUID
    name: str
    password: str = ""
    secret: str = ""


class Ceremony:
    """What the ceremony asks of the register. Raises KeeperError with a sentence for the two at the terminal."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def left(self) -> UUID | None:
        """The one administrator of the state that is left; None when there is none. Refuses when there are two."""
        root = self._keeper.offices.root()
        found = self._keeper.offices.admins_over(root) if root else set()
        if len(found) >= TWO:
            raise KeeperError(
                f"{len(found)} people administer the state already: they give further roles on their pages."
            )
        return next(iter(found), None)

    def needs_state(self) -> bool:
        """Whether the state itself must be made first, under a name."""
        return self._keeper.offices.root() is None

    def who(self, identifier: str, others: Sequence[Present] = ()) -> Present:
        """The person with this identifier, if they may take part."""
        keeper = self._keeper
        person = keeper.people.by_marks(keeper.people.sign_in_marks(identifier))
        if person is None or keeper.people.is_dead(person):
            raise KeeperError("The register has nobody with this identifier.")
        if any(person == other.person for other in others):
            raise KeeperError("This is the same person: a ceremony needs two people.")
        if any(role in READERS for role, _ in keeper.offices.roles_of(person)):
            raise KeeperError("This person reads citizens in an office: who administers reads nobody.")
        return Present(person, keeper.people.field(person, "name"))

    def proven(self, present: Present, password: str, code: str) -> bool:
        """Whether the one who is left showed password and code."""
        credentials = self._keeper.credentials
        right = credentials.password_right(present.person, password)
        return right and credentials.totp_step(present.person, code) is not None

    def check_password(self, present: Present, password: str) -> None:
        """Raise Refusal("weak_password") for what this person may not have."""
        self._keeper.credentials.set_rules(present.person, password)

    @staticmethod
    def new_secret() -> tuple[str, str]:
        """A second factor's secret (base32) and the address that an authenticator reads; it names nobody."""
        secret = pyotp.random_base32()
        return secret, pyotp.TOTP(secret).provisioning_uri(name="Kulla", issuer_name="Kulla")

    @staticmethod
    def code_right(secret: str, code: str) -> bool:
        """Whether this is the code of now."""
        return step_of(secret, code) is not None

    def finish(self, both: Sequence[Present], state_name: str = "") -> None:
        """Make both administrators of the state, in one commit. Raises KeeperError."""
        left, keeper = self.left(), self._keeper
        if len({each.person for each in both}) != TWO:
            raise KeeperError("A ceremony needs two different people.")
        new = [each for each in both if each.secret]
        if [each.person for each in both if not each.secret] != ([left] if left else []):
            raise KeeperError("Who administers already must be one of the two.")
        bodies: list[Body] = []
        root = keeper.offices.root()
        if root is None:
            root = uuid4()
            bodies.append(keeper.offices.office_body(root, state_name, kind=STATE))
        for each in new:
            bodies.append(keeper.credentials.password_body(each.person, each.password))
            bodies.append(keeper.credentials.totp_body(each.person, each.secret))
        by = [each.person for each in both]
        bodies += [
            keeper.offices.role_body(each.person, ADMIN, root, by=by, source="ceremony") for each in both
        ]
        try:
            keeper.committer.commit(*bodies)
        except Refusal as error:
            raise KeeperError(str(error)) from error
