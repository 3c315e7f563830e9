"""Bookings a second over HTTP, as a share of what the same PostgreSQL does at most; statements of one booking.

The whole country runs: PostgreSQL with fsync, the portal under granian, keeper, three mirrors. People are signed
in beforehand; each request is one citizen's real form post, and only a 303 to a receipt counts. The rows that
the portal says it booked are counted in the database and, in the end, in the journal.
"""

import json
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from tests.postgres import Server

from bench import limit
from bench.town import POSTGRES, Town, say

PEOPLE = 1000
EACH = 8  # bookings of one person at most: one live booking a kind of care
WORKERS = 2
THREADS = 8
CONNECTIONS = 32
WARM_S = 4.0
SECONDS = 15.0


def figures() -> Iterator[tuple[str, float]]:
    """limit.pgbench_tps, booking.http_vs_limit, booking.sql_statements."""
    with Server(POSTGRES) as server:
        before = limit.measure(server)
        with Town(40, server) as town:
            prepare(town)
            statements, per_second = measure(town)
            most = (before + limit.measure(server)) / 2
            yield "limit.pgbench_tps", most
            yield "booking.http_per_s", per_second
            yield "booking.http_vs_limit", per_second / most
            yield "booking.sql_statements", statements


def prepare(town: Town) -> None:
    """Mirrors and keeper run; people are in the register."""
    town.start_mirrors()
    began = time.monotonic()
    town.inside("bench.inside", "people", PEOPLE)
    say(f"  {PEOPLE} people with passwords in the register in {time.monotonic() - began:.0f} s")
    town.start_keeper()


def measure(town: Town) -> tuple[float, float]:
    """SQL statements of one booking, bookings a second."""
    began = time.monotonic()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        town.inside("bench.inside", "forms", PEOPLE, EACH, file.name)
        forms = json.loads(Path(file.name).read_text())
    say(f"  {len(forms)} forms of signed-in citizens in {time.monotonic() - began:.0f} s")
    # Three at one practitioner: the first reads the diary, as one in many does; the last is the usual case.
    usual = [form for form in forms if form["fields"]["practitioner"] == forms[0]["fields"]["practitioner"]][
        :3
    ]
    statements = town.inside("bench.inside", "statements", json.dumps(usual))
    port = town.start_portal(WORKERS, THREADS)
    requests = [request(form, port) for form in forms if form not in usual]
    warm = int(len(requests) * WARM_S / (WARM_S + SECONDS))
    say(f"  warming up: {load(port, requests[:warm], WARM_S)[0]:.0f} bookings a second")
    before, used = booked(town), town.processor_seconds()
    rate, result = load(port, requests[warm:], SECONDS)
    shares = {name: seconds - used[name] for name, seconds in town.processor_seconds().items()}
    say("  processor: " + ", ".join(f"{name} {100 * one / SECONDS:.0f} %" for name, one in shares.items()))
    counted = booked(town) - before
    answered = int(result["statuses"].get("303", 0))  # type: ignore[attr-defined]
    assert counted == answered, f"{answered} bookings were acknowledged, {counted} are in the database"
    say(
        f"  {answered} bookings, {rate:.0f} a second, p50 {result['p50_ms']:.0f} ms, p99 {result['p99_ms']:.0f} ms"
    )
    wait_received(town)
    town.stop("portal")
    return float(statements), rate


def request(form: dict[str, str], port: int) -> bytes:
    """One citizen's form post as bytes."""
    body = urlencode({"csrfmiddlewaretoken": form["csrf"], **form["fields"]}).encode()  # type: ignore[dict-item]
    head = (
        f"POST /appointments/book/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Cookie: kulla={form['cookie']}; csrftoken={form['csrf']}; language=sq\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def load(port: int, requests: list[bytes], seconds: float) -> tuple[float, dict[str, object]]:
    """Answers 303 a second, and the generator's report. Raises AssertionError when anything else was answered."""
    data = b"".join(struct.pack(">I", len(one)) + one for one in requests)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "bench.load", str(port), str(CONNECTIONS), str(seconds)],
        input=data,
        stdout=subprocess.PIPE,
        timeout=seconds + 60,
        check=True,
    )
    result = json.loads(done.stdout)
    good = result["statuses"].get("303", 0)
    others = sum(result["statuses"].values()) - good
    assert good and others <= good // 100, f"{result['statuses']}: {json.dumps(result['sample'])[:3000]}"
    return good / result["seconds"], result


def booked(town: Town) -> int:
    """Appointments in the database."""
    return int(town.server.psql("SELECT count(*) FROM appointments_appointment", "kulla"))


def wait_received(town: Town, seconds: float = 60) -> None:
    """Until every booking is in the journal. Raises AssertionError."""
    began = time.monotonic()
    while int(town.server.psql("SELECT count(*) FROM record_outbox", "kulla")):
        assert time.monotonic() - began < seconds, "the sequencer did not catch up"
        time.sleep(0.1)
    say(f"  all received {time.monotonic() - began:.1f} s after the last booking")
