"""What a measurement does inside a country's environment; a process of its own, JSON on standard output.

Usage: python -m bench.inside TASK ARGUMENTS… with KULLA_HOME and the rest in the environment.
"""
# ruff: noqa: PLC0415 - Django reads its settings when its parts are imported: each task imports what it needs

import json
import os
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import django

# Portals keep their database connections; so does a measurement of what a portal does.
PASSWORD = "bench"  # noqa: S105
SEED = 77


def _people(count: int) -> list[Any]:
    """The same invented people in each process, other ones than the country's own."""
    from kulla.demo.people import Generator, places

    made = Generator(SEED, date(2026, 1, 1), places()).people(count * 3)
    return [person for person in made if not person.guardian_numbers][:count]


def people(count: str) -> int:
    """Put people with passwords into the register; the mirrors run, the keeper does not."""
    from kulla.keeper import admin

    home = Path(os.environ["KULLA_HOME"])
    invented = _people(int(count))
    with admin.open_keeper(home / "keeper") as keeper:
        keeper.import_people(person.row for person in invented)
        for person in invented:
            keeper.set_password(person.number, PASSWORD)
    return len(invented)


def forms(count: str, each: str, path: str) -> int:
    """Sign everybody in and fill in `each` booking forms for each: other kinds of care, free times."""
    from django.middleware.csrf import _get_new_csrf_string  # the secret that a page's form carries

    from kulla.registry import cookie
    from kulla.registry.door import keeper
    from kulla.services.appointments import desks, queries
    from kulla.services.appointments.models import Practitioner

    now = datetime.now(UTC)
    known = desks.read(Practitioner.objects.filter(active=True).select_related("office"))
    free = queries.free_days(known, queries.today(now) + timedelta(days=1), queries.HORIZON_DAYS - 1, now)
    chance = random.Random(SEED)
    times: dict[str, deque[tuple[UUID, datetime]]] = {}
    for desk in known:
        slots = [slot.starts_at for day in free.get(desk.practitioner, []) for slot in day.slots]
        times.setdefault(desk.specialty, deque()).extend((desk.practitioner, start) for start in slots)
    for specialty, found in times.items():
        mixed = list(found)
        chance.shuffle(mixed)
        times[specialty] = deque(mixed)
    made = []
    for number, person in enumerate(_people(int(count))):
        session = keeper().sign_in(
            person.number, PASSWORD, network=f"10.{number >> 8 & 255}.{number & 255}.0/24", device="bench"
        )
        pseudonym = keeper().enter(session.token, "appointments", tickets=1).person
        kinds = chance.sample(sorted(times), min(int(each), len(times)))
        sealed, csrf = cookie.seal(session.token), _get_new_csrf_string()
        for kind in kinds:
            if not times[kind]:
                continue
            practitioner, start = times[kind].popleft()
            fields = {
                "practitioner": str(practitioner),
                "starts": str(int(start.timestamp())),
                "key": str(uuid4()),
                "person": str(pseudonym),
                "reason": "",
                "do": "book",
            }
            made.append({"cookie": sealed, "csrf": csrf, "fields": fields})
    chance.shuffle(made)
    Path(path).write_text(json.dumps(made))
    return len(made)


