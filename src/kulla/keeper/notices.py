"""Notices: rendered here, so that the portal never learns an address, a language or a family.

Templates come with the deployment, in templates.json beside keeper.json:
    {service: {template: {language: {"subject": …, "body": …}}}}, placeholders as $name.
Each (entry, template) goes out once. It goes to the person and to who acts for them in this service; a child's to the
guardians alone. Those who did not act themselves read who did, and the service's rule: the effect carries the actor's
attestation, which only the keeper can tell a person from. The demo's channel is the inbox page.

Whoever steals the portal can send these templates to people whose pseudonyms it has. So the words that it may put in
are short, look like no address, link or telephone number, and each person and the country have a measure for a day
and an hour. A notice beyond it is refused with the time when it fits: the portal sends it then.
"""

import json
import re
import string
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.keeper.budgets import DAY_MS
from kulla.keeper.committer import Committer
from kulla.keeper.errors import Refusal
from kulla.keeper.families.store import Families
from kulla.keeper.families.words import ACTED
from kulla.keeper.people import People, full_name
from kulla.keeper.register import Register
from kulla.keeper.sessions import Sessions
from kulla.keeper.vault import Vault

MAX_VALUE = 200
MAX_VALUES = 20
HOUR_MS = DAY_MS // 24
# What would send the reader elsewhere: an address, a link, a telephone number. Dates and house numbers pass.
_ELSEWHERE = re.compile(r"@|://|www\.|\+ ?\d|\d(?:[ ./-]?\d){8}", re.IGNORECASE)
Params = Mapping[str, str | Mapping[str, str]]


