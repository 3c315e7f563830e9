"""Calls of the spine: sessions, sealing and opening, grants, notices, looks, keys."""

from typing import Any

from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, demo_only, origin, token
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.identifiers import PUBLIC
from kulla.keeper.my_data.viewing import LATEST, Filter
from kulla.keeper.opening import Item, register_item
from kulla.keeper.vault import Cell

MAX_ITEMS = 2000
MAX_TEXT = 20_000
MAX_TICKETS = 16


def sign_in(keeper: Keeper, args: Args) -> Any:
    return keeper.sign_in.by_password(
        args.text("identifier", 4096),
        args.text("password", 4096),
        args.text_or_none("code", 100),
        origin(args),
    )


def renew(keeper: Keeper, args: Args) -> Any:
    return keeper.sessions.renew(token(args))


def end(keeper: Keeper, args: Args) -> Any:
    return keeper.sessions.end(token(args), args.text_or_none("sid", 64))


def sessions(keeper: Keeper, args: Args) -> Any:
    return [
        {
            **each,
            "office_name": keeper.office_name(each["office"]),
            "assisted_name": keeper.office_name(each["assisted"]),
            "place": keeper.places.name(each["network"]),
        }
        for each in keeper.sessions.listed(token(args))
    ]


def revoked(keeper: Keeper, args: Args) -> Any:
    return keeper.sessions.revoked(args.number("since", 0, 1 << 62))


def public_keys(keeper: Keeper, _: Args) -> Any:
    return keeper.public_keys()


def enter(keeper: Keeper, args: Args) -> Any:
    session, service = keeper.sessions.live(token(args)), args.text("service", 32)
    count = args.number("tickets", 0, MAX_TICKETS)
    people = keeper.people
    if not session.is_citizen:
        people.check_service(service)
        attestation = keeper.sessions.attest(session, service, None)
        who = {"role": session.role, "office": session.office, "person": None}
        return {**who, "wards": [], "attestation": attestation, "tickets": {}}
    me = people.pseudonym(session.person, service)
    wards = [
        (ward, people.pseudonym(ward, service), relation)
        for ward, relation in keeper.families.wards_in(session.person, service)
    ]
    tickets = {me: people.mint(session.person, service, count)}
    tickets |= {pseudonym: people.mint(ward, service, count) for ward, pseudonym, _ in wards}
    return {
        "role": session.role,
        "office": None,
        "person": me,
        "wards": [{"person": pseudonym, "relation": relation} for _, pseudonym, relation in wards],
        "attestation": keeper.sessions.attest(session, service, me),
        "tickets": tickets,
        "assisted": keeper.office_name(session.assisted),
    }


def holder(keeper: Keeper, args: Args) -> Any:
    service = args.text("service", 32)
    session = keeper.sessions.present(args.proof("proof"), service)
    person = keeper.people.person(args.uuid("person"), service)
    if not keeper.opening.may_act_for(session, person, service):
        raise Refusal("not_yours", "This is not you, nor anyone you act for.")
    return keeper.people.mint(person, service, args.number("n", 1, MAX_TICKETS))


def seal(keeper: Keeper, args: Args) -> Any:
    def one(field: Args) -> bytes:
        pseudonym, service = field.uuid("person"), field.text("service", 32)
        person = keeper.people.person(pseudonym, service)
        cell = Cell(
            field.text("table", 63), field.text("column", 63), field.uuid("row"), person, pseudonym, service
        )
        return keeper.vault.seal_field(cell, field.text("text", MAX_TEXT))

    return args.each("fields", MAX_ITEMS, one)