def statements(text: str) -> int:
    """SQL statements of one booking by someone who has been here before (the first one warms up)."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    count = 0
    for form in json.loads(text):
        client = Client(SERVER_NAME="127.0.0.1")
        client.cookies["kulla"] = form["cookie"]
        with CaptureQueriesContext(connection) as captured:
            answer = client.post("/appointments/book/", form["fields"])
        assert answer.status_code == 303, f"{answer.status_code}: {answer.content.decode()[:2000]}"
        count = len(captured)
    return count


# -- journal -----------------------------------------------------------------------------------------------------


def fill(count: str) -> int:
    """Fill the outbox with entries of two rows each: real ones, made from one that the actions recorded."""
    from django.db import connection

    from kulla.record import sequencer
    from kulla.services.appointments.offices import OfficeData, PractitionerData, open_office

    office = OfficeData(
        id=uuid4(),
        name="Poliklinika",
        kind="clinic",
        town="Tiranë",
        latitude=41_326_873,
        longitude=19_818_791,
    )
    doctor = PractitionerData(name="Dr. Mira Hoxha", specialty="gp", hours=())
    open_office(actor="job:bench", office=office, practitioners=[doctor])
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM record_outbox")
        columns = [column.name for column in cursor.description]
        (row,) = cursor.fetchall()
        template = dict(zip(columns, row, strict=True))
        lines = [json.loads(line) for line in template["images"].splitlines()]
        assert len(lines) == 2, f"an entry of {len(lines)} rows"
        ids = [line[2]["id"] for line in lines]
        cursor.execute("BEGIN")
        with cursor.copy(f"COPY record_outbox ({', '.join(columns)}) FROM STDIN") as copy:
            for _ in range(int(count) - 1):
                images = template["images"]
                for old in ids:
                    images = images.replace(old, str(uuid4()))
                copy.write_row([(template | {"uuid": uuid4(), "images": images})[name] for name in columns])
        cursor.execute("COMMIT")
        cursor.execute("SELECT count(*) FROM record_outbox")
        found: int = cursor.fetchone()[0]
    assert not sequencer.is_leader()
    return found


def sequence() -> dict[str, float]:
    """Bring the whole outbox into the journal with the real sequencer; entries and seconds."""
    from django.conf import settings

    from kulla.journal.store import LogFolder
    from kulla.record import sequencer
    from kulla.registry.door import keeper

    folder = LogFolder(settings.KULLA_JOURNAL_DIR)
    done = count = 0
    with folder.lock():
        rounds = sequencer._from_settings(folder, keeper)
        rounds.step()  # levels the tables with the journal
        began = time.perf_counter()
        while (step := rounds.step()) or not done:
            done += step
            count += bool(step)
            assert time.perf_counter() - began < 120, "the mirrors do not confirm"
        seconds = time.perf_counter() - began
    return {"entries": done, "rounds": count, "seconds": seconds}


def steady(rate: str, seconds: str) -> dict[str, float]:
    """Record `rate` entries a second; ms from each commit until its receipt exists, as percentiles."""
    from django.db import connection

    from kulla.record import api, sequencer
    from kulla.record.models import Look
    from kulla.registry.door import keeper

    threads = sequencer.start(keeper=keeper)
    assert threads.leading.wait(20)
    committed: dict[UUID, float] = {}
    received: dict[UUID, float] = {}
    stop = threading.Event()
    total = int(rate) * int(seconds)
    home = uuid4()
    begin = time.perf_counter() + 2.0
    turns = iter(range(total))
    turn = threading.Lock()

    def record() -> None:
        while True:
            with turn:
                number = next(turns, None)
            if number is None:
                return
            time.sleep(max(0.0, begin + number / int(rate) - time.perf_counter()))
            with api.entry("keeper.looked", key=(uuid := uuid4()), actor="job:bench"):
                Look.objects.create(home=home, seq=10_000_000 * int(rate) + number, sealed=b"\0" * 300)
            committed[uuid] = time.perf_counter()

    def watch() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(idx), -1) FROM record_entry")
            last = cursor.fetchone()[0]
            while not stop.is_set():
                cursor.execute("SELECT uuid, idx FROM record_entry WHERE idx > %s ORDER BY idx", [last])
                now = time.perf_counter()
                for uuid, index in cursor.fetchall():
                    received[uuid], last = now, index
                time.sleep(0.004)

    watcher = threading.Thread(target=watch)
    watcher.start()
    writers = [threading.Thread(target=record) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    until = time.perf_counter() + 20
    while len(committed.keys() & received.keys()) < total and time.perf_counter() < until:
        time.sleep(0.02)
    stop.set()
    watcher.join()
    late = [uuid for uuid in committed if uuid not in received]
    assert not late, f"{len(late)} of {total} entries have no receipt"
    waits = sorted((received[uuid] - at) * 1000 for uuid, at in committed.items())
    took = max(committed.values()) - begin
    return {
        "p50_ms": waits[len(waits) // 2],
        "p99_ms": waits[len(waits) * 99 // 100],
        "max_ms": waits[-1],
        "rate": total / took,
    }


def rebuild(home: str) -> dict[str, float]:
    """Rebuild the journal and the tables of `home` into this process's own, empty home, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from django.conf import settings

    from kulla.journal.policy import Policy
    from kulla.record.rebuild import rebuild as rebuild_record

    lost = Path(home)
    (settings.KULLA_HOME / "portal").mkdir(parents=True)
    began = time.perf_counter()
    report = rebuild_record(
        mirrors=[lost / "operators" / number for number in "12"],
        rebuild_key=bytes.fromhex((lost / "holders" / "rebuild.key").read_text()),
        policy=Policy.parse((lost / "policy").read_text()),
        journal=settings.KULLA_JOURNAL_DIR,
    )
    seconds = time.perf_counter() - began
    return {"entries": report.size, "rows": sum(report.rows.values()), "seconds": seconds}


def copy() -> dict[str, float]:
    """Bare COPY of every row of the kept tables and of the entries into the same tables, emptied; on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from django.db import connection

    from kulla.record import images, triggers

    names = ["record_entry", *images.shapes()]
    rows, seconds = 0, 0.0
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        triggers.drop()
        texts = {}
        for name in names:
            with cursor.copy(f'COPY "{name}" TO STDOUT') as out:
                texts[name] = b"".join(bytes(part) for part in out)
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in names) + " CASCADE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        began = time.perf_counter()
        for name in names:
            with cursor.copy(f'COPY "{name}" FROM STDIN') as into:
                into.write(texts[name])
            rows += cursor.rowcount
        cursor.execute("COMMIT")
        seconds = time.perf_counter() - began
    return {"rows": rows, "seconds": seconds}


def compare(home: str) -> dict[str, float]:
    """Compare this process's tables with their journal, on one core, with the holders' key of `home`."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from django.conf import settings

    from kulla.journal.policy import Policy
    from kulla.journal.segment import open_segment_key
    from kulla.record.compare import run

    private = X25519PrivateKey.from_private_bytes(
        bytes.fromhex((Path(home) / "holders" / "rebuild.key").read_text())
    )
    differences: list[str] = []
    done = run(
        journal=settings.KULLA_JOURNAL_DIR,
        policy=Policy.parse((Path(home) / "policy").read_text()),
        segment_key=lambda header: open_segment_key(header, private),
        say=differences.append,
    )
    if differences:
        raise SystemExit(f"{len(differences)} differences, the first: {differences[0]}")
    return {"entries": done.entries, "rows": done.rows, "seconds": done.took_s}


TASKS: dict[str, Callable[..., Any]] = {
    "people": people, "forms": forms, "statements": statements, "fill": fill, "sequence": sequence, "steady": steady,
    "rebuild": rebuild, "compare": compare, "copy": copy,
}  # fmt: skip

if __name__ == "__main__":
    django.setup()
    answer = TASKS[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # threads that poll have nothing to finish
