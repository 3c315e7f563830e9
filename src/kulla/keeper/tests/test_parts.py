"""Small parts by themselves: records, windows, waits, numbers."""

from datetime import date
from pathlib import Path

import pytest

from kulla.keeper.attempts import Attempts, truncate_network
from kulla.keeper.budgets import Budgets
from kulla.keeper.config import Argon2, Limits, load
from kulla.keeper.errors import ConfigError, RecordsBroken, Refusal
from kulla.keeper.hashing import Hasher
from kulla.keeper.keys import KeyRing, WrappedKey, expand
from kulla.keeper.numbers import BadNumber, al, scheme
from kulla.keeper.records import Record, RecordFile, Sealer, parse
from kulla.keeper.testkit import OFFICE_1, OFFICE_2


class Root:
    """A root key in memory."""

    kind = "test"

    def __init__(self, key: bytes = b"k" * 32) -> None:
        self._key = key

    def derive(self, purpose: str) -> bytes:
        return expand(self._key, purpose)


SEALER = Sealer(Root())


def chain(count: int, file: RecordFile) -> list[Record]:
    records: list[Record] = []
    seq, before = file.last, file.last_hash
    for number in range(count):
        records.append(SEALER.seal(seq + number + 1, bytes(16), before, {"type": "office", "n": number}))
        before = records[-1].hash
    return records


# Records -----------------------------------------------------------------------------------------------


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "r")
    records = chain(50, file)
    file.append(records[:20])
    file.append(records[20:])
    file.close()
    file = RecordFile(tmp_path / "r")
    assert file.last == 50
    assert file.read(1) == records
    assert file.read(50) == records[49:]
    assert file.read(51) == file.read(0) == []
    assert [record.seq for record in file.read(7, 1)] == [7]
    assert SEALER.open(records[3])["n"] == 3
    file.close()


def test_a_record_that_does_not_continue_is_not_written(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "r")
    records = chain(3, file)
    for wrong in (records[1:], [records[0], records[2]], [records[0], records[0]]):
        with pytest.raises(RecordsBroken):
            file.append(wrong)
    assert file.last == 0
    file.close()


