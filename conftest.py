"""What every room's tests share: the engine, a home for the settings, and the rule that nothing is skipped.

    pytest                        SQLite, everything
    pytest --engine postgresql    a real PostgreSQL that the tests start; only what touches a database

The engine must be known before Django reads its settings, and rooms' conftests may import models at their
top, so this file decides when it is imported and then sets Django up. Workers of xdist inherit the decision
through the environment.
"""

import argparse
import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # rooms may import tests.postgres
    sys.path.insert(0, str(ROOT))

from tests.postgres import PostgresMissing, Server  # noqa: E402

# A skipped test is a failed run unless its reason stands here, with the stage in which the test does run.
ALLOWED_SKIPS: dict[str, str] = {
    "this user may not mount a disk": "runs for root, as on a build machine: the full disk is a small mounted one",
}

IN_WORKER = "PYTEST_XDIST_WORKER" in os.environ
_server: Server | None = None


def _engine() -> str:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--engine", default=os.environ.get("KULLA_TEST_ENGINE", "sqlite"))
    return str(parser.parse_known_args()[0].engine)


def _settle() -> str:
    """Fix the environment that kulla.settings reads. Once a run: workers find it already fixed."""
    global _server  # noqa: PLW0603 — one server a run, stopped at its end
    engine = _engine()
    if engine not in {"sqlite", "postgresql"}:
        raise pytest.UsageError("--engine is sqlite or postgresql")
    if not IN_WORKER:
        home = Path(tempfile.mkdtemp(prefix="kulla-test-"))
        (home / "portal" / "keys").mkdir(parents=True)
        (home / "run").mkdir()
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        os.environ.update(
            {
                "KULLA_TEST_ENGINE": engine,
                "KULLA_HOME": str(home),
                "KULLA_DEMO": "1",
                "KULLA_DATABASE_URL": "",
                "KULLA_SEQUENCER": "0",
                "DJANGO_SETTINGS_MODULE": "kulla.settings",
            }
        )
        if engine == "postgresql":
            try:
                _server = Server().start()
            except PostgresMissing as missing:
                raise pytest.UsageError(str(missing)) from missing
            atexit.register(_server.stop)
            os.environ["KULLA_DATABASE_URL"] = _server.url("kulla")
    else:
        # A home of its own for each worker: each has its own keeper, whose public keys are kept there.
        home = Path(os.environ["KULLA_HOME"]) / os.environ["PYTEST_XDIST_WORKER"]
        (home / "portal" / "keys").mkdir(parents=True, exist_ok=True)
        (home / "run").mkdir(exist_ok=True)
        os.environ["KULLA_HOME"] = str(home)
    return engine


ENGINE = _settle()

import django  # noqa: E402

django.setup()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="the database that the tests run on (PostgreSQL is started by the tests)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_engines: starts programs of its own on either engine")


def pytest_report_header() -> str:
    return f"engine: {ENGINE}"


def _touches_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("django_db") or item.get_closest_marker("both_engines"):
        return True
    names = {"db", "transactional_db", "django_db_setup", "live_server"}
    return bool(names & set(getattr(item, "fixturenames", ())))


def _runs_here(item: pytest.Item) -> bool:
    """Whether this stage is the one for the test: deselected here means selected in the other stage."""
    if ENGINE == "postgresql":
        if item.get_closest_marker("sqlite"):
            return False
        return bool(item.get_closest_marker("postgres")) or _touches_database(item)
    return not item.get_closest_marker("postgres")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = [item for item in items if _runs_here(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(here)])
    items[:] = here


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip or an expected failure into a failure, unless its reason is listed above."""
    if not report.skipped:
        return
    reason = str(getattr(report, "wasxfail", None) or report.longrepr)
    if any(allowed in reason for allowed in ALLOWED_SKIPS):
        return
    report.outcome = "failed"
    report.longrepr = f"skipped, and the reason is not listed in conftest.py: {reason}"
    if hasattr(report, "wasxfail"):
        del report.wasxfail


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report
