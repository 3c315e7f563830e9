"""The policy of this journal: whose cosignatures count. Mirrors publish the same text."""

import hashlib

from django.conf import settings

from kulla.journal.policy import Policy


def text() -> str:
    """The policy (C2SP tlog-policy); "" where none is set up."""
    return settings.KULLA_POLICY.read_text() if settings.KULLA_POLICY.exists() else ""


def fingerprint() -> str:
    """SHA-256 of the policy's bytes in hex, as paper receipts and /verify show it; "" where there is none."""
    return hashlib.sha256(text().encode()).hexdigest() if text() else ""


def addresses() -> list[tuple[str, str]]:
    """Name of each mirror and the address of the same text there; mirrors without an address are left out."""
    return _at_mirrors("policy")


def verifiers() -> list[tuple[str, str]]:
    """Name of each mirror and the address of the page there that checks receipts in the browser."""
    return _at_mirrors("verify")


def _at_mirrors(page: str) -> list[tuple[str, str]]:
    if not text():
        return []
    return [
        (mirror.name, f"{mirror.url.rstrip('/')}/{page}")
        for mirror in Policy.parse(text()).witnesses
        if mirror.url
    ]
