"""Keys that the keeper gives out: of segments to jobs of the portal, metered and logged; and the portal's own, kept."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.journal.errors import JournalError
from kulla.journal.segment import open_segment_key
from kulla.keeper.errors import Refusal
from kulla.keeper.looks import look

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

SEGMENT_CALLERS = ("reconcile", "compare", "undo", "receipts")
PORTAL_KEYS = {"checkpoint": 32, "cookie": 32}  # name: bytes; records are for ever, so nothing else gets in


def segment_key(keeper: "Keeper", header: bytes, caller: str) -> bytes:
    """The key of a segment, metered and logged. Raises Refusal("bad_request", "budget", "segment")."""
    if caller not in SEGMENT_CALLERS:
        raise Refusal("bad_request", "Segment keys are for reconcile, compare, undo and receipts only.")
    until = keeper.budgets.take_segment()
    who: dict[str, Any] = {
        "official": None,
        "office": None,
        "role": f"job:{caller}",
        "sid": "",
        "person": None,
    }
    digest = hashlib.sha256(header).hexdigest()[:16]
    entry = look(
        "segment", **who, service="journal", purpose=digest, fields=[], cost=0, allowed=until is None
    )
    keeper.looks.add([entry])
    if until is not None:
        raise Refusal("budget", "Too many segment keys were asked for within an hour.", until_ms=until)
    try:
        return _open_segment(keeper, header)
    except JournalError as error:
        raise Refusal(
            "segment", "The keeper is no recipient of this segment, or its header is broken."
        ) from error


def _open_segment(keeper: "Keeper", header: bytes) -> bytes:
    """With the key of now, else with one from before a rotation."""
    names = ["segment", *keeper.vault.system_names("segment:")]
    for number, name in enumerate(names, 1):
        try:
            return open_segment_key(header, X25519PrivateKey.from_private_bytes(keeper.vault.system(name)))
        except JournalError:
            if number == len(names):
                raise
    raise AssertionError("unreachable")


def portal_keys(keeper: "Keeper") -> dict[str, bytes]:
    """The portal's keys; what an older version let in under another name or of another size is left out."""
    rows = keeper.register.rows("SELECT name, wrapped FROM portal_key")
    keys = {
        name: keeper.ring.unwrap_system(f"portal:{name}", wrapped)
        for name, wrapped in rows
        if name in PORTAL_KEYS
    }
    return {name: key for name, key in keys.items() if len(key) == PORTAL_KEYS[name]}


def store_portal_keys(keeper: "Keeper", keys: Mapping[str, object], *, may_replace: bool = False) -> None:
    """Make the portal's keys records; the same again writes nothing.

    A key that stands already is replaced for an administrator only: whoever steals the portal must not make the
    next rebuild sign with a key of theirs. Raises Refusal("bad_request", "key_exists", "copies_unavailable").
    """
    bodies = []
    known = portal_keys(keeper)
    for name, key in sorted(keys.items()):
        if not isinstance(key, bytes) or len(key) != PORTAL_KEYS.get(name):
            raise Refusal("bad_request", f"The portal's keys are {' and '.join(PORTAL_KEYS)}, 32 bytes each.")
        if known.get(name) == key:
            continue
        if name in known and not may_replace:
            raise Refusal("key_exists", "The portal has another key of this name already.")
        wrapped = keeper.ring.wrap_system(f"portal:{name}", key)
        bodies.append({"type": "portal_key", "name": name, "wrapped": wrapped})
    if bodies:
        keeper.committer.commit(*bodies)
