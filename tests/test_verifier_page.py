"""The page that verifies a receipt in the browser: opened as a file in Chromium, with every forgery of the journal's.

No server stands behind it. Where it asks a mirror, a small HTTP server gives the files of a copy of the log.
"""

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kulla.journal.note import Signer
from kulla.journal.page import DATA, SCRIPTS, verifier_page, words
from kulla.journal.tests.demo import DemoJournal
from kulla.journal.tests.forged import COPIES, LATER, RECEIPTS, ROUNDS, Case, Copy, damage
from kulla.journal.verify import ReceiptInvalid, Step, verify_receipt
from kulla.mirror.app import origin_hash
from tests import journeys
from tests.axe import violations
from tests.country import Country

pytestmark = pytest.mark.browser

WHEN = "2026-11-24 09:30 +01:00 Europe/Tirane"


class Served(BaseHTTPRequestHandler):
    """Gives `server.files` to everyone, as a mirror gives its log; notes what was asked."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        body = self.server.files.get(self.path.lstrip("/"))  # type: ignore[attr-defined]
        self.send_response(200 if body is not None else 404)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    files: dict[str, bytes]
    asked: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Served)
    made.files, made.asked = {}, []
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    demo = DemoJournal(tmp_path_factory.mktemp("journal"), when=WHEN)
    for count in ROUNDS:
        demo.round(count)
    return Case.of(demo)


@pytest.fixture(scope="module")
def whole(case: Case) -> Copy:
    return Copy.of(case)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as somebody keeps it."""
    file = tmp_path_factory.mktemp("page") / "verify.html"
    file.write_bytes(verifier_page())
    return file.as_uri()


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


def check(page: Page, text: str, policy: str) -> None:
    page.fill("#receipt-text", text)
    page.fill("#policy-text", policy)
    page.click("#check")
    expect(page.locator("#check")).not_to_have_attribute("aria-disabled", "true")


def outcome(page: Page, name: str = "result") -> tuple[str | None, str | None]:
    shown = page.locator(f"#{name}")
    expect(shown).to_be_visible()
    return shown.get_attribute("data-state"), shown.get_attribute("data-step")


def name_of(step: Step) -> str:
    return step.name.lower()


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


def serve(server: Server, copy: Copy) -> None:
    prefix = origin_hash(copy.case.checkpoint.origin)
    server.files = {f"{prefix}/{path}": data for path, data in copy.files.items()}


def ask(page: Page, url: str) -> None:
    page.select_option("#mirror", "")
    page.fill("#mirror-address", url)
    page.click("#ask-button")
    expect(page.locator("#ask-button")).not_to_have_attribute("aria-disabled", "true")


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


def test_the_policy_comes_from_a_mirror_with_its_fingerprint(
    shared: Page, server: Server, case: Case
) -> None:
    server.files = {"policy": b"# Kuk\xebs\n" + case.policy.encode()}  # octets beyond ASCII are opaque
    shared.fill("#policy-text", "")
    shared.fill("#policy-address", server.url)
    shared.click("#policy-load")
    expect(shared.locator("#policy-said")).to_contain_text(_fingerprint(server.files["policy"]))
    shared.fill("#receipt-text", case.text)
    shared.click("#check")
    assert outcome(shared) == ("good", "")
    server.files = {}
    shared.click("#policy-load")
    expect(shared.locator("#policy-said")).to_contain_text("has not published a policy")


def _fingerprint(policy: bytes) -> str:
    import hashlib

    return hashlib.sha256(policy).hexdigest()


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


# --- Files, languages, widths -----------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, case: Case) -> dict[str, Path]:
    from kulla.identity.pdf import receipt_pdf

    paper = receipt_pdf(
        title={"sq": "Takim i rezervuar", "en": "Appointment booked"},
        who="Arta Hoxha",
        lines=[],
        check_code="ABCD-EFGH",
        leaf_hash=case.good.leaf_hash,
        received_ms=1_795_000_000_000,
        address="https://kulla.example/receipts/x/",
        proof=case.text,
        policy_fingerprint="",
        language="sq",
    )
    made = {
        "receipt.pdf": paper,
        "receipt.txt": b"\xef\xbb\xbf" + case.text.replace("\n", "\r\n").encode(),
        "other.pdf": b"%PDF-1.7\n%%EOF\n",
        "photo.jpg": b"\xff\xd8\xff\xe0",
        "policy": case.policy.encode(),
        "forged.txt": case.text.replace("index 301", "index 302").encode(),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in made}


@pytest.mark.parametrize("language", ["sq", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_files_by_keyboard_in_both_languages_at_both_widths(
    new_context: Callable[..., BrowserContext],
    address: str,
    files: dict[str, Path],
    server: Server,
    case: Case,
    whole: Copy,
    language: str,
    width: int,
) -> None:
    page = new_context(language, width).new_page()
    page.goto(address)
    index = 0 if language == "sq" else 1
    said = {key: pair[index] for key, pair in words().items()}
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("h1").inner_text() == said["title"]
    assert violations(page) == []

    page.keyboard.press("Tab")
    for _ in range(12):
        if page.evaluate("document.activeElement.id") == "check":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # nothing given yet: the page says what is missing and goes there
    expect(page.locator("#receipt-said")).to_have_text(said["receipt-none"])
    assert page.evaluate("document.activeElement.id") == "receipt-file"
    page.set_input_files("#receipt-file", files["photo.jpg"])
    expect(page.locator("#receipt-said")).to_have_text(said["why-not-text"])
    page.set_input_files("#receipt-file", files["other.pdf"])
    expect(page.locator("#receipt-said")).to_have_text(said["why-pdf-empty"])

    page.set_input_files("#policy-file", files["policy"])
    expect(page.locator("#policy-said")).to_contain_text(_fingerprint(case.policy.encode()))
    for name in ("receipt.txt", "receipt.pdf"):
        page.set_input_files("#receipt-file", files[name])
        expect(page.locator("#receipt-said")).to_contain_text(name)
        page.focus("#check")
        page.keyboard.press("Enter")
        expect(page.locator("#h-result")).to_have_text(said["holds"])
        expect(page.locator("#h-result")).to_be_focused()
    serve(server, whole)
    page.focus("#mirror-address")
    page.keyboard.type(server.url)
    page.keyboard.press("Enter")
    expect(page.locator("#h-newest")).to_have_text(said["continues"])
    expect(page.locator("#h-newest")).to_be_focused()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.set_input_files("#receipt-file", files["forged.txt"])
    expect(page.locator("#receipt-said")).to_contain_text("forged.txt")
    page.click("#check")
    expect(page.locator("#h-result")).to_have_text(said["holds-not"])
    expect(page.locator("#result-why")).to_contain_text(said["why-other-root"])
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    other = "en" if language == "sq" else "sq"
    page.click(f"[data-language={other}]")
    expect(page.locator("#h-result")).to_have_text(words()["holds-not"][1 - index])


def test_a_browser_without_ed25519_is_told_so(
    new_context: Callable[..., BrowserContext], address: str
) -> None:
    context = new_context("en")
    context.add_init_script(
        "if (globalThis.SubtleCrypto) SubtleCrypto.prototype.importKey = "
        "async () => { throw new DOMException('no', 'NotSupportedError'); }"
    )
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#trouble")).to_have_text(words()["no-ed25519"][1])


def test_without_scripts_the_page_says_what_to_do(
    new_context: Callable[..., BrowserContext], address: str
) -> None:
    page = new_context("en", javascript=False).new_page()
    page.goto(address)
    assert "kulla verify" in page.locator("noscript").inner_text()


# --- The page itself --------------------------------------------------------------------------------------------


def test_nothing_foreign_can_run_in_it(new_context: Callable[..., BrowserContext], address: str) -> None:
    """Style and script by their hashes, no other source; a control shows that another script is stopped."""
    html = verifier_page().decode()
    assert not re.search(r"""(?:src|href)=["'](?!data:,)""", html)
    assert "innerHTML" not in html and "eval(" not in html and "import(" not in html
    context = new_context("en")
    page = context.new_page()
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    changed = Path(address.removeprefix("file://")).with_name("changed.html")
    changed.write_text(html.replace('"use strict";', '"use strict"; window.foreign = 1;', 1))
    page.goto(changed.as_uri())
    assert page.evaluate("window.foreign") is None
    assert any("Content Security Policy" in line for line in blocked)


def test_every_word_is_there_in_both_languages_and_used() -> None:
    source = "".join((DATA / name).read_text("utf-8") for name in (*SCRIPTS, "page.html"))
    table = words()
    for key, pair in table.items():
        assert all(pair) and len(pair) == 2, key
        fields = [sorted(re.findall(r"\{\w+\}", text)) for text in pair]
        assert fields[0] == fields[1], key
    assert len({pair[0] for pair in table.values()}) >= len(table) - 3  # a sentence is not given twice
    refusals = re.findall(r'Malformed\("([a-z0-9-]+)"', source)
    for call in re.findall(r"(?:ensure|textOf)\((.*?)\);", source, re.S):
        refusals += re.findall(r', "([a-z0-9-]+)"', call)
    assert len(refusals) > 60
    assert {f"why-{key}" for key in refusals} <= table.keys()
    used = re.findall(r'data-t="([a-z-]+)"', source) + re.findall(r'\bt\("([a-z0-9-]+)"', source)
    assert set(used) <= table.keys()
    raw = json.loads((DATA / "words.json").read_text("utf-8"))
    assert list(raw) == list(table)
    unused = [
        key
        for key in table
        if f'"{key}"' not in source
        and f'"{key.removeprefix("why-")}"' not in source
        and not key.startswith(("step-", "claim-", "mark-"))
    ]
    assert unused == []


def test_from_a_booking_to_the_page_at_a_mirror_and_another_mirrors_newest_state(
    country: Country, new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    """A real country: book, save the paper, follow the link to one mirror, load its policy, ask another mirror."""
    citizen = country.sign_in("citizen", "sq")
    booked = journeys.wait_received(citizen, journeys.book(citizen, "gp", reason="Dhimbje"))
    ((address, name), *others) = [
        link for link in booked.links if link[0].endswith("/verify") and "://" in link[0]
    ]
    assert len(others) == 2 and name == "operator-1"
    paper = tmp_path / "receipt.pdf"
    paper.write_bytes(citizen.open(booked.link("receipt.pdf")).body)
    page = new_context("sq", 360).new_page()
    page.goto(address)
    assert page.input_value("#policy-address") == address.removesuffix("/verify")
    page.set_input_files("#receipt-file", paper)
    page.click("#policy-load")
    expect(page.locator("#policy-said")).to_contain_text(_fingerprint((country.home / "policy").read_bytes()))
    page.click("#check")
    expect(page.locator("#h-result")).to_have_text(words()["holds"][0])
    code = re.search(r"(?<![\w-])[A-Z2-7]{4}-[A-Z2-7]{4}(?![\w-])", booked.main)
    assert code is not None and code[0] in page.locator("#proven").inner_text()
    journeys.wait_received(citizen, journeys.cancel(citizen, booked))  # the journal goes on
    mirrors = page.locator("#mirror option").all_inner_texts()[:3]
    assert page.locator("#mirror option:checked").inner_text() == mirrors[0]  # nothing need be typed
    expect(page.locator("#mirror-address")).to_be_hidden()
    for mirror in mirrors:
        page.select_option("#mirror", label=mirror)
        for _ in range(20):  # the third mirror may still be a round behind
            page.click("#ask-button")
            expect(page.locator("#ask-button")).not_to_have_attribute("aria-disabled", "true")
            if page.locator("#newest").get_attribute("data-state") == "good":
                break
            page.wait_for_timeout(250)
        expect(page.locator("#h-newest")).to_have_text(words()["continues"][0])
    assert violations(page) == []
