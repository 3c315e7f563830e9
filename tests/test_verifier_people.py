"""The page that verifies, as people use it: files, keyboard, both languages, two widths, at a mirror of a country."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from kulla.journal.page import DATA, SCRIPTS, verifier_page, words
from kulla.journal.tests.forged import Case
from kulla.journal.tests.forged_copies import Copy
from tests import journeys
from tests.axe import violations
from tests.country import Country
from tests.verifier import Server, address, case, fingerprint, serve, server, whole

__all__ = ["address", "case", "server", "whole"]  # fixtures
pytestmark = pytest.mark.browser


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
    expect(page.locator("#policy-said")).to_contain_text(fingerprint(case.policy.encode()))
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
    expect(page.locator("#policy-said")).to_contain_text(fingerprint((country.home / "policy").read_bytes()))
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
