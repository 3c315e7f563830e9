"""Names for the pages: whose, which field, which role. Names of people come from the keeper, for this page only."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kulla.keeper_client import KeeperUnavailable, Refused, RegisterItem
from kulla.registry import door
from kulla.registry.actor import Actor

Text = str | Promise

RELATIONS: dict[str, Text] = {"child": _("Child"), "ward": _("In your care"), "parent": _("Parent")}
ROLES: dict[str, Text] = {
    "receptionist": _("Receptionist"),
    "registrar": _("Registrar"),
    "protection": _("Data-protection official"),
    "admin": _("Office administrator"),
    "operator": _("Operator"),
    "citizen": _("Citizen"),
}
# Fields of the register, and columns of services: the keeper names those "table.column".
FIELDS: dict[str, Text] = {
    "name": _("name"),
    "birth_date": _("date of birth"),
    "number": _("personal number"),
    "phone": _("telephone"),
    "email": _("e-mail"),
    "language": _("language"),
    "claims": _("what a receipt says"),
    "reason": _("the reason that was given"),
}
# The fixed words that pages give as their purpose; a word that stands here not is shown as it is.
PURPOSES: dict[str, Text] = {
    "day list": _("list of the day’s appointments"),
    "find": _("search by personal number"),
    "telephone booking": _("booking by telephone"),
    "grant": _("booking by telephone"),
    "receipt": _("a receipt was opened"),
    "late grant": _("leave to look, given later than half an hour after the booking"),
}


@dataclass(frozen=True)
class WardName:
    """Someone the person acts for."""

    name: str
    relation: Text


def own(me: Actor) -> str:
    """The name of the person who is signed in; "" while the keeper does not give it."""
    return _register(me, [RegisterItem(me.person, "identity", "name")])[0] if me.person else ""


def wards(me: Actor) -> list[WardName]:
    """The person's wards, in the order in which every service knows them."""
    found = _register(me, [RegisterItem(ward, "identity", "name") for ward in me.wards])
    return [
        WardName(
            name or gettext("Child"), RELATIONS.get(me.relations.get(ward, ""), me.relations.get(ward, ""))
        )
        for name, ward in zip(found, me.wards, strict=True)
    ]


def _register(me: Actor, items: list[RegisterItem]) -> list[str]:
    """One call for all; a page without names is better than no page, so refusals give ""."""
    if not items:
        return []
    try:
        return [opened.text or "" for opened in door.keeper().open(me.token, items, "my page")]
    except (KeeperUnavailable, Refused):
        return ["" for _item in items]
