"""Names for the pages: whose, which field, which role. Names of people come from the keeper, for this page only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kulla.identity.families import words as family_words
from kulla.identity.my_data import purposes as my_data_purposes
from kulla.keeper_client import KeeperUnavailable, Refused, RegisterItem
from kulla.registry import door
from kulla.registry.actor import Actor

Text = str | Promise

RELATIONS: dict[str, Text] = {
    "child": _("Child"),
    "ward": _("In your care"),
    "parent": _("Parent"),
    "represented": family_words.RELATIONS["represented"],
    "estate": family_words.RELATIONS["estate"],
}
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
    "account desk": _("your account at the counter"),
    "counter": _("found at the counter, to act with you there"),
    "assisted": _("an official acted with you, at the counter"),
    "presence": _("a second official confirmed that you were at the counter"),
    "protecting": _("search, to protect somebody"),
    "deciding": _("a request about you was read, by who decides it"),
    "asking": _("question whether you may be looked at"),
    **family_words.PURPOSES,
    **my_data_purposes.PURPOSES,
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


def of_wards(actors: Sequence[Actor]) -> dict[UUID, str]:
    """The names of one person's wards as several services know them, by pseudonym: scopes make their lists differ."""
    known = [(ward, me.service) for me in actors for ward in me.wards]
    found = (
        _register(actors[0], [RegisterItem(ward, service, "name") for ward, service in known])
        if known
        else []
    )
    return {ward: name or gettext("Child") for (ward, _service), name in zip(known, found, strict=True)}


def wards(me: Actor, called: Mapping[UUID, str]) -> list[WardName]:
    """The wards of a person in one service, with the names that `of_wards` gave."""
    return [
        WardName(called.get(ward) or gettext("Child"), RELATIONS.get(relation, relation))
        for ward, relation in me.relations.items()
    ]


def _register(me: Actor, items: list[RegisterItem]) -> list[str]:
    """One call for all; a page without names is better than no page, so refusals give ""."""
    if not items:
        return []
    try:
        return [opened.text or "" for opened in door.keeper().open(me.token, items, "my page")]
    except (KeeperUnavailable, Refused):
        return ["" for _item in items]