class Templates:
    """The registered templates, read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = -1
        self._templates: dict[str, Any] = {}

    def find(self, service: str, template: str) -> dict[str, dict[str, str]]:
        """The template by language. Raises Refusal("unknown_template")."""
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read_at:
                self._templates = json.loads(self._path.read_text())
                self._read_at = changed
            found: dict[str, dict[str, str]] = self._templates[service][template]
            return found
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refusal("unknown_template", f"There is no notice template {service}/{template}.") from error


class Notices:
    """Sends each notice once."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        people: People,
        committer: Committer,
        *,
        families: Families,
        sessions: Sessions,
        templates: Templates,
        per_day: int,
        per_hour: int,
        clock: Callable[[], int],
    ) -> None:
        self._register, self._vault, self._people, self._committer = register, vault, people, committer
        self._families, self._sessions = families, sessions
        """`per_day` for one person, `per_hour` for the country."""
        self._templates, self._per_day, self._per_hour, self._clock = templates, per_day, per_hour, clock
        self._sending = threading.Lock()
        # (reader, kind, subject, body) of each notice that counts: delivery hands it to the reader's channels.
        self.told: Callable[[UUID, str, str, str], object] = lambda _reader, _kind, _subject, _body: None

    def notify(
        self,
        pseudonym: UUID,
        service: str,
        template: str,
        entry: UUID,
        params: Params,
        proof: bytes | None = None,
    ) -> None:
        """Render and send. `proof`: the attestation of who acted.

        Raises Refusal("unknown_person", "unknown_template", "bad_params", "capped").
        """
        person = self._people.person(pseudonym, service)
        by = self._actor(proof, service) if proof is not None else None
        texts = self._templates.find(service, template)
        name = f"{service}/{template}"
        with self._sending:
            if self._register.one(
                "SELECT 1 FROM notice WHERE entry = ? AND template = ?", entry.bytes, f"{name}/0"
            ):
                return
            if len(params) > MAX_VALUES:
                raise Refusal("bad_params", "The notice has too many values.")
            self._room("at > ?", (), HOUR_MS, self._per_hour)
            bodies, said = [], []
            for number, reader in enumerate(self._families.readers(person, service)):
                self._room("person = ? AND at > ?", (reader.bytes,), DAY_MS, self._per_day)
                acted = self._acted(reader, person, service, by)
                subject, text = self._words(reader, texts, params, acted)
                body = self._body(reader, person, subject, text)
                bodies.append(body | {"entry": entry, "template": f"{name}/{number}"})
                said.append((reader, name, subject, text))
            self._committer.commit(*bodies)
        for one in said:
            self.told(*one)

    def _room(self, where: str, values: tuple[bytes, ...], length_ms: int, limit: int) -> None:
        """Raise Refusal("capped", until_ms) when as many as `limit` were sent within the last `length_ms`."""
        row = self._register.one(
            f"SELECT count(*), min(at) FROM notice WHERE {where}",  # noqa: S608 - fixed texts
            *values,
            self._clock() - length_ms,
        )
        count, oldest = row or (0, 0)
        if count >= limit:
            raise Refusal(
                "capped", "There were too many notices: try again later.", until_ms=(oldest or 0) + length_ms
            )

    def _actor(self, proof: bytes, service: str) -> UUID | None:
        """The citizen behind an attestation of this service; nobody for another one: the notice goes out anyway."""
        try:
            session = self._sessions.proven(proof, service).session
        except Refusal:
            return None
        return session.person if session.is_citizen else None

    def _acted(self, reader: UUID, person: UUID, service: str, actor: UUID | None) -> str:
        """Who acted and what the service's rule is, for a reader who is another; else ""."""
        if actor is None or actor == reader:
            return ""
        language = self._people.field(reader, "language")
        texts = ACTED.get(language) or next(iter(ACTED.values()))
        which = "unknown"  # a stolen portal could hand in any attestation: strangers are not named
        if actor == person:
            which = "itself"
        elif self._families.acts_for(actor, person, service):
            which = "me" if reader == person else "other"
        names = {"actor": self._people.field(actor, "name"), "person": self._people.field(person, "name")}
        said = string.Template(texts[which]).substitute(names)
        if rule := self._families.rules.guardians_rule(service, language):
            said += "\n" + string.Template(texts["rule"]).substitute(rule=rule)
        return said

    def _words(
        self, reader: UUID, texts: dict[str, dict[str, str]], params: Params, acted: str
    ) -> tuple[str, str]:
        """Subject and body in the reader's language."""
        language = self._people.field(reader, "language")
        text = texts.get(language) or next(iter(texts.values()))
        values = {name: _value(value, language) for name, value in params.items()}
        try:
            subject, body = (string.Template(text[part]).substitute(values) for part in ("subject", "body"))
        except (KeyError, ValueError) as error:
            raise Refusal("bad_params", "The notice lacks a value, or its template is broken.") from error
        return subject, f"{body}\n\n{acted}" if acted else body

    def _body(self, reader: UUID, person: UUID, subject: str, body: str) -> dict[str, Any]:
        whose = "me" if reader == person else full_name(self._people.profile(person))
        sealed = self._vault.seal_own(reader, "notice", [subject, body, whose])
        return {"type": "notice", "person": reader, "at": self._clock(), "sealed": sealed}

    def inbox(self, person: UUID) -> list[dict[str, Any]]:
        """The newest hundred notices to a person."""
        rows = self._register.rows(
            "SELECT at, template, sealed FROM notice WHERE person = ? ORDER BY at DESC, template LIMIT 100",
            person.bytes,
        )
        found = []
        for at, name, sealed in rows:
            service, template, _ = name.split("/")
            subject, body, whose = self._vault.open_own(person, "notice", sealed)
            text = {"subject": subject, "body": body, "whose": whose}
            found.append({"at_ms": at, "service": service, "template": template, **text})
        return found


def _value(value: str | Mapping[str, str], language: str) -> str:
    text: object = value
    if isinstance(value, Mapping):
        text = value.get(language) or next(iter(value.values()), None)
    if not isinstance(text, str) or len(text) > MAX_VALUE or not text.isprintable():
        raise Refusal("bad_params", "A value of the notice is too long or has control characters.")
    if _ELSEWHERE.search(text):
        raise Refusal(
            "bad_params", "A value of the notice looks like an address, a link or a telephone number."
        )
    return text
