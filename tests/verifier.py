"""The page that verifies, for its tests: a journal with a receipt, the page as a file, a mirror's log over HTTP."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from kulla.journal.page import verifier_page
from kulla.journal.tests.demo import DemoJournal
from kulla.journal.tests.forged import ROUNDS, Case
from kulla.journal.tests.forged_copies import Copy
from kulla.journal.verify import Step
from kulla.mirror.app import origin_hash

WHEN = "2026-11-24 09:30 +01:00 Europe/Tirane"


class Served(BaseHTTPRequestHandler):
    """Gives `server.files` to everyone, as a mirror gives its log; notes what was asked, and waits for `gate`."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.server.gate.wait(10)  # type: ignore[attr-defined]
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
    gate: threading.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Served)
    made.files, made.asked, made.gate = {}, [], threading.Event()
    made.gate.set()
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


def serve(server: Server, copy: Copy) -> None:
    prefix = origin_hash(copy.case.checkpoint.origin)
    server.files = {f"{prefix}/{path}": data for path, data in copy.files.items()}


def ask(page: Page, url: str) -> None:
    page.select_option("#mirror", "")
    page.fill("#mirror-address", url)
    page.click("#ask-button")
    expect(page.locator("#ask-button")).not_to_have_attribute("aria-disabled", "true")


def fingerprint(policy: bytes) -> str:
    return hashlib.sha256(policy).hexdigest()
