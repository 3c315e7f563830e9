"""Small helpers of the page around the content: language links and page numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language


@dataclass(frozen=True)
class LanguageLink:
    """One entry of the language switch; the current language has no address."""

    code: str
    name: str
    href: str | None


def language_links(request: HttpRequest) -> list[LanguageLink]:
    """The switch of this page: every language with the address that turns the same page into it."""
    now = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
    here = request.get_full_path()
    return [
        LanguageLink(
            code,
            str(name),
            None if code == now else f"{reverse('language')}?{urlencode({'to': code, 'next': here})}",
        )
        for code, name in settings.LANGUAGES
    ]


@dataclass(frozen=True)
class Page:
    """One page of a list, with the numbers of its neighbours."""

    items: Sequence[Any]
    number: int
    last: int

    @property
    def previous(self) -> int | None:
        """The page before, or None."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The page after, or None."""
        return self.number + 1 if self.number < self.last else None


def paginate(items: Sequence[Any], number: str | int | None, size: int = 20) -> Page:
    """The page `number` (from 1; anything unusable is the first, anything too high the last) of `items`."""
    last = max(1, -(-len(items) // size))
    text = str(number or "")[:9]
    wanted = int(text) if text.isascii() and text.isdigit() else 1
    wanted = min(max(1, wanted), last)
    return Page(items[(wanted - 1) * size : wanted * size], wanted, last)
