"""Where the pages of this area are found: on "my page", and on the first page of officials by role."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from kulla.identity.areas import Link

_COUNTER = Link("counter", _("Counter"), _("Act with a person who is present"), 5)
_PROTECT = Link("counter-protect", _("Protect a person"), _("So that each look needs a second official"), 60)
_UNPROTECT = Link("counter-unprotect", _("End a protection"), _("Two registrars decide"), 61)

MY: list[Link] = [Link("my-counter", _("Help at a counter"), _("Your PIN, and who acted with you"), 60)]
STAFF: Mapping[str, list[Link]] = {
    "receptionist": [_COUNTER],
    "registrar": [_COUNTER, _PROTECT, _UNPROTECT],
}
