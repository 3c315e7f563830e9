"""What services declare about families, written at deployment: services.json beside keeper.json.

    {service: {"scope": "health" | "school" | "travel" | "money" | null, "guardians_rule": {language: text}}}

It comes with the deployment and never from the portal's calls: whoever steals the portal cannot widen a scope.
"""

import json
from pathlib import Path
from typing import Any

from kulla.keeper.families.links import SCOPES, Link

IDENTITY = "identity"  # the pages around the services: wards by name only


class Rules:
    """The declarations, read again when the file changes. Without the file no service has a scope."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = -1
        self._services: dict[str, Any] = {}

    def allows(self, link: Link, service: str) -> bool:
        """Whether a tie opens this service: its scope is among the tie's; a service without a scope takes all of
        them; the pages of identity take any."""
        return self.opens(link.open_scopes, service)

    def opens(self, scopes: frozenset[str], service: str) -> bool:
        """The same for scopes."""
        if service == IDENTITY:
            return bool(scopes)
        wanted = self.scope(service)
        return scopes.issuperset(SCOPES) if wanted is None else wanted in scopes

    def scope(self, service: str) -> str | None:
        """The scope that a service belongs to; None when it declares none."""
        found = self._of(service).get("scope")
        return found if found in SCOPES else None

    def guardians_rule(self, service: str, language: str) -> str:
        """The service's rule where guardians disagree; "" when it declares none."""
        texts = self._of(service).get("guardians_rule") or {}
        return str(texts.get(language) or next(iter(texts.values()), ""))

    def _of(self, service: str) -> dict[str, Any]:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read_at:
                self._services = json.loads(self._path.read_text())
                self._read_at = changed
            found = self._services.get(service, {})
        except (OSError, ValueError, AttributeError):
            return {}
        return found if isinstance(found, dict) else {}
