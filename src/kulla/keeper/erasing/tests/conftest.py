"""A keeper in this process with three real copies; officers, a court; clocks that the test moves."""

import http.client
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from kulla.journal.ids import now_ms
from kulla.journal.note import Signer, sign_note
from kulla.journal.tombstone import DAY, assemble, note_text, sign
from kulla.keeper.admin import Admin, make_root_key, open_keeper, record_vkey
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.my_data.tests.conftest import MINISTRY, OFFICIALS, STATE
from kulla.keeper.sessions import Live
from kulla.keeper.testkit import ARTA, OFFICE_1, RunningKeeper, invented, start_keeper, stop_keeper
from kulla.mirror.testkit import RunningMirror, start_mirrors

ORIGIN = "test.kulla.example/journal"
OFFICERS = [Signer.generate(f"officer-{n}.test.kulla.example") for n in (1, 2)]
COURT = Signer.generate("court.test.kulla.example")


@dataclass
class Lab:
    """The country, its keeper, and who acts."""

    running: RunningKeeper
    mirrors: list[RunningMirror]
    ahead: list[int]
    keepers: list[Keeper] = field(default_factory=list)

    @property
    def keeper(self) -> Keeper:
        return self.keepers[-1]

    def open(self) -> None:
        self.keepers.append(
            Keeper(load(self.running.keeper_home / "keeper.json"), lambda: now_ms() + self.ahead[0])
        )
        assert self.keeper.wait_ready(30)
        self.keeper.serve()

    def close(self) -> None:
        self.keepers.pop().close()

    def person(self, identifier: str) -> UUID:
        found = self.keeper.people.by_marks(self.keeper.people.sign_in_marks(identifier))
        assert found
        return found

    def live(self, identifier: str, role: str = "citizen", office: UUID | None = None) -> Live:
        return Live(uuid4().hex, self.person(identifier), role, office, "sq", self.keeper.clock())

    def official(self, name: str) -> Live:
        return self.live(*OFFICIALS[name])

    def agree(self, number: str = ARTA.number) -> UUID:
        """Somebody asks for erasure, and two registrars agree."""
        erasures, keeper = self.keeper.my_data.erasures, self.keeper
        request = erasures.ask(self.live(number), "Largohem.", everything=True)
        keeper.looks.confirm(1 << 62)
        erasures.open(self.official("registrar"), request)
        erasures.decide(self.official("registrar"), request, yes=True, reason="Neni 17")
        [asked] = keeper.approvals.open_for(self.official("registrar2"))
        keeper.approvals.answer(self.official("registrar2"), asked.id, yes=True)
        return request

    def unsigned(self) -> list[Path]:
        """The tombstones that were drawn up."""
        return sorted((self.running.keeper_home / "erasure").glob("*.unsigned"))

    def send(self, *paths: Path, to: list[int] | None = None, officers: list[Signer] = OFFICERS) -> list[int]:
        """The officers sign tombstones and send them to the copies; the statuses that came back."""
        statuses = []
        for path in paths:
            data = path.read_bytes()
            stone = assemble(data, {each.name: sign(data, each.key) for each in officers})
            statuses += [post(self.mirrors[n], "/keycopy/schedule-destroy", stone) for n in (to or range(3))]
        return statuses

    def note(self, kind: str, ident: str, signer: Signer) -> list[int]:
        note = sign_note(note_text(kind, ident, "case 7"), signer.sign).encode()
        return [post(mirror, "/keycopy/hold", note) for mirror in self.mirrors]

    def days_later(self, days: int, *, only: list[int] | None = None) -> None:
        """Every clock is so many days ahead of today; the copies are restarted, the keeper goes on."""
        self.ahead[0] = days * DAY
        for number in range(3) if only is None else only:
            mirror = self.mirrors[number]
            mirror.stop()
            path = mirror.home / "operator.json"
            raw = json.loads(path.read_text()) | {"demo": True, "clock_ahead_s": days * DAY // 1000}
            path.write_text(json.dumps(raw))
            mirror.start()
        assert self.keeper.copies.wait(self.keeper.records.last, 30)

    def tend(self) -> None:
        self.keeper.erasing.tend(now=True)


def post(mirror: RunningMirror, path: str, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", mirror.port, timeout=20)
    try:
        connection.request("POST", path, body)
        return connection.getresponse().status
    finally:
        connection.close()


def _fill(admin: Admin) -> None:
    admin.add_office(STATE, "Republika", kind="state")
    admin.add_office(MINISTRY, "Ministria", kind="ministry", parent=STATE)
    admin.add_office(OFFICE_1, "Poliklinika Nr. 1, Tiranë", parent=MINISTRY)
    for name in ("registrar", "registrar2"):
        identifier, role, office = OFFICIALS[name]
        admin.add_official(f"Zyrtari {name}", office, role, identifier, "fjalëkalim-i-gjatë-7")


@pytest.fixture
def lab() -> Iterator[Lab]:
    folder = Path(tempfile.mkdtemp(prefix="k-"))
    mirrors = start_mirrors(
        folder / "operators",
        origin=ORIGIN,
        keeper_vkey=record_vkey(make_root_key(folder / "holders")),
        officers=[each.vkey for each in OFFICERS],
        hold_issuers=[COURT.vkey],
    )
    running = start_keeper(
        folder,
        invented(5),
        mirrors=mirrors,
        start=False,
        erasure_officers=[each.vkey for each in OFFICERS],
        budgets={"official_hour": 100_000, "official_day": 100_000},
    )
    made = Lab(running, mirrors, [0])
    try:
        with open_keeper(running.keeper_home) as admin:
            _fill(admin)
        made.open()
        yield made
        if made.keepers:
            made.close()
    finally:
        stop_keeper(running)
        shutil.rmtree(folder, ignore_errors=True)
