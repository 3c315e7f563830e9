"""The demo's part of the supervisor: one-click links, and the wipe button's calls."""

import asyncio
import json
import secrets
from typing import Any

from kulla.cli.supervisor.control import Handler
from kulla.cli.supervisor.supervisor import Supervisor
from kulla.demo.wipe import Wipe

# Who the links sign in, in the order in which they are printed.
VISITORS = (
    "citizen",
    "guardian",
    "clerk",
    "colleague",
    "admin",
    "registrar",
    "protection",
    "operator",
)
# What a page of the demo may tell of the cast; passwords and second factors stay here.
TOLD = ("who", "role", "name", "number", "born", "passport", "phone", "email")


class DemoControl:
    """Links that sign in once each, and the wipe. Tokens live in this process only."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._tokens: dict[str, str] = {}
        self._wipe = Wipe(supervisor)

    def handlers(self) -> dict[str, Handler]:
        """What the portal may ask for over the control socket."""
        return {
            "links": self._links,
            "enter": self._enter,
            "cast": self._cast,
            "enter_as": self._enter_as,
            "wipe": self._wipe.begin,
            "wipe_again": self._wipe.again,
            "wipe_status": self._wipe.status,
        }

    def links(self) -> list[str]:
        """New sign-in links as lines to print."""
        base = f"{self._supervisor.address}/demo/enter"
        lines = ["Come in with one click:"]
        for who in VISITORS:
            token = secrets.token_urlsafe(16)
            self._tokens[token] = who
            lines.append(f"  {who:<10}  {base}/{who}?t={token}")
        lines.append('At the foot of every page: "Wipe this country" and "Be the thief".')
        return lines

    async def _links(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {"lines": self.links()}

    async def _enter(self, request: dict[str, Any]) -> dict[str, Any]:
        """What signs this visitor in. A token serves as long as this supervisor runs."""
        who = str(request.get("who"))
        token = str(request.get("token"))
        if self._tokens.get(token) != who:
            return {"refused": "This link is not known here."}
        return await self._enter_as(request)

    async def _enter_as(self, request: dict[str, Any]) -> dict[str, Any]:
        """What signs in any member of the cast who has a password; for the page on which one plays everyone."""
        for one in await self._accounts():
            if one["who"] == request.get("who") and "password" in one:
                identifier = one.get("number") or one["passport"]
                return {"number": identifier, "password": one["password"], "role": one["role"]}
        return {"refused": "Nobody of this name can sign in here."}

    async def _cast(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Who is who in this country, without what signs them in."""
        told = [
            {name: one[name] for name in TOLD if name in one} | {"active": "password" in one}
            for one in await self._accounts()
        ]
        return {"cast": told}

    async def _accounts(self) -> list[dict[str, str]]:
        text = await asyncio.to_thread(self._supervisor.home.accounts.read_text)
        accounts: list[dict[str, str]] = json.loads(text)
        return accounts
