"""Where the pages of this area are found: on "my page", and on the first page of officials by role."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from kulla.identity.areas import Link

MY: list[Link] = [
    Link(
        "my-looks",
        _("Who looked at my data"),
        _("Each look, with a question if you do not understand it"),
        10,
        "data",
    ),
    Link("my-data", _("My data"), _("What is held about you: read, download, correct"), 12, "data"),
    Link("my-settings", _("Settings"), _("Language, messages, what helps you"), 14, "account"),
]
_ORDER = Link(
    "look-order",
    _("A court’s order to show looks later"),
    _("Registered by two officials; its number is public"),
    40,
)
STAFF: Mapping[str, list[Link]] = {
    "protection": [
        Link("questions", _("Questions about looks"), _("Citizens ask why their data was opened"), 10),
        _ORDER,
    ],
    "registrar": [
        Link("registry-desk", _("Requests to the register"), _("Corrections and erasure"), 10),
        _ORDER,
    ],
}
