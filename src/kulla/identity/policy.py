"""The policy of this journal: whose cosignatures count. Mirrors publish the same text."""

import hashlib

from django.conf import settings


def text() -> str:
    """The policy (C2SP tlog-policy); "" where none is set up."""
    return settings.KULLA_POLICY.read_text() if settings.KULLA_POLICY.exists() else ""


def fingerprint() -> str:
    """SHA-256 of the policy's bytes in hex, as paper receipts and /verify show it; "" where there is none."""
    return hashlib.sha256(text().encode()).hexdigest() if text() else ""
