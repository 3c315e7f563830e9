"""Contradictions in a configuration, found at start instead of by a user."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register("kulla")
def configuration(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    """A production portal has its own keys on disk, speaks TLS and is no demo."""
    del app_configs
    found: list[CheckMessage] = []
    if not settings.KULLA_SEQUENCER:
        return found  # a command or a test, not a serving portal
    if not (settings.KULLA_PORTAL / "keys" / "cookie.key").exists() and not settings.KULLA_DEMO:
        found.append(Error("There is no cookie key: every restart would sign everyone out.", id="kulla.E001"))
    if settings.DEBUG and not settings.KULLA_DEMO:
        found.append(Error("KULLA_DEBUG=1 shows stack traces to users: unset it.", id="kulla.E002"))
    if not settings.KULLA_CHECKPOINT_KEY.exists():
        found.append(
            Error(f"There is no checkpoint key at {settings.KULLA_CHECKPOINT_KEY}.", id="kulla.E003")
        )
    if not settings.KULLA_RECIPIENTS:
        found.append(Error("portal/recipients.json names nobody who could open a segment.", id="kulla.E004"))
    return found
