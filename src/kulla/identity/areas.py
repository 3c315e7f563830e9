"""The areas of identity, found by folder: their addresses and where each is linked from."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.urls import resolve, reverse
from django.utils.functional import Promise

from kulla.registry.access import rule_of

Text = str | Promise


@dataclass(frozen=True)
class Link:
    """One way in: the name of its address, its title, one sentence, its place in the list, and its group on "my page":
    data (what is known about me) or account (how I come in)."""

    name: str
    title: Text
    hint: Text
    place: int = 50
    group: str = "account"


def my_links(*, assisted: bool = False) -> list[Link]:
    """What "my page" leads to; `assisted`: without what people do alone, since an official is with them."""
    found = [link for area in _areas() for link in area.MY if not (assisted and _alone(link))]
    return sorted(found, key=lambda link: link.place)


def _alone(link: Link) -> bool:
    rule = rule_of(resolve(reverse(link.name)).func)
    return rule is not None and rule.alone


def staff_links(role: str) -> list[Link]:
    """What the first page of an official with this role leads to."""
    found = [link for area in _areas() for link in area.STAFF.get(role, [])]
    return sorted(found, key=lambda link: link.place)


class _Links(Protocol):
    """What an area's links.py holds."""

    MY: list[Link]
    STAFF: Mapping[str, list[Link]]


@cache
def _areas() -> list[_Links]:
    names = [f"kulla.identity.{area}.links" for area in settings.IDENTITY_AREAS]
    return [cast("_Links", importlib.import_module(name)) for name in names]
