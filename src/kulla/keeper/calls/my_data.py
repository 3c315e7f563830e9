"""Calls of my data: looks by the page, questions about them, delays, what is held, corrections, settings, erasure."""

from datetime import date
from typing import Any
from uuid import UUID

from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, token
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.my_data import IDENTITY
from kulla.keeper.my_data.corrections import REASON, VALUE
from kulla.keeper.my_data.delays import Order
from kulla.keeper.my_data.documents import MAX_BYTES
from kulla.keeper.my_data.erasure import TEXT as ERASURE_TEXT
from kulla.keeper.my_data.questions import ANSWER, TEXT
from kulla.keeper.my_data.viewing import Filter
from kulla.keeper.sessions import Live

MOST = 1 << 62
REFERENCES = 500


def _me(keeper: Keeper, args: Args) -> Live:
    """The session of somebody who acts for themselves."""
    session = keeper.sessions.live(token(args))
    if not session.is_citizen:
        raise Refusal("role", "This is for people themselves, not for their roles.")
    return session


def _uuid_or_none(args: Args, name: str) -> UUID | None:
    return args.uuid(name) if args.has(name) else None


# Looks ---------------------------------------------------------------------------------------------------


def my_looks(keeper: Keeper, args: Args) -> Any:
    me = _me(keeper, args).person
    whose = _uuid_or_none(args, "whose")
    wanted = Filter(
        office=_uuid_or_none(args, "office"),
        service=args.text("service", 32),
        whose=keeper.people.person(whose, IDENTITY) if whose else None,
        since_ms=args.number("since_ms", 0, MOST),
        until_ms=args.number("until_ms", 0, MOST),
        refused=args.flag("refused"),
    )
    limit = args.number("limit", 1, 500)
    lines, following = keeper.my_data.viewing.page(
        me, wanted, before=_uuid_or_none(args, "before"), limit=limit
    )
    return {"lines": lines, "next": following}


