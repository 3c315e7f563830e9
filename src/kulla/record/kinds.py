"""The kinds of entries that may be recorded, as the services declare them.

`registry` declares each service's kinds when Django starts; record only refuses what nobody declared.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kulla.record.errors import RecordError


@dataclass(frozen=True)
class Kind:
    """A declared kind: the service that owns it, and whether an entry may leave every kept row as it is."""

    name: str
    service: str
    allow_empty: bool = False


_kinds: dict[str, Kind] = {}


def declare(service: str, kinds: Iterable[str], *, allow_empty: bool = False) -> None:
    """Let `service` record these kinds. Declaring the same again is fine; another service's kind is refused."""
    for name in kinds:
        known = _kinds.setdefault(name, Kind(name, service, allow_empty))
        if known.service != service:
            raise RecordError(
                f"The kind {name!r} belongs to {known.service}; {service} may not declare it too."
            )


def find(name: str) -> Kind:
    """The declared kind. Raises RecordError for a kind that no service declared."""
    try:
        return _kinds[name]
    except KeyError:
        raise RecordError(
            f"The kind {name!r} is not declared: add it to `kinds` in the service.py of its service."
        ) from None


def service_of(name: str) -> str:
    """The service that declared a kind; for a kind of a service that is gone, the kind's own first word."""
    known = _kinds.get(name)
    return known.service if known else name.partition(".")[0]


LOOKED = "keeper.looked"
MIGRATED = "record.migrated"
declare("keeper", [LOOKED])
KEY_CHANGED = "record.key_changed"
declare("record", [MIGRATED, KEY_CHANGED])
