"""Checking a receipt without us: the page's commands and the policy as a file."""

from hashlib import sha256
from pathlib import Path

from django.conf import LazySettings

from kulla.identity.tests.conftest import browser
from kulla.journal.note import CosignerKey, Signer


def test_the_policy_is_a_file_with_the_fingerprint_of_the_page(
    settings: LazySettings, tmp_path: Path
) -> None:
    """Byte for byte: copied from a page, its last line would end otherwise."""
    settings.KULLA_POLICY = tmp_path / "policy"
    settings.KULLA_POLICY.write_text(policy := one_mirror_policy())
    visitor = browser()
    answer = visitor.get("/verify/policy")
    assert answer.status_code == 200 and answer.content.decode() == policy
    assert answer["Content-Disposition"] == 'attachment; filename="policy"'
    page = visitor.get("/verify").content.decode()
    assert sha256(answer.content).hexdigest() in page
    assert 'href="/verify/policy"' in page and 'href="http://127.0.0.1:7/policy"' in page
    assert 'href="http://127.0.0.1:7/verify"' in page  # the page there that checks in the browser


def test_where_there_is_no_policy_there_is_no_file(settings: LazySettings, tmp_path: Path) -> None:
    """And the page leaves its steps out."""
    settings.KULLA_POLICY = tmp_path / "none"
    assert browser().get("/verify/policy").status_code == 404
    assert "sha256sum" not in browser().get("/verify").content.decode()


def one_mirror_policy() -> str:
    """A policy with one log and one mirror that has an address."""
    log = Signer.generate("demo.example/journal")
    mirror = CosignerKey.generate("operator-1.example")
    return f"log {log.vkey}\nwitness operator-1 {mirror.vkey} http://127.0.0.1:7\nquorum operator-1\n"
