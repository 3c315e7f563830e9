"""Who may enter a page. Every view carries exactly one of these decorators; a view without one is never served.

    @access.public            anyone; request.session_now is the visitor's session or None
    @access.signed_in         any live session
    @access.citizen("slug")   a citizen, seen from that service: request.actor
    @access.staff("slug")     an official of an office, seen from that service: request.actor
    @access.alone             the same, but not while an official acts with the person at a counter
    @access.operator          who runs the portal; sees no citizens

The decorator only notes the rule on the view; `middleware.Access` applies it, so a forgotten decorator is a
refusal and not an open door.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpRequest, HttpResponseBase

from kulla.keeper_client import Session
from kulla.registry.actor import Actor
from kulla.registry.cookie import Helping

# What an official is in an office; docs/identity.md says what each may do.
OFFICE_ROLES = ("receptionist", "registrar", "protection", "admin")
ROLES = ("citizen", *OFFICE_ROLES, "operator")
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Request(HttpRequest):
    """A request after the access middleware: what views may rely on."""

    session_now: Session | None
    token: str | None
    actor: Actor
    helping: Helping | None


@dataclass(frozen=True)
class Rule:
    """What a view demands: the roles that may enter (None: anyone) and the service it is seen from.

    `alone`: not in an assisted session, see identity.counter. The keeper refuses there by itself what is not named in
    its own list; the rule gives the page a sentence.
    """

    roles: frozenset[str] | None
    service: str | None = None
    alone: bool = False


def _note(rule: Rule) -> Callable[[View], View]:
    def mark(view: View) -> View:
        if hasattr(view, "access"):
            raise TypeError(f"{view.__module__}.{view.__qualname__} states twice who may enter")
        view.access = rule  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Anyone may enter."""
    return _note(Rule(None))(view)


def signed_in(view: View) -> View:
    """Any live session may enter; the actor is seen from the service "identity"."""
    return _note(Rule(frozenset(ROLES), "identity"))(view)


def alone(view: View) -> View:
    """Any live session may enter that is not an assisted one; the actor is seen from the service "identity"."""
    return _note(Rule(frozenset(ROLES), "identity", alone=True))(view)


def citizen(service: str, *, alone: bool = False) -> Callable[[View], View]:
    """Citizens may enter, seen from `service`; with `alone` not while an official acts with them at a counter."""
    return _note(Rule(frozenset({"citizen"}), service, alone))


def staff(service: str, roles: tuple[str, ...] = ("receptionist",)) -> Callable[[View], View]:
    """Officials with one of `roles` may enter, seen from `service`."""
    return _note(Rule(frozenset(roles), service))


def operator(view: View) -> View:
    """Who runs the portal may enter."""
    return _note(Rule(frozenset({"operator"}), "identity"))(view)


def rule_of(view: object) -> Rule | None:
    """The rule that a view states, or None when it forgot to."""
    rule = getattr(view, "access", None)
    return rule if isinstance(rule, Rule) else None
