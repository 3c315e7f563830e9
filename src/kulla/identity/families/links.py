"""Where the pages of this area are found: on "my page" (where the family has a link already), and on the first page of
officials by role."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from kulla.identity.areas import Link

_DESK = Link(
    "counter-family",
    _("Families and heirs"),
    _("Guardians by a court’s decision, heirs of people who have died. A second official decides."),
    60,
)
MY: list[Link] = []
STAFF: Mapping[str, list[Link]] = {"receptionist": [_DESK], "registrar": [_DESK]}
