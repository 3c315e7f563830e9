"""Where the pages of this area are found: on "my page", and on the first page of officials by role."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from kulla.identity.areas import Link

MY: list[Link] = [
    Link("my-account", _("My account"), _("Telephone, e-mail and recovery codes"), 20),
]
_DESK = [
    Link(
        "account-desk", _("Accounts"), _("Letters, lost access, frozen accounts, new telephone numbers"), 40
    ),
    Link("account-desk-requests", _("Recovery of officials"), _("What you asked two administrators for"), 45),
]
STAFF: Mapping[str, list[Link]] = {"receptionist": _DESK, "registrar": _DESK}
