"""The small test app, and an entry that a test opens in one word."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from kulla.record import images, kinds, readiness, triggers
from kulla.record.entries import Entry, entry

HOME = UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture(scope="module")
def app(django_db_setup: None, django_db_blocker: Any) -> Iterator[ModuleType]:
    """The models of the test app, with their tables and triggers standing."""
    with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "kulla.record.tests.app"]):
        from kulla.record.tests.app import models

        images.shapes.cache_clear()
        kinds.declare("try", ["try.done"])
        kinds.declare("try", ["try.noted"], allow_empty=True)
        with django_db_blocker.unblock():
            with connection.schema_editor() as editor:
                for model in models.ALL:
                    editor.create_model(model)
            triggers.install()
            yield models
            triggers.drop()
            with connection.schema_editor() as editor:
                for model in reversed(models.ALL):
                    editor.delete_model(model)
            triggers.install()
    images.shapes.cache_clear()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    readiness.forget()
    yield
    readiness.forget()


Record = Callable[..., AbstractContextManager[Entry]]


@pytest.fixture
def record(app: ModuleType) -> Record:
    """`with record() as e:` opens an entry of the kind try.done for a job."""

    def open_entry(kind: str = "try.done", **given: Any) -> AbstractContextManager[Entry]:
        return entry(kind, **{"key": uuid4(), "actor": "job:test", **given})

    return open_entry


def environment() -> dict[str, str]:
    """The environment for programs that a test starts."""
    return dict(os.environ)
