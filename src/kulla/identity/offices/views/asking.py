"""One way to ask the keeper for a change: what it refuses becomes a sentence of the form."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404

from kulla.identity.offices import words
from kulla.keeper_client import Refused
from kulla.registry.access import Request

MISSING = {"role", "unknown_office"}  # what is not in the own part of the tree does not exist


def tried(
    form: forms.BaseForm, change: Callable[[], Any], fields: dict[str, str] | None = None
) -> tuple[bool, Any]:
    """(whether it was done, what it gave). A refusal stands in the form then, at its field if `fields` names one."""
    try:
        return True, change()
    except Refused as refused:
        if refused.code not in words.REFUSALS:
            raise
        form.add_error((fields or {}).get(refused.code), str(words.REFUSALS[refused.code]))
        return False, None


def existing(read: Callable[[], Any]) -> Any:
    """What `read` gives; what is not this administrator's does not exist."""
    try:
        return read()
    except Refused as refused:
        if refused.code in MISSING:
            raise Http404 from None
        raise


def token(request: Request) -> str:
    """The session's token."""
    return request.token or ""
