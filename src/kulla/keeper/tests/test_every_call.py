"""Every call of the socket, whatever is asked: an answer or a refusal with a sentence, never the keeper's own mistake.

The names of a call's arguments are found in its code, so that a new call is tried without a word here.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest

from kulla.keeper.calls import CALLS
from kulla.keeper.testkit import ARTA, VJOSA, RunningKeeper, keeper
from kulla.keeper_client import KeeperClient, Refused, connect

ODD: list[Any] = [
    None,
    "",
    "x",
    "ë" * 5000,
    "\x00\u202e\ufeff",
    0,
    -1,
    2**63,
    True,
    1.5,
    math.nan,
    b"",
    b"\xff" * 40,
    [],
    ["x", None, {}],
    {},
    {"a": {"b": [1]}},
    uuid4(),
]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningKeeper]:
    with TemporaryDirectory(prefix="k-") as folder, keeper(Path(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def client(running: RunningKeeper) -> Iterator[KeeperClient]:
    client = connect(running.socket)
    yield client
    client.close()


@pytest.fixture(scope="module")
def clerk(client: KeeperClient) -> str:
    """The session of an official; a citizen's is made for each call, since calls end sessions."""
    return client.sign_in(VJOSA.number, VJOSA.password, VJOSA.code(), network="192.0.2.2", device="t").token


def ask(client: KeeperClient, call: str, args: dict[str, Any]) -> str:
    """The code of the refusal, or "ok"."""
    try:
        client._pool.ask(call, args)
    except Refused as refused:
        assert str(refused), (call, args)
        assert "Traceback" not in str(refused)
        return refused.code
    return "ok"


def read_by(call: str) -> list[str]:
    """The names of the arguments that a call reads, found in its code and in the helpers of its file."""
    function = CALLS[call]
    seen: set[str] = set()
    waiting = [function]
    while waiting:
        one = waiting.pop()
        code = getattr(one, "__code__", None)
        if code is None:
            continue
        for constant in code.co_consts:
            if isinstance(constant, str) and constant.isidentifier():
                seen.add(constant)
        for cell in getattr(one, "__closure__", None) or ():
            if callable(cell.cell_contents):
                waiting.append(cell.cell_contents)
        for name in code.co_names:
            helper = getattr(one, "__globals__", {}).get(name)
            ours = callable(helper) and getattr(helper, "__module__", "").startswith("kulla.keeper.calls")
            if ours and helper is not one and helper not in waiting:
                waiting.append(helper)
    return sorted(seen)


@pytest.mark.parametrize("call", sorted(CALLS))
def test_odd_arguments_are_refused_with_a_sentence(
    client: KeeperClient, running: RunningKeeper, clerk: str, call: str
) -> None:
    citizen = client.sign_in(ARTA.number, ARTA.password, network="192.0.2.1", device="t").token
    found = read_by(call)
    bad = []
    for value in ODD:
        every = dict.fromkeys(found, value)
        for args in (every, {**every, "token": citizen}, {"token": value}):
            code = ask(client, call, args)
            if code in {"internal", "broken"}:
                bad.append((args, code))
    for name in found:
        for value in ODD:
            for token in (citizen, clerk):
                code = ask(client, call, {**dict.fromkeys(found, "x"), "token": token, name: value})
                if code in {"internal", "broken"}:
                    bad.append(({name: value}, code))
    assert bad == []
    assert "Traceback" not in running.log()


def test_arguments_are_found() -> None:
    assert {"token", "field", "value", "reason", "document"} <= set(read_by("correction_ask"))
    assert {"state", "id", "client_data", "network", "device", "notes"} <= set(read_by("passkey_sign_in"))
    assert sum(len(read_by(call)) >= 1 for call in CALLS) > 0.9 * len(CALLS)
