"""Between the browser's script and the keeper: bytes travel through pages as base64url."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse

from kulla.keeper_client.security import Assertion, Challenge

LIMIT = 64 * 1024


class BadAnswer(ValueError):
    """What came from the browser is no answer of a passkey."""


def options(challenge: Challenge) -> JsonResponse:
    """A challenge for the script on the page."""
    response = JsonResponse({"options": _texts(challenge.options), "state": challenge.state})
    response["Cache-Control"] = "no-store"
    return response


def assertion(request: HttpRequest) -> Assertion:
    """The answer at signing in. Raises BadAnswer."""
    found = _fields(request, ("id", "client_data", "auth_data", "signature", "handle"))
    return Assertion(**found)


def registration(request: HttpRequest) -> tuple[bytes, bytes]:
    """(client data, attestation) of a new passkey. Raises BadAnswer."""
    found = _fields(request, ("client_data", "attestation"))
    return found["client_data"], found["attestation"]


def _fields(request: HttpRequest, names: tuple[str, ...]) -> dict[str, bytes]:
    try:
        answer = json.loads(request.POST.get("answer", "")[:LIMIT])
        return {name: _bytes(answer[name]) for name in names}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadAnswer from error


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str):
        raise BadAnswer
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadAnswer from error


def _texts(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    if isinstance(value, Mapping):
        return {name: _texts(each) for name, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list) else value
