"""One fact is one entry: sent twice it is recorded once, under a race there is one winner."""

import datetime as dt
import threading
from types import ModuleType
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from kulla.journal.claims import Claims
from kulla.journal.wire import open_with_ticket, split_sealed_claims
from kulla.keeper_client import Ticket
from kulla.record import api as record_api
from kulla.record import kinds, readiness
from kulla.record.effects import Effect
from kulla.record.entries import entry, entry_id
from kulla.record.errors import AlreadyRecorded, OutboxFull, ReadOnly, RecordError
from kulla.record.models import Outbox, State
from kulla.record.tests.conftest import HOME, Record

pytestmark = pytest.mark.django_db(transaction=True)

AT = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)


def test_the_same_form_is_recorded_once(app: ModuleType, record: Record) -> None:
    key = entry_id(HOME, "form-1")
    assert key == entry_id(HOME, "form-1") != entry_id(HOME, "form-2")
    with record(key=key):
        app.Tag.objects.create(home=HOME, word="one")
    with pytest.raises(AlreadyRecorded) as caught, record(key=key):
        raise AssertionError("the body must not run")
    assert caught.value.uuid == key
    assert app.Tag.objects.count() == Outbox.objects.count() == 1


def test_an_error_inside_leaves_nothing(app: ModuleType, record: Record) -> None:
    with pytest.raises(ZeroDivisionError), record():
        app.Tag.objects.create(home=HOME, word="one")
        _ = 1 / 0
    assert not app.Tag.objects.exists()
    assert not Outbox.objects.exists()
    with record():  # and the next entry is not disturbed
        app.Tag.objects.create(home=HOME, word="one")
    assert Outbox.objects.count() == 1


def test_entries_do_not_nest(app: ModuleType, record: Record) -> None:
    with pytest.raises(RecordError, match="inside another one"), record(), record():
        pass
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(), record():
        pass


def test_an_undeclared_kind_is_refused(record: Record) -> None:
    with pytest.raises(RecordError, match=r"'try\.unknown' is not declared"), record("try.unknown"):
        pass
    with pytest.raises(RecordError, match="belongs to try"):
        kinds.declare("other", ["try.done"])


def test_an_actor_is_an_attestation_or_a_job(app: ModuleType, record: Record) -> None:
    with pytest.raises(RecordError, match="job:<name>"), record(actor="somebody"):
        app.Tag.objects.create(home=HOME, word="one")
    assert not app.Tag.objects.exists()


def test_claims_are_sealed_with_the_ticket(app: ModuleType, record: Record) -> None:
    import hashlib

    ticket = Ticket(uuid4().bytes, b"\x11" * 32, b"\x22" * 32, b"wrapped")
    with record(ticket=ticket, person=HOME, claims=[("what", "Vizitë te mjeku")]) as opened:
        app.Tag.objects.create(home=HOME, word="one")
    person, service, blob = record_api.sealed_claims(opened.uuid)
    assert (person, service) == (HOME, "try")
    ticket_id, wrapped, rest = split_sealed_claims(blob)
    plain = open_with_ticket(ticket_id, ticket.key, wrapped, rest)
    assert Claims.parse(plain).lines == (("what", "Vizitë te mjeku"), ("holder", "11" * 32))
    row = Outbox.objects.get()
    assert bytes(row.claims_hash) == hashlib.sha256(plain).digest()
    assert "Vizit" not in repr(row.__dict__)
    with pytest.raises(RecordError, match="need a ticket"), record(claims=[("what", "x")]):
        app.Tag.objects.create(home=HOME, word="two")


def test_claims_and_effects_may_be_set_while_the_entry_is_open(app: ModuleType, record: Record) -> None:
    with record() as opened:
        app.Tag.objects.create(home=HOME, word="one")
        opened.after.append(Effect("notify", {"person": HOME, "params": {"day": "x"}}))
    assert HOME.hex in Outbox.objects.get().effects
    with pytest.raises(ValueError, match="notify, grant, revoke_grant"):
        Effect("delete_everything")


def test_the_outbox_has_a_limit(app: ModuleType, record: Record, settings: object) -> None:
    with record():
        app.Tag.objects.create(home=HOME, word="one")
    settings.KULLA_OUTBOX_LIMIT = 1  # type: ignore[attr-defined]
    readiness.forget()
    with pytest.raises(OutboxFull, match="1 entries wait"), record():
        app.Tag.objects.create(home=HOME, word="two")
    assert app.Tag.objects.count() == 1


def test_closed_tables_are_read_only_for_every_process(app: ModuleType, record: Record) -> None:
    State.objects.update(closed="The portal is being brought back.")
    with pytest.raises(ReadOnly, match="being brought back"), record():
        app.Tag.objects.create(home=HOME, word="one")
    assert not app.Tag.objects.exists()


@pytest.mark.postgres
def test_an_entry_with_one_row_costs_five_statements(app: ModuleType, record: Record) -> None:
    readiness.check()
    with CaptureQueriesContext(connection) as captured, record():
        app.Tag.objects.create(home=HOME, word="one")
    sent = [query["sql"].split()[0] for query in captured.captured_queries]
    assert sent == ["BEGIN", "SELECT", "INSERT", "INSERT", "COMMIT"]


def test_thirty_two_clients_on_one_time_have_one_winner(app: ModuleType, record: Record) -> None:
    with record():
        office = app.Office.objects.create(home=HOME, name="Qendra")
        doctor = app.Doctor.objects.create(home=HOME, office=office, name="Dr.")
    outcomes = race(
        32, lambda n: app.Slot.objects.create(home=HOME, doctor=doctor, starts=AT), same_key=False
    )
    assert outcomes.count("won") == 1
    assert outcomes.count("taken") == 31
    assert app.Slot.objects.count() == 1
    assert Outbox.objects.count() == 2


def test_thirty_two_times_the_same_form_is_one_entry(app: ModuleType, record: Record) -> None:
    """Without any constraint of the service's own: the entry's id alone decides."""
    outcomes = race(32, lambda n: app.Office.objects.create(home=HOME, name="same"), same_key=True)
    assert outcomes.count("won") == 1
    assert outcomes.count("again") == 31
    assert app.Office.objects.count() == Outbox.objects.count() == 1


def test_the_same_form_twice_meets_its_own_rows_and_is_still_the_same_form(app: ModuleType) -> None:
    outcomes = race(32, lambda n: app.Tag.objects.create(home=HOME, word="unique"), same_key=True)
    assert outcomes.count("won") == 1
    assert outcomes.count("again") == 31


def race(clients: int, body: object, *, same_key: bool) -> list[str]:
    """Run body(n) in an entry of its own in each of `clients` threads at once; what became of each."""
    start = threading.Barrier(clients)
    outcomes: list[str] = []
    shared = uuid4()

    def run(n: int) -> None:
        try:
            start.wait(20)
            with entry("try.done", key=shared if same_key else uuid4(), actor="job:race"):
                body(n)  # type: ignore[operator]
            outcomes.append("won")
        except AlreadyRecorded:
            outcomes.append("again")
        except IntegrityError:
            outcomes.append("taken")
        except Exception as error:
            outcomes.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes
