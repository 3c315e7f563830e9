"""The calls. Each blocks, is safe to use from many threads, and raises Refused or KeeperUnavailable."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.keeper_client.accounts import Accounts
from kulla.keeper_client.approvals import Approvals
from kulla.keeper_client.counter import Counter
from kulla.keeper_client.families import Families
from kulla.keeper_client.my_data import MyData
from kulla.keeper_client.offices import Offices
from kulla.keeper_client.pool import Pool
from kulla.keeper_client.security import Security
from kulla.keeper_client.types import (
    ClaimsItem,
    Entered,
    Field,
    Item,
    Look,
    LookView,
    Notice,
    Opened,
    RegisterItem,
    SealedItem,
    Session,
    SessionInfo,
    Ticket,
    Ward,
)

SIGN_IN_S = 15.0  # Argon2 of many people at once waits its turn


def connect(socket_path: str | Path) -> "KeeperClient":
    """A client for the keeper behind this socket. Connects when first used, and again after a restart."""
    return KeeperClient(Path(socket_path))


class KeeperClient(Accounts, Approvals, Counter, Families, MyData, Offices, Security):
    """The keeper's calls as methods. One per process is enough.

    Here stand the calls of the spine; the other areas have a class and a module each.
    """

    def __init__(self, socket_path: Path) -> None:
        self._pool = Pool(socket_path)

    def close(self) -> None:
        """Close idle connections; the client can still be used."""
        self._pool.close()

    # Sessions ------------------------------------------------------------------------------------------

    def sign_in(
        self,
        identifier: str,
        password: str,
        code: str | None = None,
        *,
        network: str,
        device: str,
        language: str | None = None,
        short: bool = False,
        notes: Sequence[str] = (),
    ) -> Session:
        """Start a session. `network` is a client address (the keeper truncates it), `device` a short label.

        `short`: the device is not the person's own. `notes`: the `Session.remember` that this browser keeps.
        Refused "wrong" (the same words and time whether or not the account exists), "second_factor" (the
        password was right; ask for the code; details wrong_code=True when a code was given), "passkey_needed" (the
        password was right; this official signs in by passkey), "slow_down" (retry_after_s), "copies_unavailable".
        """
        answer = self._pool.ask(
            "sign_in",
            {
                "identifier": identifier,
                "password": password,
                "code": code,
                "network": network,
                "device": device,
                "language": language,
                "short": short,
                "notes": list(notes),
            },
            SIGN_IN_S,
        )
        return Session(**answer)

    def renew(self, token: str) -> Session:
        """The same session with a token for 15 more minutes. Refused "session" (ended), "token", "token_expired"."""
        return Session(**self._pool.ask("renew", {"token": token}))

    def end(self, token: str, sid: str | None = None) -> list[str]:
        """End this session, another of one's own (`sid`), or "all". Gives the ids that were ended."""
        return list(self._pool.ask("end", {"token": token, "sid": sid}))

    def sessions(self, token: str) -> list[SessionInfo]:
        """The person's live sessions, newest first."""
        return [SessionInfo(**each) for each in self._pool.ask("sessions", {"token": token})]

    def revoked(self, since: int) -> tuple[int, list[str]]:
        """Session ids ended since the mark `since` (0: all that may still have a live token), and the next mark."""
        answer = self._pool.ask("revoked", {"since": since})
        return int(answer["next"]), list(answer["sids"])

    def public_keys(self) -> dict[str, bytes]:
        """Keys by name. "token": Ed25519, of tokens and attestations; "segment": X25519, recipient of segments."""
        return dict(self._pool.ask("public_keys", {}))

    # A service ------------------------------------------------------------------------------------------

    def enter(self, token: str, service: str, tickets: int = 2) -> Entered:
        """The session seen from `service`: pseudonyms, wards, an attestation for entries, tickets for each person."""
        answer = self._pool.ask("enter", {"token": token, "service": service, "tickets": tickets})
        return Entered(
            role=answer["role"],
            office=answer["office"],
            person=answer["person"],
            wards=[Ward(**ward) for ward in answer["wards"]],
            attestation=answer["attestation"],
            tickets={person: [Ticket(**each) for each in some] for person, some in answer["tickets"].items()},
            assisted=answer.get("assisted", ""),
        )

    def holder(self, proof: str | bytes, person: UUID, service: str, n: int = 1) -> list[Ticket]:
        """`n` fresh tickets (at most 16) for a person. `proof` is a token, or an attestation of this service that is
        at most 30 minutes old and whose session has not ended.

        Citizens get them for themselves and their wards, officials for anyone. Refused "not_yours".
        """
        args = {"proof": proof, "person": person, "service": service, "n": n}
        return [Ticket(**each) for each in self._pool.ask("holder", args)]

    def seal(self, fields: Sequence[Field]) -> list[bytes]:
        """Texts sealed for their cells, in the same order. Refused "unknown_person", "too_long"."""
        return list(self._pool.ask("seal", {"fields": [vars(field) for field in fields]}))

    def open(self, token: str, items: Sequence[Item], purpose: str) -> list[Opened]:
        """Open many items in one call; metered and logged for officials (see docs/keeper.md).

        `purpose` is a short fixed word of the page, shown to the citizen. Refused "budget" (until_ms) when
        nothing of it may be opened; single items carry their own code in `Opened.refused`:
        "not_yours", "unknown_person", "broken", "budget", "no_value".
        """
        args = {"token": token, "items": [_item(item) for item in items], "purpose": purpose}
        return [Opened(**each) for each in self._pool.ask("open", args)]

    def grant(
        self, proof: str | bytes, person: UUID, service: str, office: UUID, day: date, ref: UUID
    ) -> None:
        """Let `office` look at this person on that local day at no cost. Again with the same words: nothing happens.

        `proof` is a token or attestation of the person, a guardian, or an official of `office` (cost 10 unless just
        paid for that person). An attestation older than 30 minutes makes few grants a day, older than 48 hours none
        ("attestation"); past a ceiling Refused "capped" (until_ms).
        """
        args = {"proof": proof, "person": person, "service": service, "office": office, "ref": ref}
        self._pool.ask("grant", {**args, "day": day.isoformat()})

    def revoke_grant(self, ref: UUID, proof: str | bytes | None = None) -> None:
        """Take back the grant made under `ref`. `proof` is as for `grant`, an attestation at most 30 days old;
        without one: Refused "attestation". Unknown refs, and grants that are not the caller's, are passed over."""
        self._pool.ask("revoke_grant", {"ref": ref, "proof": proof})

    def find(self, token: str, identifier_type: str, identifier: str, service: str) -> UUID | None:
        """The pseudonym of the one with exactly this identifier ("number"), or None. Officials only; cost 10, logged.

        Refused "bad_identifier" (form; costs nothing), "budget" (until_ms), "role".
        """
        args = {
            "token": token,
            "identifier_type": identifier_type,
            "identifier": identifier,
            "service": service,
        }
        found: UUID | None = self._pool.ask("find", args)
        return found

    # Notices --------------------------------------------------------------------------------------------

    def notify(
        self,
        person: UUID,
        service: str,
        template: str,
        entry: UUID,
        params: Mapping[str, str | Mapping[str, str]],
        proof: bytes | None = None,
    ) -> None:
        """Send a registered notice once for each (entry, template); children's go to their guardians, by the
        service's scope. `proof`: the attestation of who acted, so that the others read the name and the rule.

        A value of `params` is a text, or a map of language to text when the words differ by language.
        Refused "unknown_template", "bad_params", "capped" (too many to one person in a day).
        """
        args = {"person": person, "service": service, "template": template, "entry": entry}
        plain = {name: _plain(value) for name, value in params.items()}
        self._pool.ask("notify", {**args, "params": plain, "proof": proof})

    def inbox(self, token: str) -> list[Notice]:
        """The demo's inbox, newest first. Refused "demo_only"."""
        return [Notice(**each) for each in self._pool.ask("inbox", {"token": token})]

    # Looks ----------------------------------------------------------------------------------------------

    def looks(self, since: int) -> list[Look]:
        """Looks after sequence number `since` (0: from the start), oldest first, at most 500."""
        return [Look(**each) for each in self._pool.ask("looks", {"since": since})]

    def looks_confirmed(self, upto: int) -> None:
        """Say that the looks up to and with `upto` have their receipt in the journal."""
        self._pool.ask("looks_confirmed", {"upto": upto})

    def restore_looks(self, sealed: Sequence[bytes]) -> int:
        """Hand looks back from the journal after a loss, oldest first. Gives the keeper's last sequence number.

        Refused "looks" when they do not continue what the keeper holds.
        """
        return int(self._pool.ask("restore_looks", {"sealed": list(sealed)}))

    def looked_at_me(self, token: str) -> list[LookView]:
        """Who looked at this person or their wards, newest first, at most 500. Own looks are not listed."""
        return [LookView(**each) for each in self._pool.ask("looked_at_me", {"token": token})]

    # The machine room -----------------------------------------------------------------------------------

    def segment_key(self, header: bytes, caller: str) -> bytes:
        """The key of one segment, for `caller` "reconcile", "compare", "undo" or "receipts". Metered and logged."""
        return bytes(self._pool.ask("segment_key", {"header": header, "caller": caller}))

    def traced(self, form: str, which: str, proofs: Sequence[bytes]) -> list[bool]:
        """For each attestation (at most 1000) whether it is of an official's "session" or of an "official". For
        `kulla undo`; those of citizens' own sessions are of nobody. Refused "budget" after 20 names an hour; logged.
        """
        answer = self._pool.ask("traced", {"form": form, "which": which, "proofs": list(proofs)})
        return [bool(each) for each in answer]

    def portal_keys(self) -> dict[str, bytes]:
        """The portal's keys (checkpoint, cookie) as stored by `store_portal_keys`."""
        return dict(self._pool.ask("portal_keys", {}))

    def store_portal_keys(self, keys: Mapping[str, bytes]) -> None:
        """Keep the portal's keys as keeper records, so that a wiped portal gets them back.

        Only "checkpoint" and "cookie", 32 bytes each. Refused "key_exists" when another key stands there already:
        an administrator replaces it.
        """
        self._pool.ask("store_portal_keys", {"keys": dict(keys)})

    def status(self) -> dict[str, Any]:
        """copies (name, ok, behind), root_key, unconfirmed, people, alarms, demo: for the operator's page."""
        return dict(self._pool.ask("status", {}))

    def demo_second_factor(self, identifier: str) -> str:
        """The current TOTP code of an account. Refused "demo_only" unless the keeper runs a demo."""
        return str(self._pool.ask("demo_second_factor", {"identifier": identifier}))


def _item(item: Item) -> dict[str, object]:
    kinds = {SealedItem: "sealed", RegisterItem: "register", ClaimsItem: "claims"}
    return {"kind": kinds[type(item)], **vars(item)}


def _plain(value: str | Mapping[str, str]) -> object:
    return value if isinstance(value, str) else dict(value)
