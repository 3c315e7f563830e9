"""Where the pages of this area are found: on "my page", and on the first page of officials by role."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from kulla.identity.areas import Link

_DECISIONS = Link("decisions", _("Decisions"), _("What waits for your yes or no, and what you asked for"), 20)
_OWN = Link("my-offers", _("My roles in offices"), _("Offers of a role, and the roles you have"), 90)
_ADMIN = Link(
    "offices-admin", _("Offices and officials"), _("Who works where, new roles, the yearly review"), 10
)
_OFFERS = Link("role-offers", _("Roles I offered"), _("Which offers were taken, and which still wait"), 12)

MY: list[Link] = [_OWN]
STAFF: Mapping[str, list[Link]] = {
    "receptionist": [_DECISIONS, _OWN],
    "registrar": [_DECISIONS, _OWN],
    "protection": [_DECISIONS, _OWN],
    "admin": [_ADMIN, _OFFERS, _DECISIONS, _OWN],
}
