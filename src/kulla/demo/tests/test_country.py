"""A tiny country from creation to wipe, with the real programs: nothing in here is pretended."""

import contextlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest

KULLA = [sys.executable, "-m", "kulla.cli"]
# What this test process was given for its own Django must not reach the countries it starts.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KULLA_")}


def kulla(*arguments: str | Path, timeout: float = 120, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KULLA, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**ENVIRONMENT, **env},
    )


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait(what: Callable[[], bool], seconds: float, said: str) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError(said)
        time.sleep(0.05)


@dataclass
class Up:
    """A running `kulla up`."""

    home: Path
    process: "subprocess.Popen[str]"
    port: int
    lines: list[str]
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    def status(self) -> dict:
        from kulla.cli.supervisor import control

        return control.ask(self.home / "run" / "up.sock", "status")["programs"]

    def pids(self) -> list[int]:
        """The supervisor, its programs, and their children."""
        found = [self.process.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            found += [int(child) for child in children.read_text().split()] if children.exists() else []
        return found

    def fetch(
        self, method: str, path: str, form: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Cookie": "; ".join(f"{k}={v.value}" for k, v in self.cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.cookies.load(value)
        connection.close()
        self.raw = data
        return answer.status, data.decode("utf-8", "replace"), {k.lower(): v for k, v in answer.getheaders()}

    def post(self, page: str, action: str, **fields: str) -> tuple[int, str, dict[str, str]]:
        """Send a form of `page` with its CSRF token."""
        _, text, _ = self.fetch("GET", page)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
        assert token, text[:2000]
        return self.fetch("POST", action, {"csrfmiddlewaretoken": token[1], **fields})

    def link(self, who: str) -> str:
        out = kulla("up", "--home", self.home, "--links").stdout
        found = re.search(rf"http://localhost:\d+(/demo/enter/{who}\?t=\S+)", out)
        assert found, out
        return found[1]


def start(home: Path, **env: str) -> Up:
    process = subprocess.Popen(
        [*KULLA, "up", "--home", str(home), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**ENVIRONMENT, **env},
    )
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if found := re.match(r"Kulla is open at http://localhost:(\d+)/", line):
            return Up(home, process, int(found[1]), lines)
    raise AssertionError("".join(lines))


def stop(up: Up) -> float:
    started = time.monotonic()
    up.process.send_signal(signal.SIGINT)
    up.process.communicate(timeout=20)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("country") / "demo"
    creation = kulla("demo", "--home", home, "--people", "40", "--seed", "7", "--fast")
    assert creation.returncode == 0, creation.stdout + creation.stderr
    return home


@pytest.fixture(scope="module")
def running(made: Path) -> Iterator[Up]:
    up = start(made)
    yield up
    if up.process.poll() is None:
        stop(up)


@pytest.fixture
def up(running: Up) -> Up:
    """The running country, with a visitor who is not signed in."""
    running.cookies = SimpleCookie()
    wait(lambda: all(one["up"] for one in running.status().values()), 30, str(running.status()))
    return running


@pytest.fixture
def stopped(running: Up) -> Up:
    """The country after it has run, whichever tests came before."""
    if running.process.poll() is None:
        stop(running)
    return running


def test_the_home_is_whole_and_can_be_moved(made: Path) -> None:
    assert {path.name for path in made.iterdir()} >= {
        "home.json",
        "policy",
        "portal",
        "keeper",
        "operators",
        "holders",
    }
    assert [path.name for path in made.parent.iterdir()] == ["demo"]
    for private in ("accounts.json", "portal", "keeper", "holders", "run", "operators/1", "operators/3"):
        assert (made / private).stat().st_mode & 0o077 == 0, private
    assert "One machine is not three administrations" in (made / "holders" / "README").read_text()
    for path in made.rglob("*"):
        if path.is_file() and path.suffix != ".log":
            assert b".demo.making-" not in path.read_bytes(), path


def test_everything_was_journaled(made: Path) -> None:
    check = kulla("journal", "check", made / "portal" / "journal")

    assert check.returncode == 0, check.stderr
    assert int(check.stdout.split()[0]) >= 8


def test_a_home_is_never_overwritten(made: Path) -> None:
    before = (made / "home.json").read_bytes()

    refused = kulla("demo", "--home", made, "--people", "40", "--fast")

    assert refused.returncode == 2
    assert "exists already" in refused.stderr
    assert (made / "home.json").read_bytes() == before


def test_people_are_imported_and_bad_lines_named(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "number,first_name,last_name,birth_date,sex,phone,email,language,guardian_number,address\n"
        "J05917001A,Drita,Shehu,1990-09-17,f,,,sq,,Berat\n"
        "J05917002A,Drita,Shehu,1990-99-17,f,,,sq,,Berat\n"
        "nonsense\n"
    )
    away = kulla("people", "import", file, "--home", tmp_path)
    mirrors = [
        subprocess.Popen([*KULLA, "mirror", "--config", str(made / "operators" / number / "operator.json")])
        for number in "123"
    ]
    try:
        imported = kulla("people", "import", file, "--home", made)
        again = kulla("people", "import", file, "--home", made)
    finally:
        for mirror in mirrors:
            mirror.terminate()
            mirror.wait(10)

    assert away.returncode == 2
    assert imported.returncode == 1
    assert "1 people added, 0 known already, 2 lines not imported." in imported.stdout
    assert re.findall(r"^line (\d+): .+\.$", imported.stderr, re.MULTILINE) == ["3", "4"]
    assert "0 people added, 1 known already" in again.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_creation_leaves_no_half_home(tmp_path: Path, number: signal.Signals) -> None:
    home = tmp_path / "demo"
    creation = subprocess.Popen(
        [*KULLA, "demo", "--home", str(home), "--people", "40000", "--fast"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=ENVIRONMENT,
        # Tests that a shell runs in the background inherit that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    assert creation.stdout
    next(line for line in creation.stdout if "register" in line)
    children = [
        int(pid) for pid in Path(f"/proc/{creation.pid}/task/{creation.pid}/children").read_text().split()
    ]
    assert children
    creation.send_signal(number)
    creation.communicate(timeout=20)

    assert creation.returncode != 0
    assert not home.exists()
    wait(lambda: not any(map(alive, children)), 10, "a program of the creation is still there")
    if number == signal.SIGKILL:
        from kulla.demo.country import remove_leftovers

        remove_leftovers(home)
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_one_sentence(made: Path, up: Up, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        copy = tmp_path / "copy"
        shutil.copytree(made, copy, ignore=shutil.ignore_patterns("mirror", "keycopy", "run"))
        refused = kulla("up", "--home", copy, "--port", str(port), timeout=20)

    assert refused.returncode == 2
    assert (
        refused.stderr
        == f"kulla up: Port {port} is taken by another program; choose another one with --port.\n"
    )


def test_one_home_runs_once(up: Up) -> None:
    refused = kulla("up", "--home", up.home, "--port", "0", timeout=20)

    assert refused.returncode == 2
    assert "already running" in refused.stderr


def test_each_link_signs_in_as_often_as_one_likes(up: Up) -> None:
    for who, page in (("citizen", "/my"), ("clerk", "/reception"), ("operator", "/operator")):
        up.cookies = SimpleCookie()
        link = up.link(who)
        status, _, headers = up.fetch("GET", link)
        assert status == 302
        assert headers["location"].startswith(page)
        assert up.fetch("GET", headers["location"])[0] == 200
        up.cookies = SimpleCookie()
        # A second factor's code works once: the same link then waits for the next code.
        assert up.fetch("GET", link)[0] in ({302} if who == "citizen" else {302, 503})
    up.cookies = SimpleCookie()
    assert up.fetch("GET", "/demo/enter/citizen?t=guess")[0] == 404
    assert up.fetch("GET", up.link("citizen").replace("/citizen", "/operator"))[0] == 404
    assert up.fetch("GET", "/demo/enter/nobody?t=")[0] == 404


def test_a_second_sign_in_within_one_code_waits_for_the_next_and_keeps_its_link(up: Up) -> None:
    first, second = up.link("operator"), up.link("operator")
    step = time.time() // 30
    up.fetch("GET", first)
    up.cookies = SimpleCookie()
    link = second
    codes = []

    def signed_in() -> bool:
        status, page, _ = up.fetch("GET", link)
        codes.append(status)
        assert status == 302 or 'http-equiv="refresh" content="3"' in page
        return status == 302

    wait(signed_in, 40, "the link never worked")
    assert codes[0] == 503 or time.time() // 30 > step  # the next code began just between the two


def test_everyones_telephone_is_at_hand_and_nobody_without_an_account_comes_in(up: Up) -> None:
    page = up.fetch("GET", "/demo/phone?who=newcomer")[1]
    assert "Donika Luzi" in page
    assert "/demo/phone/enter" not in page
    assert "/demo/phone/enter" in up.fetch("GET", "/demo/phone?who=admin2")[1]
    assert "govuk-error-summary" in up.fetch("GET", "/demo/phone?who=nobody")[1]

    assert up.post("/demo/phone?who=admin2", "/demo/phone/enter", who="newcomer")[0] == 404
    status, _, headers = up.post("/demo/phone?who=admin2", "/demo/phone/enter", who="admin2")
    assert status == 302, headers
    assert up.fetch("GET", headers["location"])[0] == 200


def test_a_killed_portal_comes_back_and_leaves_a_page_meanwhile(up: Up) -> None:
    before = up.status()["portal"]["pid"]
    os.kill(before, signal.SIGKILL)
    wait(lambda: not alive(before), 5, "the portal is still there")

    status, page, headers = up.fetch("GET", "/my")
    sent, refused, _ = up.fetch("POST", "/appointments/", {"a": "b"})
    front, _, _ = up.fetch("GET", "/about")

    assert (status, sent, front) == (503, 503, 503)
    assert headers["retry-after"] == "2"
    assert "Portali po kthehet" in page
    assert "Asgjë nuk u dërgua" in refused
    style = re.search(r'rel="stylesheet" href="([^"]+)"', page)
    assert style is None or up.fetch("GET", style[1])[0] == 200

    def back() -> bool:
        portal = up.status()["portal"]
        return portal["up"] and portal["pid"] != before

    wait(back, 20, "the portal did not come back")
    assert up.fetch("GET", "/")[0] == 200
    log = (up.home / "run" / "up.log").read_text()
    assert "portal ended (signal SIGKILL)" in log


def test_a_killed_keeper_and_mirror_come_back(up: Up) -> None:
    before = up.status()
    for name in ("keeper", "mirror 2"):
        os.kill(before[name]["pid"], signal.SIGKILL)
    wait(
        lambda: all(
            up.status()[name]["up"] and up.status()[name]["pid"] != before[name]["pid"]
            for name in ("keeper", "mirror 2")
        ),
        20,
        "not back",
    )
    status, _, _ = up.fetch("GET", up.link("citizen"))
    assert status == 302


def test_the_thief_finds_an_office_and_no_citizen(up: Up) -> None:
    up.fetch("GET", up.link("citizen"))
    citizen = json.loads((up.home / "accounts.json").read_text())[0]
    name = citizen["name"]

    _, page, _ = up.fetch("GET", "/demo/thief")
    assert name in page  # the keeper opened the visitor's own name
    status, found, _ = up.post("/demo/thief", "/demo/thief", words=name)
    number = up.post("/demo/thief", "/demo/thief", words=citizen["number"])[1]
    short = up.post("/demo/thief", "/demo/thief", words="ab")[1]
    status_zip, _, _ = up.fetch("GET", "/demo/thief/loot.zip")

    assert status == 200
    times = [int(number) for number in re.findall(r"u gjet (\d+) herë|found (\d+) time", found)[0] if number]
    assert times == [0], found
    control = re.findall(r"(?:u gjet|found) (\d+)", found)
    assert int(control[1]) > 0
    assert re.findall(r"(?:u gjet|found) (\d+)", number)[0] == "0"
    assert "govuk-error-summary" in short
    assert status_zip == 200
    names = zipfile.ZipFile(io.BytesIO(up.raw)).namelist()
    assert "portal/db.sqlite3" in names
    assert any(name.startswith("operators/1/keycopy/") for name in names)
    assert not any(name.startswith(("holders", "keeper", "operators/2")) for name in names)


def test_wiped_and_nothing_lost(up: Up) -> None:
    up.fetch("GET", up.link("citizen"))
    portal = up.status()["portal"]["pid"]
    inode = (up.home / "portal" / "db.sqlite3").stat().st_ino

    status, _, headers = up.post("/my", "/demo/wipe", back="/my/looks")
    assert status == 302
    assert headers["location"] == "/demo/wiped?back=%2Fmy%2Flooks"
    pages: list[str] = []

    def done() -> bool:
        code, page, _ = up.fetch("GET", headers["location"])
        if code == 503:
            pages.append(page)
        return code == 200 and "http-equiv" not in page

    wait(
        done,
        90,
        (up.home / "run" / "wipe.log").read_text() if (up.home / "run" / "wipe.log").exists() else "no log",
    )
    report = up.fetch("GET", headers["location"])[1]
    assert not alive(portal)
    assert (up.home / "portal" / "db.sqlite3").stat().st_ino != inode
    assert any("Rezervimet tuaja janë të sigurta" in page for page in pages)
    assert "Ç'ndodhi" in report or "Çfarë ndodhi" in report
    assert any('http-equiv="refresh" content="1"' in page for page in pages)
    assert (up.home / "portal").stat().st_mode & 0o077 == 0
    assert re.search(r"\b0 (lost|të humbura)", report), report
    assert 'href="/my/looks"' in report
    # the same browser is still signed in: cookie key and sessions came back
    assert up.fetch("GET", "/my/looks")[0] == 200
    assert kulla("rebuild", "--home", up.home, "--compare").returncode == 0


def test_nothing_is_wiped_that_could_not_be_brought_back(up: Up) -> None:
    key, aside = up.home / "holders" / "rebuild.key", up.home / "holders" / "aside"
    inode = (up.home / "portal" / "db.sqlite3").stat().st_ino
    key.rename(aside)
    try:
        status, page, _ = up.post("/", "/demo/wipe", back="/")
    finally:
        aside.rename(key)

    assert status == 409
    assert "rebuild.key is missing" in page
    assert (up.home / "portal" / "db.sqlite3").stat().st_ino == inode


def test_a_wipe_that_cannot_count_deletes_nothing_and_opens_again(up: Up) -> None:
    up.cookies.load("language=en")
    inode = (up.home / "portal" / "db.sqlite3").stat().st_ino
    in_the_way = up.home / "run" / "wipe-now.json"
    in_the_way.mkdir()
    try:
        assert up.post("/", "/demo/wipe", back="/about")[0] == 302
        wait(lambda: "The wipe broke off" in up.fetch("GET", "/demo/wiped")[1], 30, "no word of it")
    finally:
        in_the_way.rmdir()

    page = up.fetch("GET", "/demo/wiped")[1]
    assert "Nothing was deleted" in page
    assert "http-equiv" not in page
    assert up.fetch("GET", "/about")[0] == 200
    assert (up.home / "portal" / "db.sqlite3").stat().st_ino == inode


def test_a_rebuild_that_fails_says_so_and_can_be_tried_again(up: Up) -> None:
    key, right = up.home / "holders" / "rebuild.key", (up.home / "holders" / "rebuild.key").read_text()
    up.cookies.load("language=en")
    before = received(up.home)
    key.write_text("11" * 32 + "\n")
    try:
        assert up.post("/", "/demo/wipe", back="/about")[0] == 302
        wait(lambda: "The rebuild failed" in up.fetch("GET", "/my")[1], 60, "it never failed")
    finally:
        key.write_text(right)
    counted = json.loads((up.home / "run" / "wipe-before.json").read_text())["received"]
    _, page, _ = up.fetch("GET", "/about")
    status, sent, _ = up.fetch("POST", "/demo/wipe", {"back": "/"})
    log = (up.home / "run" / "up.log").read_text()
    assert "are safe" not in page
    assert "at this step: Rebuilding from the mirrors" in page
    assert "The mirrors still hold everything that was received: nothing was deleted there." in page
    assert f"kulla up --home {up.home} --rebuild" in page
    assert (status, "Nothing was sent" in sent) == (503, True)
    assert f"Try again: kulla up --home {up.home} --rebuild" in log
    assert up.status()["portal"]["pid"] is None
    style = re.search(r'rel="stylesheet" href="([^"]+)"', page)
    assert style is None or up.fetch("GET", style[1])[0] == 200

    again = kulla("up", "--home", up.home, "--rebuild")
    assert again.returncode == 0, again.stderr
    wait(lambda: up.fetch("GET", "/demo/wiped")[0] == 200, 60, "the second try did not end")
    report = up.fetch("GET", "/demo/wiped")[1]
    assert "0 lost" in report
    assert f"Of {len(counted)} entries" in report  # of before the first try, not of the ruins
    assert len(before) > 0
    assert len(counted) >= len(before)
    assert before <= received(up.home)
    assert not (up.home / "run" / "wipe-before.json").exists()
    assert kulla("up", "--home", up.home, "--rebuild").returncode == 2


def received(home: Path) -> set[str]:
    """The entries that the portal's database calls received."""
    with contextlib.closing(sqlite3.connect(home / "portal" / "db.sqlite3")) as database:
        return {uuid for (uuid,) in database.execute("SELECT uuid FROM record_entry")}


def test_a_wipe_is_refused_without_a_form_of_ours(up: Up) -> None:
    status, _, _ = up.fetch("POST", "/demo/wipe", {"back": "/"})

    assert status in {400, 403}
    assert (up.home / "portal" / "db.sqlite3").exists()


def test_a_living_country_is_not_rebuilt(up: Up) -> None:
    refused = kulla(
        "rebuild",
        "--home",
        up.home,
        "--keys",
        up.home / "holders",
        "--from",
        up.home / "operators" / "1",
        "--replace",
    )

    assert refused.returncode == 2
    assert refused.stderr == "kulla rebuild: The keeper of this home is running; stop it first.\n"


def test_stop_is_quick_and_leaves_nothing_then_a_second_start_is_quick_too(up: Up) -> None:
    pids = up.pids()
    assert len(pids) >= 6

    assert stop(up) < 5
    assert not any(map(alive, pids))

    began = time.monotonic()
    again = start(up.home)
    try:
        assert time.monotonic() - began < 5
        pids = again.pids()
        again.process.kill()
        again.process.communicate(timeout=10)
        # Long enough for a disk that other tests keep busy: a process is gone only after its last write.
        wait(lambda: not any(map(alive, pids)), 30, f"some of {pids} are left")
    finally:
        if again.process.poll() is None:
            again.process.kill()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("keeper/keeper.json", "{", "The keeper does not start: ended (exit code "),
        ("holders/root.key", "11" * 32, "The keeper does not start: ended (exit code "),
        ("policy", "quorum nobody", "/policy is broken. Line 1 of the policy: nobody is not defined above."),
    ],
)
def test_a_home_that_cannot_run_ends_with_the_cause(stopped: Up, file: str, text: str, said: str) -> None:
    path = stopped.home / file
    right = path.read_text()
    path.write_text(text)
    try:
        refused = kulla("up", "--home", stopped.home, "--port", "0", timeout=40)
    finally:
        path.write_text(right)

    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr


def rebuild(home: Path, *numbers: str, replace: bool = True) -> subprocess.CompletedProcess[str]:
    sources = [argument for number in numbers for argument in ("--from", home / "operators" / number)]
    more = ["--replace"] if replace else []
    return kulla("rebuild", "--home", home, "--keys", home / "holders", *sources, *more)


def test_what_is_left_is_not_overwritten_and_what_is_missing_is_named(stopped: Up, tmp_path: Path) -> None:
    home = stopped.home

    for refused, said in (
        (rebuild(home, "1", "2", replace=False), "is not empty; --replace moves it aside"),
        (rebuild(home, "9"), "is not an operator's folder"),
        (kulla("rebuild", "--home", home), "needs --keys HOLDERS"),
        (
            kulla("rebuild", "--home", home, "--keys", tmp_path, "--from", home / "operators" / "1"),
            "is missing",
        ),
        (kulla("rebuild", "--home", home, "--compare"), "give the holders' keys"),
    ):
        assert refused.returncode == 2
        assert said in refused.stderr
    assert (home / "portal" / "db.sqlite3").exists()


def test_one_operator_brings_it_back_and_the_gap_is_stated(stopped: Up) -> None:
    home = stopped.home
    rebuilt = rebuild(home, "3")

    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "Only one key copy was read" in rebuilt.stdout
    assert "Only one operator's copy was given" in rebuilt.stdout
    assert list((home / "replaced").glob("*/portal/db.sqlite3"))
    early = kulla("rebuild", "--home", home, "--compare", "--keys", home / "holders")
    assert (
        "cosigned by 1 of 3" in early.stderr
    )  # nothing is promised again before two mirrors have confirmed it
    again = start(home)
    try:
        wait(
            lambda: kulla("rebuild", "--home", home, "--compare").returncode == 0,
            20,
            "not level with the journal",
        )
    finally:
        stop(again)


def test_a_row_changed_behind_the_journals_back_is_named(stopped: Up) -> None:
    home = stopped.home
    with contextlib.closing(sqlite3.connect(home / "portal" / "db.sqlite3")) as database:
        for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'appointments_office'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE appointments_office SET town = 'Nowhere' WHERE rowid = 1")
        database.commit()

    compared = kulla("rebuild", "--home", home, "--compare", "--keys", home / "holders")

    assert compared.returncode == 1
    assert re.search(r"appointments_office \S+ was changed .*'Nowhere'", compared.stdout)