def open_items(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return keeper.opening.open(session, args.each("items", MAX_ITEMS, _item), args.text("purpose", 64))


def grant(keeper: Keeper, args: Args) -> Any:
    service = args.text("service", 32)
    proof = keeper.sessions.proven(args.proof("proof"), service)
    pseudonym, office = args.uuid("person"), args.uuid("office")
    keeper.grants.make(proof, pseudonym, service, office=office, day=args.day("day"), ref=args.uuid("ref"))


def revoke_grant(keeper: Keeper, args: Args) -> Any:
    if not args.has("proof"):
        raise Refusal("attestation", "Whoever takes a grant back must show who they are.")
    keeper.grants.revoke(keeper.sessions.proven(args.proof("proof")), args.uuid("ref"))


def find(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    kind, identifier = args.text("identifier_type", 20), args.text("identifier", 64)
    if kind not in PUBLIC:
        raise Refusal("bad_identifier", "People are found by their number or a document.")
    return keeper.opening.find(session, kind, identifier, args.text("service", 32))


def notify(keeper: Keeper, args: Args) -> Any:
    names = args.uuid("person"), args.text("service", 32), args.text("template", 64), args.uuid("entry")
    proof = args.data("proof", 4096) if args.has("proof") else None
    keeper.notices.notify(*names, args.map("params"), proof)


def inbox(keeper: Keeper, args: Args) -> Any:
    demo_only(keeper)
    return keeper.notices.inbox(keeper.sessions.live(token(args)).person)


def looks(keeper: Keeper, args: Args) -> Any:
    return keeper.looks.since(args.number("since", 0, 1 << 62))


def looks_confirmed(keeper: Keeper, args: Args) -> Any:
    keeper.looks.confirm(args.number("upto", 0, 1 << 62))


def restore_looks(keeper: Keeper, args: Args) -> Any:
    return keeper.restore_looks(args.blobs("sealed", 100_000))


def looked_at_me(keeper: Keeper, args: Args) -> Any:
    """The newest looks at the person and at their wards."""
    me = keeper.sessions.live(token(args)).person
    lines, _ = keeper.my_data.viewing.page(me, Filter(), limit=LATEST)
    names = ("at_ms", "office", "role", "service", "purpose", "fields", "whose", "allowed")
    return [{name: line[name] for name in names} for line in lines]


def segment_key(keeper: Keeper, args: Args) -> Any:
    return keeper.segment_key(args.data("header", 65536), args.text("caller", 20))


def portal_keys(keeper: Keeper, _: Args) -> Any:
    return keeper.portal_keys()


def store_portal_keys(keeper: Keeper, args: Args) -> Any:
    keeper.store_portal_keys(args.map("keys"))


def status(keeper: Keeper, _: Args) -> Any:
    return keeper.status()


def demo_second_factor(keeper: Keeper, args: Args) -> Any:
    demo_only(keeper)
    person = keeper.people.by_marks(keeper.people.sign_in_marks(args.text("identifier", 64)))
    code = keeper.credentials.current_code(person) if person else None
    if code is None:
        raise Refusal("no_value", "This account has no second factor.")
    return code


CALLS: dict[str, Call] = {
    "sign_in": sign_in,
    "renew": renew,
    "end": end,
    "sessions": sessions,
    "revoked": revoked,
    "public_keys": public_keys,
    "enter": enter,
    "holder": holder,
    "seal": seal,
    "open": open_items,
    "grant": grant,
    "revoke_grant": revoke_grant,
    "find": find,
    "notify": notify,
    "inbox": inbox,
    "looks": looks,
    "looks_confirmed": looks_confirmed,
    "restore_looks": restore_looks,
    "looked_at_me": looked_at_me,
    "segment_key": segment_key,
    "portal_keys": portal_keys,
    "store_portal_keys": store_portal_keys,
    "status": status,
    "demo_second_factor": demo_second_factor,
}


def _item(args: Args) -> Item:
    kind, pseudonym, service = args.text("kind", 10), args.uuid("person"), args.text("service", 32)
    if kind == "register":
        return register_item(pseudonym, service, args.text("field", 20))
    if kind == "claims":
        return Item(kind, pseudonym, service, "claims", blob=args.data("blob"))
    if kind == "sealed":
        table, column, row = args.text("table", 63), args.text("column", 63), args.uuid("row")
        return Item(kind, pseudonym, service, f"{table}.{column}", table, column, row, args.data("blob"))
    raise Refusal("bad_request", "There is no item of this kind.")
