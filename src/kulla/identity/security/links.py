"""Where the pages of this area are found: on "my page", and on the first page of officials by role."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from kulla.identity.areas import Link

_SECURITY = Link("my-security", _("Password, codes and passkeys"), _("What you sign in with"), 70)
_SESSIONS = Link("my-sessions", _("Where I am signed in"), _("End what you do not recognise"), 71)
_ROLE = Link("my-role", _("Act as somebody else"), _("Another role of yours, or yourself as a citizen"), 80)

MY: list[Link] = [_SECURITY]
STAFF: Mapping[str, list[Link]] = {
    role: [_SECURITY, _SESSIONS, _ROLE] for role in ("receptionist", "registrar", "protection", "admin")
}
