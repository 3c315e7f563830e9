"""Which office's data-protection official answers for an office: its own, or that of the nearest office above."""

from typing import TYPE_CHECKING
from uuid import UUID

from kulla.keeper.roles import PROTECTION

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper


def handler(keeper: "Keeper", office: UUID | None) -> tuple[UUID | None, bool]:
    """(office that answers, whether an official is there). With nobody above, the topmost office has to answer."""
    offices = keeper.offices
    top = offices.root()
    above = [office, *offices.parents(office)] if office is not None else [top] if top is not None else []
    for each in above:
        if any(role.role == PROTECTION for role in offices.officials([each])):
            return each, True
    return (above[-1] if above else None), False
