"""The first administrators, and roles that end: on the keeper's own machine, two people present, never over the socket.

The first administrators are in the register. Each chooses a password and a second factor; both become administrators
of the state, each granted by the two of them. There is no ceremony while two administer the state. Where only one is
left, that one is one of the two and proves it.

Roles of the state's administrators and of operators are renewed by two of them (`Renewal`), also when their time is
over already; a role that somebody ended stays ended. While anybody administers the state, one of those is one of the
two. So a country whose roles all ended is opened again by those who had them, and no other door is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import pyotp

from kulla.keeper.core import Keeper
from kulla.keeper.credentials import step_of
from kulla.keeper.errors import KeeperError, Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.offices import STATE, Role
from kulla.keeper.roles import ADMIN, OPERATOR, READERS

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
        found = self.anyone(identifier)
        if any(found.person == other.person for other in others):
            raise KeeperError("This is the same person: a ceremony needs two people.")
        if any(role in READERS for role, _ in self._keeper.offices.roles_of(found.person)):
            raise KeeperError("This person reads citizens in an office: who administers reads nobody.")
        return found

    def anyone(self, identifier: str) -> Present:
        """The living person with this identifier."""
        people = self._keeper.people
        person = people.by_marks(people.sign_in_marks(identifier))
        if person is None or people.is_dead(person):
            raise KeeperError("The register has nobody with this identifier.")
        return Present(person, people.field(person, "name"))

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
            # frozen by a rotation of the keys (rotation.py): two people at the keeper's own machine are proof enough
            cases = keeper.register.rows(
                "SELECT id FROM account_case WHERE person = ? AND closed IS NULL", each.person.bytes
            )
            bodies += [
                {"type": "account_released", "id": UUID(bytes=case), "at": keeper.clock()}
                for (case,) in cases
            ]
        by = [each.person for each in both]
        bodies += [
            keeper.offices.role_body(each.person, ADMIN, root, by=by, source="ceremony") for each in both
        ]
        try:
            keeper.committer.commit(*bodies)
        except Refusal as error:
            raise KeeperError(str(error)) from error


class Renewal(Ceremony):
    """Two who administer the state or run the portal, or did until their time was over, renew each other's roles."""

    def who(self, identifier: str, others: Sequence[Present] = ()) -> Present:
        """The person with this identifier, if they may take part and can show who they are."""
        found, keeper = super().who(identifier, others), self._keeper
        if not self.roles(found):
            raise KeeperError("This person has no role that is renewed here, or somebody ended it.")
        frozen = "SELECT 1 FROM account_case WHERE person = ? AND closed IS NULL"
        if keeper.register.one(frozen, found.person.bytes):
            raise KeeperError('This account is frozen ("this was not me"): a counter releases it first.')
        if not (keeper.credentials.has_password(found.person) and keeper.credentials.has_totp(found.person)):
            raise KeeperError(
                "Here one shows a password and a code: set them up on the portal, as a citizen (/my/security)."
            )
        return found

    def roles(self, present: Present) -> list[Role]:
        """What would be renewed: administrator of the state, operator."""
        root = self._keeper.offices.root()
        found = self._keeper.offices.not_ended(present.person)
        return [
            role for role in found if role.role == OPERATOR or (role.role == ADMIN and role.office == root)
        ]

    def renew(self, both: Sequence[Present], operator: Present | None = None) -> None:
        """A year from now for the roles of both, in one commit; `operator` becomes, or stays, the portal's operator.

        Both have proven who they are. Raises KeeperError.
        """
        if len({each.person for each in both}) != TWO:
            raise KeeperError("A ceremony needs two different people.")
        offices, by = self._keeper.offices, [each.person for each in both]
        roles = [role for each in both for role in self.roles(each)]
        root = offices.root()
        living = offices.admins_over(root) if root else set()
        if living and not living & set(by):
            raise KeeperError("Somebody administers the state now and must be one of the two.")
        if operator and not any(role.role == ADMIN for role in roles):
            raise KeeperError("Only who administers the state, or did, names an operator.")
        bodies = [
            offices.role_body(role.person, role.role, role.office, by=by, source="ceremony") for role in roles
        ]
        if operator:
            bodies.append(offices.role_body(operator.person, OPERATOR, None, by=by, source="ceremony"))
        try:
            self._keeper.committer.commit(*bodies)
        except Refusal as error:
            raise KeeperError(str(error)) from error
