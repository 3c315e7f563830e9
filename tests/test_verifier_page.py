"""The page that verifies a receipt in the browser: opened as a file in Chromium, with every forgery of the journal's.

No server stands behind it. Where it asks a mirror, a small HTTP server gives the files of a copy of the log.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from kulla.journal.note import Signer
from kulla.journal.page import words
from kulla.journal.tests.forged import RECEIPTS, ROUNDS, Case
from kulla.journal.tests.forged_copies import COPIES, LATER, Copy, damage
from kulla.journal.verify import ReceiptInvalid, Step, verify_receipt
from kulla.mirror.app import origin_hash
from tests.verifier import (
    Server,
    address,
    ask,
    case,
    check,
    fingerprint,
    name_of,
    outcome,
    serve,
    server,
    whole,
)

__all__ = ["address", "case", "server", "whole"]  # fixtures
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Every request of the shared page, in their order."""
    return []


@pytest.fixture(scope="module")
def shared(chromium: Browser, address: str, asked: list[str]) -> Iterator[Page]:
    """One page for all forgeries: reloading it each time would take most of the time."""
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(10_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    context.close()
    # Chromium itself notes what a server did not give; nothing else may stand in the console.
    assert [line for line in problems if not line.startswith("Failed to load resource")] == []


def test_a_good_receipt_holds_and_nothing_is_asked_of_any_network(
    shared: Page, case: Case, address: str, asked: list[str]
) -> None:
    check(shared, case.text, case.policy)
    assert outcome(shared) == ("good", "")
    proven = shared.locator("#proven").inner_text()
    for words_of_it in (
        "Appointment booked",
        "Qendra 301",
        "Tuesday 24 November 2026 at 09:30 (+01:00 from UTC)",
        "Mirror operator-1 (operator-1.example), Wednesday 18 November 2026 at 12:06 (time of Tirana)",
        "Mirror operator-2",
        "301 of the journal demo.kulla.example/journal",
        case.good.leaf_hash.hex(),
    ):
        assert words_of_it in proven
    assert "holder" not in proven and "salt" not in proven
    assert shared.locator("#steps li[data-state=good]").count() == 6
    assert asked == [address]


@pytest.mark.parametrize("name", RECEIPTS)
def test_the_page_refuses_each_forged_receipt_in_its_step(shared: Page, case: Case, name: str) -> None:
    step, forge = RECEIPTS[name]
    forged = forge(case)
    check(shared, forged.text, forged.policy)
    assert outcome(shared) == ("bad", name_of(step))
    assert shared.locator("#steps li[data-state=good]").count() == step - 1
    why = shared.locator("#result-why").inner_text()
    assert why.startswith(f"Step {int(step)} failed (") and "{" not in why and "why-" not in why
    assert shared.locator("#proven").inner_text() == ""
    expect(shared.locator("#ask")).to_be_hidden()


@pytest.mark.parametrize("name", COPIES)
def test_the_page_refuses_each_forged_copy_in_its_step(
    shared: Page, server: Server, case: Case, whole: Copy, name: str
) -> None:
    copy = replace(whole, files=dict(whole.files))
    step = damage(copy, name)
    serve(server, copy)
    check(shared, case.text, case.policy)
    ask(shared, server.url)
    assert outcome(shared, "newest") == ("bad", name_of(step))
    why = shared.locator("#newest-why").inner_text()
    assert ("rolled back" in why) == (name in {"a journal that was rolled back", "an empty journal"})
    assert why.startswith(f"Step {int(step)} failed (") and "{" not in why and "why-" not in why


def test_page_and_command_agree_on_a_thousand_changed_receipts(shared: Page, case: Case) -> None:
    """One character, one line, or one piece of either file changed at a random place; the seed is fixed."""
    chance = random.Random(20261121)
    changed = [
        (mutated(case.text, chance), case.policy)
        if chance.random() < 0.7
        else (case.text, mutated(case.policy, chance))
        for _ in range(1000)
    ]
    expected = [command_says(text, policy) for text, policy in changed]
    assert len(set(expected)) >= 6, "the changes reach hardly any step"
    found = shared.evaluate(
        """async (cases) => {
          const says = [];
          for (const [text, policy] of cases) {
            try { await verifyReceipt(text, utf8(policy)); says.push("good"); }
            catch (error) { if (!(error instanceof Refused)) throw error; says.push(error.step); }
          }
          return says;
        }""",
        changed,
    )
    apart = [(a, b, *both) for a, b, both in zip(expected, found, changed, strict=True) if a != b]
    assert apart == []


def command_says(text: str, policy: str) -> str:
    try:
        verify_receipt(text, policy)
    except ReceiptInvalid as refused:
        return name_of(refused.step)
    return "good"


def mutated(text: str, chance: random.Random) -> str:
    """The text with a character changed, lost or added, a line lost, doubled or swapped, or its end cut off."""
    at = chance.randrange(len(text))
    lines = text.splitlines(keepends=True)
    row, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    swapped = list(lines)
    swapped[row], swapped[other] = lines[other], lines[row]
    return chance.choice(
        [
            text[:at] + chance.choice("AZaz09+/= \n\t\u00a0\ufeff\x00#—ë\u2028\x85") + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + chance.choice("Aa0= \n\r\u3000#٣") + text[at:],
            "".join(lines[:row] + lines[row + 1 :]),
            "".join([*lines[: row + 1], *lines[row:]]),
            "".join(swapped),
            text[:at],
        ]
    )


def test_every_step_of_the_command_is_a_step_of_the_page(shared: Page) -> None:
    assert shared.evaluate("[...STEPS, ...COPY_STEPS]") == [name_of(step) for step in Step]


def test_a_mirror_that_goes_on_is_shown_and_only_its_log_is_asked_for(
    shared: Page, server: Server, case: Case, whole: Copy, asked: list[str]
) -> None:
    serve(server, whole)
    check(shared, case.text, case.policy)
    before = len(asked)
    ask(shared, server.url + "/")
    assert outcome(shared, "newest") == ("good", "")
    shown = shared.locator("#newest").inner_text()
    assert f"{sum(ROUNDS) + LATER} entries, {LATER} more" in shown
    assert "Mirror operator-1 signed that state" in shown
    assert whole.newest.root.hex() in shown
    prefix = f"{server.url}/{origin_hash(case.checkpoint.origin)}/"
    assert all(
        re.match(re.escape(prefix) + r"(checkpoint|tile/\d/[x\d/]+(\.p/\d+)?)$", url)
        for url in asked[before:]
    )
    assert len(asked) - before == len(server.asked) <= 8
    # the same size and root: nothing new, and nothing lost
    same = replace(whole, files={"checkpoint": case.good.proof.checkpoint_note.encode()})
    for path in ("tile/0/001", "tile/0/002.p/193", "tile/1/000.p/2"):
        same.files[path] = case.journal.folder.read(path)
    serve(server, same)
    ask(shared, server.url)
    assert outcome(shared, "newest") == ("good", "")


def test_what_does_not_answer_says_nothing_about_the_receipt(
    shared: Page, server: Server, case: Case
) -> None:
    check(shared, case.text, case.policy)
    ask(shared, "http://127.0.0.1:1")
    assert outcome(shared, "newest") == ("bad", "")
    assert "says nothing about the receipt" in shared.locator("#newest-why").inner_text()
    for url in ("ftp://mirror.example", "not an address", ""):
        ask(shared, url)
        assert shared.locator("#h-newest").inner_text() == words()["unasked"][1]
        assert "must begin with https://" in shared.locator("#newest-why").inner_text()
    assert outcome(shared) == ("good", "")


def test_no_answer_about_another_receipt_stays_on_the_page(
    shared: Page, server: Server, case: Case, whole: Copy
) -> None:
    """Whoever changes what is to be checked sees no old "holds", not even one that comes late."""
    serve(server, whole)
    check(shared, case.text, case.policy)
    for field in ("#receipt-text", "#policy-text"):
        assert outcome(shared) == ("good", "")
        shared.fill(field, shared.input_value(field) + " ")
        expect(shared.locator("#result")).to_be_hidden()
        check(shared, case.text, case.policy)
    server.gate.clear()
    shared.select_option("#mirror", "")
    shared.fill("#mirror-address", server.url)
    shared.click("#ask-button")
    shared.fill("#receipt-text", case.text.replace("index 301", "index 302"))
    server.gate.set()
    expect(shared.locator("#ask-button")).not_to_have_attribute("aria-disabled", "true")
    expect(shared.locator("#newest")).to_be_hidden()
    expect(shared.locator("#result")).to_be_hidden()


def test_the_policy_comes_from_a_mirror_with_itsfingerprint(shared: Page, server: Server, case: Case) -> None:
    server.files = {"policy": b"# Kuk\xebs\n" + case.policy.encode()}  # octets beyond ASCII are opaque
    shared.fill("#policy-text", "")
    shared.fill("#policy-address", server.url)
    shared.click("#policy-load")
    expect(shared.locator("#policy-said")).to_contain_text(fingerprint(server.files["policy"]))
    shared.fill("#receipt-text", case.text)
    shared.click("#check")
    assert outcome(shared) == ("good", "")
    server.files = {}
    shared.click("#policy-load")
    expect(shared.locator("#policy-said")).to_contain_text("has not published a policy")


def test_the_page_says_which_key_of_the_journal_was_valid_when(shared: Page, case: Case) -> None:
    signer = case.journal.signer
    newer = Signer.generate(signer.name)
    limit = f"log {newer.vkey}\n#kulla key-until {signer.key_id.hex()} 705\n"
    check(shared, case.text, case.policy + limit)
    assert outcome(shared) == ("good", "")
    assert (
        f"{signer.key_id.hex()}, an earlier key, valid up to 705 entries"
        in shared.locator("#proven").inner_text()
    )
    signed = case.noted(case.body, *case.journal.mirrors, signer=newer)
    check(shared, signed.text, signed.policy + limit)
    assert outcome(shared) == ("good", "")
    assert f"{newer.key_id.hex()}, valid since 705 entries" in shared.locator("#proven").inner_text()
