"""The two buttons of the demo, pressed for real in a browser; and a production build that has neither."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import journeys
from tests.country import Country
from tests.test_booking_journey import sign_in

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.browser
@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_wipe_this_country(
    make_country: Callable[..., Country], new_context: Callable[..., BrowserContext], javascript: bool
) -> None:
    """Book, press, watch it die and come back; the same receipt turns green, nothing is lost."""
    country = make_country().up()
    citizen = country.sign_in("citizen")
    receipt = journeys.wait_received(citizen, journeys.book(citizen, "gp", reason="Kontroll"))
    code = re.search(r"(?<![\w-])[A-Z2-7]{4}-[A-Z2-7]{4}(?![\w-])", receipt.text)
    assert code
    entries = country.db.entries()
    page = new_context("en", 360, javascript=javascript).new_page()
    sign_in(page, country, "citizen")
    page.goto(receipt.url)
    portal = country.pids()["portal"]
    page.locator("form[action='/demo/wipe'] button").click()
    expect(page.locator("h1")).to_contain_text("safe", timeout=10_000)
    expect(page.locator("h1")).to_contain_text("0 lost", timeout=60_000)
    assert country.pids()["portal"] != portal, "the portal was never killed"
    page.locator("main a[role=button]").click()
    page.wait_for_url(re.compile("/receipts/"))
    expect(page.locator("#receipt-status")).to_have_attribute("data-status", "received", timeout=20_000)
    expect(page.locator(".kulla-code")).to_have_text(code[0])
    country.db.settle()
    assert entries <= country.db.entries()
    journeys.wait_received(citizen, journeys.book(country.sign_in("citizen"), "dentist"))


@pytest.mark.browser
def test_be_the_thief(country: Country, new_context: Callable[..., BrowserContext], tmp_path: Path) -> None:
    """The loot can be downloaded; the visitor's own name is not in it, a public name is."""
    page = new_context("en", 1280).new_page()
    sign_in(page, country, "stranger")
    page.locator("a[href='/demo/thief']").click()
    name = country.accounts()["stranger"].name
    expect(page.locator("[name=words]")).to_have_value(name)
    page.locator("main form button").click()
    found = page.locator("#found")
    expect(found).to_contain_text("found 0 times", timeout=30_000)
    expect(found).to_contain_text(name)
    assert re.search(r"found [1-9][\d,]* times?", found.inner_text()), "the control found nothing"
    look_for(page, "Poliklinika")
    expect(found).not_to_contain_text("Poliklinika: found 0 times")
    with page.expect_download() as download:
        page.locator("a[href='/demo/thief/loot.zip']").click()
    path = tmp_path / "loot.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as loot:
        names = loot.namelist()
        assert loot.testzip() is None
    assert any(name.endswith("db.sqlite3") for name in names)
    assert any(name.startswith("operators/1/") for name in names)
    assert not any(name.startswith(("keeper/", "holders/")) for name in names)
    assert name not in page.url


def look_for(page: Page, words: str) -> None:
    """Search the loot for something else."""
    page.locator("[name=words]").fill(words)
    page.locator("main form button").click()
    page.wait_for_load_state()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A production wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    skipped = shutil.ignore_patterns("node_modules", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", source / "src", ignore=skipped)
    shutil.copytree(ROOT / "requirements", source / "requirements")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, "."],
        cwd=source, env={**os.environ, "KULLA_BUILD": "production"}, timeout=300, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("kulla-*.whl")
    return built


def test_a_production_build_has_no_demo_and_brings_its_styles(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as built:
        names = built.namelist()
    assert not [name for name in names if "/demo/" in name]
    assert [name for name in names if re.search(r"/static/kulla/kulla-[0-9a-f]+\.css$", name)]
    assert [name for name in names if name.endswith("/sq/LC_MESSAGES/django.mo")]
    assert [name for name in names if name.endswith("appointments/data/albania-places.csv")]
    assert [name for name in names if name.endswith("journal/page/data/page.html")]


def test_the_production_build_offers_no_buttons(wheel: Path, tmp_path: Path) -> None:
    """Installed alone, with the demo switched on by mistake, it still has neither pages nor command."""
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as built:
        built.extractall(target)
    asked = (
        "import os, sys; sys.path.insert(0, sys.argv[1]);"
        "os.environ.update(KULLA_DEMO='1', KULLA_HOME=sys.argv[2], DJANGO_SETTINGS_MODULE='kulla.settings');"
        "import kulla; assert kulla.__file__.startswith(sys.argv[1]), kulla.__file__;"
        "import django; django.setup();"
        "from django.conf import settings; assert not settings.KULLA_DEMO;"
        "from django.urls import resolve, Resolver404\n"
        "for path in ('/demo/wipe', '/demo/thief'):\n"
        "    try: resolve(path)\n"
        "    except Resolver404: continue\n"
        "    raise SystemExit(path + ' is there')"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, str(target), str(tmp_path / "home")],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    command = "import sys; sys.path.insert(0, sys.argv.pop(1)); from kulla.cli import main; sys.exit(main())"
    refused = subprocess.run(
        [sys.executable, "-c", command, str(target), "demo", "--home", str(tmp_path / "c"), "--people", "30"],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "no demo" in refused.stdout + refused.stderr