@pytest.mark.parametrize("cut", [1, 3, 50, 100])
def test_a_torn_end_is_set_aside(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "r"
    file = RecordFile(path)
    file.append(chain(3, file))
    file.close()
    path.write_bytes(path.read_bytes()[:-cut])
    file = RecordFile(path)
    assert file.last == 2
    assert len(list(tmp_path.glob("r.torn-*"))) == 1
    file.append(chain(1, file))
    assert file.last == 3
    file.close()


def test_what_a_damaged_disk_shows_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "r"
    file = RecordFile(path)
    records = chain(3, file)
    file.append(records)
    file.close()
    data = bytearray(path.read_bytes())
    data[4 + len(records[0].raw) + 60] ^= 1
    path.write_bytes(data)
    file = RecordFile(path)
    assert file.last == 1, "the copies have the rest"
    file.close()


def test_a_record_opens_only_in_its_place_and_under_its_key(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "r")
    first, second = chain(2, file)
    file.close()
    with pytest.raises(RecordsBroken):
        Sealer(Root(b"x" * 32)).open(first)
    with pytest.raises(RecordsBroken):
        SEALER.open(Record(second.seq, second.id, second.before, first.raw))
    with pytest.raises(RecordsBroken):
        parse(first.raw[:-1])
    with pytest.raises(RecordsBroken):
        parse(b"\x02" + first.raw[1:])
    with pytest.raises(RecordsBroken):
        parse(b"")


# Keys --------------------------------------------------------------------------------------------------


def ring() -> KeyRing:
    made = KeyRing(Root())
    made.add_year(2026, made.wrap_system("year:2026", b"y" * 32))
    return made


def test_a_data_key_opens_for_its_person_and_class_only() -> None:
    keys = ring()
    key, _ = keys.make_data_key(OFFICE_1, "identity", 2026)
    assert len(keys.open_data_key(key)) == 32
    fields = vars(key)
    for change in (
        {"person": OFFICE_2},
        {"retention": "services"},
        {"year": 2025},
        {"commitment": bytes(32)},
        {"id": bytes(16)},
    ):
        with pytest.raises(RecordsBroken):
            keys.open_data_key(WrappedKey(**{**fields, **change}))


def test_a_system_key_opens_under_its_name_only() -> None:
    keys = ring()
    wrapped = keys.wrap_system("token", b"s" * 32)
    assert keys.unwrap_system("token", wrapped) == b"s" * 32
    with pytest.raises(RecordsBroken):
        keys.unwrap_system("lookup", wrapped)


# Budgets -----------------------------------------------------------------------------------------------


def budgets(**limits: int) -> tuple[Budgets, list[int]]:
    now = [1_000_000_000]
    return Budgets(Limits(**limits), lambda: now[0]), now


def test_an_hour_slides() -> None:
    limited, now = budgets(official_hour=20)
    assert limited.take(OFFICE_1, None, 10) is None
    now[0] += 1_800_000
    assert limited.take(OFFICE_1, None, 10) is None
    assert limited.take(OFFICE_1, None, 10) == now[0] + 1_800_000
    assert limited.take(OFFICE_1, None, 0) is None, "what costs nothing always fits"
    now[0] += 1_800_000
    assert limited.take(OFFICE_1, None, 10) is None
    assert limited.take(OFFICE_1, None, 10) is not None


@pytest.mark.parametrize(
    "limits",
    [{"official_day": 20}, {"office_hour": 20}, {"office_day": 20}, {"global_hour": 20}, {"global_day": 20}],
)
def test_each_ceiling_closes_and_a_refusal_spends_nothing(limits: dict[str, int]) -> None:
    limited, now = budgets(**limits)
    officials = [OFFICE_1, OFFICE_1] if "official_day" in limits else [OFFICE_1, OFFICE_2]
    for official in officials:
        assert limited.take(official, OFFICE_1, 10) is None
    until = limited.take(OFFICE_1, OFFICE_1, 10)
    assert until is not None
    assert limited.take(OFFICE_1, OFFICE_1, 10) == until
    now[0] = until
    assert limited.take(OFFICE_1, OFFICE_1, 10) is None


def test_a_cost_above_the_ceiling_never_fits() -> None:
    limited, now = budgets(official_hour=5)
    assert limited.take(OFFICE_1, None, 10) is not None
    now[0] += 10**9
    assert limited.take(OFFICE_1, None, 10) is not None


def test_the_defaults_are_those_of_the_promise() -> None:
    assert (Limits().official_hour, Limits().official_day) == (150, 600)


# Attempts ----------------------------------------------------------------------------------------------


def waits(attempts: Attempts, account: bytes, network: bytes, *, known: bool, tries: int = 60) -> list[int]:
    """What the keeper says to so many tries at once: 0 where it would look at the password."""
    found = []
    for _ in range(tries):
        try:
            attempts.check(account, network, known=known)
            found.append(0)
        except Refusal as refusal:
            found.append(refusal.details["retry_after_s"])
    return found


class Stopwatch:
    """time.monotonic for tests of waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    stopwatch = Stopwatch()
    monkeypatch.setattr("kulla.keeper.attempts.time", stopwatch)
    return stopwatch


def test_success_forgets_and_others_stay_slow() -> None:
    attempts = Attempts()
    assert [wait > 0 for wait in waits(attempts, b"arta", b"net1", known=False, tries=7)] == [False] * 5 + [
        True
    ] * 2
    attempts.check(b"arta", b"net2", known=False)
    attempts = Attempts()
    for _ in range(5):
        counted = attempts.check(b"arta", b"net1", known=False)
    attempts.password_right(counted)
    attempts.check(b"arta", b"net1", known=False)


def test_an_account_of_ones_own_buys_no_guesses_at_others() -> None:
    attempts, slowed = Attempts(), 0
    for number in range(230):
        attempts.password_right(attempts.check(b"own", b"net", known=True))
        slowed += sum(map(bool, waits(attempts, f"other {number}".encode(), b"net", known=False, tries=1)))
    assert slowed == 30


@pytest.mark.parametrize(("neighbours", "longest"), [(0, 30), (4, 30), (5, 8), (40, 8)])
def test_the_owner_waits_seconds_however_long_a_stranger_beside_them_guesses(
    watch: Stopwatch, neighbours: int, longest: int
) -> None:
    attempts = Attempts()
    for number in range(neighbours):
        attempts.signed_in(f"neighbour {number}".encode(), b"one house")
    for _ in range(60):  # the stranger tries again as soon as it is allowed
        waits(attempts, b"arta", b"one house", known=True, tries=7)
        watch.now += 31
    waits(attempts, b"arta", b"one house", known=True, tries=7)
    [owner] = waits(attempts, b"arta", b"one house", known=True, tries=1)
    assert owner == longest + 1
    watch.now += owner
    assert waits(attempts, b"arta", b"one house", known=True, tries=1) == [0]


def test_neighbours_of_yesterday_do_not_count(watch: Stopwatch) -> None:
    attempts = Attempts()
    for number in range(9):
        attempts.signed_in(f"neighbour {number}".encode(), b"one house")
    watch.now += 3601
    for _ in range(12):
        waits(attempts, b"arta", b"one house", known=True, tries=1)
        watch.now += 31
    assert waits(attempts, b"arta", b"one house", known=True, tries=2)[1] == 31


def test_no_wait_is_longer_than_its_cap() -> None:
    attempts = Attempts()
    for number in range(500):
        assert waits(attempts, b"arta", f"net{number}".encode(), known=False, tries=1)[0] <= 11
    attempts.check(b"arta", b"home", known=True)


def test_codes_are_slowed_for_the_account_wherever_they_come_from(watch: Stopwatch) -> None:
    """A thief with the password guesses codes from many networks: at most 12 an hour once it is slowed down."""
    attempts, tried = Attempts(), 0
    for _ in range(4 * 3600):
        try:
            attempts.check_code(b"vjosa")
            tried += 1
        except Refusal:
            pass
        watch.now += 1
    assert tried < 70
    watch.now += 301
    attempts.check_code(b"vjosa")
    attempts.signed_in(b"vjosa", b"office")
    for _ in range(5):
        attempts.check_code(b"vjosa")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_networks_are_truncated(address: str, network: str) -> None:
    assert truncate_network(address) == network


# Numbers and settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("J01105001A", date(1990, 11, 5), "m"),
        ("i85514123k", date(1988, 5, 14), "f"),
        (" K 4 0229 001-W", date(2004, 2, 29), "m"),
        ("995614321B", date(1899, 6, 14), "f"),
    ],
)
def test_numbers_of_albania(number: str, born: date, sex: str) -> None:
    canonical = scheme("al").normalise(number)
    assert (al.birth_date(canonical), al.sex(canonical)) == (born, sex)
    assert al.make(born, sex, int(canonical[6:9]), canonical[9]) == canonical


@pytest.mark.parametrize(
    "number",
    [
        "",
        "J0110500A",
        "J01105001X",
        "J011050011",
        "U01105001A",
        "J01305001A",
        "J06305001A",
        "K30229001A",
        "J01105000A",
        "J01105001Ä",
        "٠01105001A",
    ],
)
def test_what_is_no_number_of_albania(number: str) -> None:
    with pytest.raises(BadNumber) as caught:
        al.normalise(number)
    assert not number or number not in str(caught.value)


COPY = '"origin": "x", "socket": "s", "root_key": "k", "copies": [{"name": "a", "url": "b"}]'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"origin": "x", "socket": "s", "root_key": "k", "copies": []}',
        "{" + COPY + ', "budgets": {"hour": 1}}',
        "{" + COPY + ', "argon2": {"time": "much"}}',
        "{" + COPY + ', "clock_ahead_s": 60}',  # no demo
        "{" + COPY + ', "demo": true, "clock_ahead_s": -60}',
    ],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keeper.json").write_text(text)
    with pytest.raises(ConfigError):
        load(tmp_path / "keeper.json")
    with pytest.raises(ConfigError):
        load(tmp_path / "missing.json")


def test_a_hash_of_another_library_is_read_and_made_anew_at_the_next_sign_in() -> None:
    """The text form is common: this one was made by the reference code, before libsodium took over."""
    older = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$31ZL2ALTawUDCHf/ziDfCeppdvX/Ub/UDdCDtl4f3Cw"
    hasher = Hasher(Argon2(time=1, memory_kib=8))
    assert hasher.right(older, "besa")
    assert not hasher.right(older, "Besa")
    assert not hasher.outdated(older)
    assert Hasher(Argon2()).outdated(older)
    assert hasher.right(hasher.hash("ë"), "ë")
    assert not hasher.right("no hash", "besa")
