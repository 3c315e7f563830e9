"""What each service declares about itself, found by folder.

A service is a folder `kulla/services/<slug>/` with a `service.py` that defines `SERVICE`. Nothing outside the
folder names it: settings list the folders, this module reads the declarations.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings

from kulla.record.undoing.about import NotUndoable, Undo
from kulla.registry.access import ROLES

SCOPES = ("health", "school", "travel", "money")  # of what one person does for another, see docs/people.md
Titles = Mapping[str, str]  # language code -> text; every language of settings.LANGUAGES is there


class ServiceError(Exception):
    """A declaration that cannot be used; raised at start, so that it never reaches a user."""


@dataclass(frozen=True)
class Job:
    """Timed work. `run` is "module:function", called as function(job="job:<name>") every `every_s` seconds."""

    name: str
    every_s: int
    run: str


@dataclass(frozen=True)
class Service:
    """One service of the portal.

    kinds: entry kind -> its title in every language, shown on receipts. notices: template -> language ->
    {"subject", "body"}, registered with the keeper at deployment. my: "module:function" that takes an Actor
    and gives a list of MyItem for the page "my page". calendar: "module:function" taking (actor, entry uuid)
    and giving the address of a calendar file, or None. manage: the same, giving the page where this actor can
    still change or cancel what the entry did. my_data: "module:function" that takes an Actor and gives a list of
    DataSection: everything the service holds about this person alone, with sealed texts opened. staff_home: role ->
    address of the first page of staff.
    scope: what guardians and representatives must hold to act here, one of SCOPES; without one they must hold all.
    undo: entry kind -> how an entry answers an act of this kind that an attacker made (Undo), or why none can
    (NotUndoable); every kind must say which, see record.undoing.about.
    guardians_rule: what holds where two of them disagree, told to both. Both are written for the keeper at deployment.
    """

    slug: str
    title: Titles
    summary: Titles
    kinds: Mapping[str, Titles]
    start: str
    roles: tuple[str, ...] = ("citizen",)
    keywords: Titles = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    notices: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    my: str | None = None
    calendar: str | None = None
    manage: str | None = None
    my_data: str | None = None
    staff_home: Mapping[str, str] = field(default_factory=dict)
    scope: str | None = None
    guardians_rule: Titles = field(default_factory=dict)
    undo: Mapping[str, Undo | NotUndoable] = field(default_factory=dict)
    urls: str = ""


@dataclass(frozen=True)
class MyItem:
    """One line of "my page": when (epoch ms, for sorting), what it says, where it leads, its entry."""

    at_ms: int
    title: str
    detail: str
    url: str
    entry: str
    person: str
    past: bool = False
    state: str = ""


@dataclass(frozen=True)
class DataSection:
    """What a service holds about one person in one table. `rows`: plain maps, the same keys in each; keys that end
    in `_ms` are times. `labels`: key -> its words in every language. `broken`: something did not open."""

    title: Titles
    labels: Mapping[str, Titles]
    rows: Sequence[Mapping[str, object]]
    broken: bool = False


def load(target: str) -> object:
    """The object that "module:name" names. Raises ServiceError when it is not there."""
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ServiceError(f"{target} is declared by a service but cannot be loaded: {error}") from error


def _complete(service: Service) -> Service:
    languages = [code for code, _ in settings.LANGUAGES]
    texts = {"title": service.title, "summary": service.summary, **service.kinds}
    for name, text in texts.items():
        if missing := [code for code in languages if not text.get(code)]:
            raise ServiceError(f"service {service.slug}: {name} has no text in {', '.join(missing)}")
    if service.guardians_rule and set(service.guardians_rule) != set(languages):
        raise ServiceError(f"service {service.slug}: guardians_rule is not in every language")
    if service.scope is not None and service.scope not in SCOPES:
        raise ServiceError(f"service {service.slug}: the scope is none of {', '.join(SCOPES)}")
    if unknown := [role for role in service.roles if role not in ROLES]:
        raise ServiceError(f"service {service.slug} names unknown roles: {', '.join(unknown)}")
    return service


@cache
def all_services() -> tuple[Service, ...]:
    """Every service of this country, in the order of their folders. Raises ServiceError for a bad one."""
    found = []
    for name in settings.SERVICE_FOLDERS:
        declared = load(f"kulla.services.{name}.service:SERVICE")
        if not isinstance(declared, Service) or declared.slug != name:
            raise ServiceError(f"kulla/services/{name}/service.py must define SERVICE with slug {name!r}")
        if not declared.urls:
            declared = Service(**{**vars(declared), "urls": f"kulla.services.{name}.urls"})
        found.append(_complete(declared))
    return tuple(found)


def get(slug: str) -> Service:
    """The service with this slug. Raises KeyError."""
    return {service.slug: service for service in all_services()}[slug]


@cache
def kinds() -> Mapping[str, tuple[Service, Titles]]:
    """Every declared entry kind with its service and titles. Raises ServiceError when two declare one kind."""
    found: dict[str, tuple[Service, Titles]] = {}
    for service in all_services():
        for kind, titles in service.kinds.items():
            if kind in found:
                raise ServiceError(
                    f"the kind {kind} is declared by {found[kind][0].slug} and by {service.slug}"
                )
            found[kind] = (service, titles)
    return found
