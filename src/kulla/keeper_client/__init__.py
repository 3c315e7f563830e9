"""The portal's door to the keeper: calls over a Unix socket, and what the portal may do without asking.

Nothing here knows who anybody is. Codes of refusals and the wire format: docs/keeper.md.
"""

from kulla.journal.wire import seal_with_ticket
from kulla.keeper_client.accounts import DeskAccount, Letter, LinkState, MyAccount, OfficialRequest, Sent
from kulla.keeper_client.client import KeeperClient, connect
from kulla.keeper_client.errors import KeeperUnavailable, Refused
from kulla.keeper_client.my_data import Correction, Erasure, LookLine, Question
from kulla.keeper_client.tokens import verify_token
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

__all__ = [
    "ClaimsItem",
    "Correction",
    "DeskAccount",
    "Entered",
    "Erasure",
    "Field",
    "Item",
    "KeeperClient",
    "KeeperUnavailable",
    "Letter",
    "LinkState",
    "Look",
    "LookLine",
    "LookView",
    "MyAccount",
    "Notice",
    "OfficialRequest",
    "Opened",
    "Question",
    "Refused",
    "RegisterItem",
    "SealedItem",
    "Sent",
    "Session",
    "SessionInfo",
    "Ticket",
    "Ward",
    "connect",
    "seal_claims",
    "verify_token",
]


def seal_claims(ticket: Ticket, claims: bytes) -> bytes:
    """Claims sealed under a ticket's one-time key; needs no keeper, and only the keeper can open them."""
    return seal_with_ticket(ticket.id, ticket.key, ticket.wrapped, claims)
