"""A stranger's reader of tlog-tiles audits a running mirror over HTTP and its folder on disk."""

from pathlib import Path
from urllib.request import urlopen

import pytest

from kulla.journal.note import Signer
from kulla.journal.page import verifier_page
from kulla.journal.store import LogFolder
from kulla.journal.tests import outsider
from kulla.mirror.app import origin_hash
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests.client import ORIGIN
from kulla.mirror.tests.test_with_the_journal import Sequencer, running, sequencer, signer

__all__ = ["running", "sequencer", "signer"]  # fixtures

TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"


def test_a_stranger_audits_a_mirror(
    sequencer: Sequencer, running: list[RunningMirror], signer: Signer
) -> None:
    """After rounds of several sizes: partial tiles that grew, full ones, and a second level."""
    for mirror in running[1:]:
        mirror.stop()
    running[1].start()
    for count in (1, 254, 1, 300, 44):
        sequencer.round(count)
    prefix, types = f"{running[0].url}/{origin_hash(ORIGIN)}", {}
    size, entries = outsider.audit(outsider.over_http(prefix, types), signer.vkey)
    assert (size, {len(entry) for entry in entries}) == (600, {65})
    assert {name: kind for name, kind in types.items() if kind != BYTES} == {"checkpoint": TEXT}
    assert "tile/1/000.p/2" in types

    note = outsider.over_http(prefix)("checkpoint") or b""
    assert outsider.signed_by(note.decode(), running[0].vkey)
    assert not outsider.signed_by(note.decode(), running[1].vkey)

    folder = running[0].home / "mirror" / origin_hash(ORIGIN)
    on_disk = lambda name: (folder / name).read_bytes() if (folder / name).is_file() else None  # noqa: E731
    assert outsider.audit(on_disk, signer.vkey) == (size, entries)
    tile = Path(folder, "tile/0/001").read_bytes()
    LogFolder(folder).replace("tile/0/001", tile[:-32] + bytes(32))
    with pytest.raises(AssertionError, match="tile 0/1 is not what is below it"):
        outsider.audit(outsider.over_http(prefix), signer.vkey)


def test_a_mirror_serves_the_page_that_verifies(mirror: RunningMirror) -> None:
    with urlopen(f"{mirror.url}/verify", timeout=10) as answer:  # noqa: S310 — loopback
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert answer.read() == verifier_page()