def my_looks_offices(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.viewing.offices(_me(keeper, args).person)


def my_look(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.viewing.one(_me(keeper, args).person, args.uuid("ref"))[2]


def question_ask(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.questions.ask(_me(keeper, args).person, args.uuid("ref"), args.text("text", TEXT))


def questions_mine(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.questions.all_of(_me(keeper, args).person)


def question_mine(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.questions.mine(_me(keeper, args).person, args.uuid("id"))


def questions_to_answer(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return keeper.my_data.questions.for_official(session, answered=args.flag("answered"))


def question_to_answer(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.questions.one_for(keeper.sessions.live(token(args)), args.uuid("id"))


def question_answer(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    keeper.my_data.questions.answer(session, args.uuid("id"), args.text("text", ANSWER))


def look_delay_ask(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    days: dict[str, date] = {name: args.day(name) for name in ("since", "until", "shown")}
    order = Order(args.text("order", 100), args.text("court", 200), args.uuid("office"), **days)
    return keeper.my_data.delays.ask(session, args.text("number", 64), order)


def transparency(keeper: Keeper, _: Args) -> Any:
    return keeper.my_data.status()


# What is held --------------------------------------------------------------------------------------------


def my_sections(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.sections.names(assisted=_me(keeper, args).assisted is not None)


def my_section(keeper: Keeper, args: Args) -> Any:
    me = _me(keeper, args)
    name, offset = args.text("name", 40), args.number("offset", 0, MOST)
    return keeper.my_data.sections.read(me.person, name, offset, assisted=me.assisted is not None)


def my_download(keeper: Keeper, args: Args) -> Any:
    keeper.my_data.downloaded(_me(keeper, args), args.text("how", 20))


def my_settings(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.settings.of(_me(keeper, args).person)


def my_settings_change(keeper: Keeper, args: Args) -> Any:
    me = _me(keeper, args)
    channels = args.map("channels") if args.has("channels") else None
    if channels is not None and me.assisted is not None:
        raise Refusal("assisted", "Channels are not changed in an assisted session.")
    needs = [str(need)[:40] for need in args.list("needs", 20)] if args.has("needs") else None
    language = args.text_or_none("language", 10)
    keeper.my_data.settings.change(me.person, language=language, channels=channels, needs=needs)


# Corrections and erasure ---------------------------------------------------------------------------------


def correction_ask(keeper: Keeper, args: Args) -> Any:
    me = _me(keeper, args)
    document = args.data("document", 2 * MAX_BYTES) if args.has("document") else None
    texts = args.text("field", 40), args.text("value", VALUE), args.text("reason", REASON)
    return keeper.my_data.corrections.ask(me, *texts, document)


def corrections_mine(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.corrections.all_of(_me(keeper, args).person)


def correction_queue(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.corrections.queue(keeper.sessions.live(token(args)))


def correction_open(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.corrections.open(keeper.sessions.live(token(args)), args.uuid("id"))


def correction_release(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.corrections.release(keeper.sessions.live(token(args)), args.uuid("id"))


def correction_document(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.corrections.document(keeper.sessions.live(token(args)), args.uuid("id"))


def correction_decide(keeper: Keeper, args: Args) -> Any:
    session, words = keeper.sessions.live(token(args)), args.text("reason", REASON)
    keeper.my_data.corrections.decide(session, args.uuid("id"), yes=args.flag("yes"), reason=words)


def erasure_ask(keeper: Keeper, args: Args) -> Any:
    text, everything = args.text("text", ERASURE_TEXT), args.has("everything") and args.flag("everything")
    return keeper.my_data.erasures.ask(_me(keeper, args), text, everything=everything)


def erasure_withdraw(keeper: Keeper, args: Args) -> Any:
    keeper.my_data.erasures.withdraw(_me(keeper, args), args.uuid("id"))


def erasures_mine(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.erasures.all_of(_me(keeper, args).person)


def erasure_queue(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.erasures.queue(keeper.sessions.live(token(args)))


def erasure_open(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.erasures.open(keeper.sessions.live(token(args)), args.uuid("id"))


def erasure_release(keeper: Keeper, args: Args) -> Any:
    return keeper.my_data.erasures.release(keeper.sessions.live(token(args)), args.uuid("id"))


def erasure_decide(keeper: Keeper, args: Args) -> Any:
    session, words = keeper.sessions.live(token(args)), args.text("reason", ERASURE_TEXT)
    keeper.my_data.erasures.decide(session, args.uuid("id"), yes=args.flag("yes"), reason=words)


# What helps somebody -------------------------------------------------------------------------------------


def needs(keeper: Keeper, args: Args) -> Any:
    """Of people whom this official's office may look at today; a look, like any other."""
    session, service = keeper.sessions.live(token(args)), args.text("service", 32)
    found: dict[UUID, list[str]] = {}
    for pseudonym in args.list("people", REFERENCES):
        if isinstance(pseudonym, UUID):
            found[pseudonym] = keeper.my_data.needs_at(session, pseudonym, service)
    return {pseudonym: codes for pseudonym, codes in found.items() if codes}


CALLS: dict[str, Call] = {
    "my_looks": my_looks,
    "my_looks_offices": my_looks_offices,
    "my_look": my_look,
    "question_ask": question_ask,
    "questions_mine": questions_mine,
    "question_mine": question_mine,
    "questions_to_answer": questions_to_answer,
    "question_to_answer": question_to_answer,
    "question_answer": question_answer,
    "look_delay_ask": look_delay_ask,
    "transparency": transparency,
    "my_sections": my_sections,
    "my_section": my_section,
    "my_download": my_download,
    "my_settings": my_settings,
    "my_settings_change": my_settings_change,
    "correction_ask": correction_ask,
    "corrections_mine": corrections_mine,
    "correction_queue": correction_queue,
    "correction_open": correction_open,
    "correction_release": correction_release,
    "correction_document": correction_document,
    "correction_decide": correction_decide,
    "erasure_ask": erasure_ask,
    "erasure_withdraw": erasure_withdraw,
    "erasures_mine": erasures_mine,
    "erasure_queue": erasure_queue,
    "erasure_open": erasure_open,
    "erasure_release": erasure_release,
    "erasure_decide": erasure_decide,
    "needs": needs,
}
