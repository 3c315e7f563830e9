"""What the keeper is asked to do about a received entry, at least once.

An effect waits in the outbox row, becomes a row of record_effect when its entry is received, and goes when the
keeper has answered. The keeper does each (entry, template) and each reference once.

They stand in the journal's payload too: a portal that is rebuilt, or whose database came from a backup, asks again
for what was announced in the last two days before the journal's end. What was done already is done only once.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from kulla.keeper_client import KeeperUnavailable, Refused

log = logging.getLogger("kulla.record")

NAMES = ("notify", "grant", "revoke_grant")
# The keeper's own bad moments, and its ceilings, which say themselves until when they hold.
_PASSING = ("copies_unavailable", "log_failed", "log_unconfirmed", "capped")
_AT_ONCE = 200
_LONGEST_WAIT_MS = 60_000
AGAIN_MS = 48 * 3600 * 1000  # how far back from the journal's end a rebuilt portal asks again


@dataclass(frozen=True)
class Effect:
    """A call of the keeper's, by name, with its keyword arguments (text, numbers, UUID, date, bytes)."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"An effect is one of {', '.join(NAMES)}, not {self.name!r}.")


def pack(effects: Sequence[Effect]) -> str:
    """Effects as the JSON text of an outbox row. Raises TypeError for an argument of another type."""
    return json.dumps([[effect.name, _to_json(dict(effect.arguments))] for effect in effects])


def unpack(text: str) -> list[tuple[str, str]]:
    """(name, arguments as JSON) of each effect of an outbox row."""
    return [(name, json.dumps(arguments)) for name, arguments in json.loads(text)]


def to_journal(text: str, actor: str) -> str:
    """An outbox row's effects as its payload carries them; the actor's attestation is not written twice."""
    return "" if text == "[]" else text.replace(_as_bytes(actor), _ACTOR)


def from_journal(after: str, actor: bytes | str) -> list[tuple[str, str]]:
    """(name, arguments as JSON) of each effect that a payload carries."""
    if not after:
        return []
    given = actor if isinstance(actor, str) else f"hex:{actor.hex()}"
    return unpack(after.replace(_ACTOR, _as_bytes(given)))


_ACTOR = '{"$actor": true}'


def _as_bytes(actor: str) -> str:
    """An attestation as `_to_json` writes it; for a job's name something that no effect contains."""
    return json.dumps({"$bytes": actor.removeprefix("hex:")})


def _to_json(value: Any) -> Any:
    if isinstance(value, UUID):
        return {"$uuid": value.hex}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, dict):
        return {name: _to_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(inner) for inner in value]
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"An effect cannot carry a {type(value).__name__}.")


def _tagged(found: dict[str, Any]) -> Any:
    match found:
        case {"$uuid": text}:
            return UUID(text)
        case {"$date": text}:
            return date.fromisoformat(text)
        case {"$bytes": text}:
            return bytes.fromhex(text)
    return found


def arguments_of(text: str) -> dict[str, Any]:
    """The keyword arguments back from their JSON."""
    found: dict[str, Any] = json.loads(text, object_hook=_tagged)
    return found


def run_due(keeper: Callable[[], Any]) -> int:
    """Do what is due; how many were done. KeeperUnavailable ends the round; it is tried again later."""
    from kulla.record.models import EffectTask  # noqa: PLC0415  (this module is imported before the apps are ready)

    done = 0
    due = EffectTask.objects.filter(Q(refused="") & Q(due_ms__lte=_now())).order_by("id")[:_AT_ONCE]
    for task in due:
        arguments = arguments_of(task.arguments)
        if task.name == "notify":
            arguments["entry"] = task.entry
        try:
            getattr(keeper(), task.name)(**arguments)
        except KeeperUnavailable:
            _later(task)
            break
        except Refused as refusal:
            if refusal.code in _PASSING:
                _later(task, not_before_ms=int(refusal.details.get("until_ms") or 0))
                continue
            # Kept for the operator: a refused grant means a clerk who pays for a look that was announced.
            log.warning("The keeper refused %s of entry %s: %s", task.name, task.entry, refusal.code)
            EffectTask.objects.filter(pk=task.pk).update(refused=refusal.code)
            continue
        task.delete()
        done += 1
    return done


def _later(task: Any, not_before_ms: int = 0) -> None:
    wait = min(1000 * 2**task.tries, _LONGEST_WAIT_MS)
    due = max(_now() + wait, not_before_ms)
    type(task).objects.filter(pk=task.pk).update(tries=task.tries + 1, due_ms=due)


def _now() -> int:
    return time.time_ns() // 1_000_000
