"""Between hosts: real certificates on both ends, and each way in which they can be wrong said in one sentence."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.journal.errors import MirrorError
from kulla.journal.mirror_client import MirrorClient
from kulla.journal.tls import TlsFilesError, client_context
from kulla.mirror.options import ClientTls
from kulla.mirror.source import Source, SourceFailed
from kulla.mirror.testkit import RunningMirror, free_port, start_mirrors
from kulla.mirror.tests.certificates import Authority
from kulla.mirror.tests.client import ORIGIN, Journal
from kulla.mirror.tests.conftest import READER
from kulla.mirror.tests.origin import configure, until


class World:
    """One mirror that speaks TLS, its authority, and somebody else's."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.ours, self.theirs = Authority(folder, "ours"), Authority(folder, "theirs")
        self.journal = Journal()
        (self.mirror,) = start_mirrors(
            folder / "m", 1, ORIGIN, self.journal.signer, readers=[READER.vkey], start=False
        )
        self.serve(*self.ours.make("server"))
        self.good = ClientTls(self.ours.file, *self.ours.make("client"))

    def serve(self, certificate: Path, key: Path) -> None:
        section = {"certificate": str(certificate), "key": str(key), "clients": str(self.ours.file)}
        configure(self.mirror, tls=section)

    def start(self) -> None:
        """`RunningMirror.start` asks over plain http: here the log tells when it listens."""
        with (self.mirror.home / "mirror.log").open("ab") as output:
            self.mirror.process = subprocess.Popen(
                [sys.executable, "-m", "kulla.mirror", "--config", str(self.mirror.home / "operator.json")],
                stderr=output,
            )
        for _ in range(200):
            if "listens" in self.mirror.log():
                return
            try:
                self.mirror.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(self.mirror.log())

    def source(self, tls: ClientTls) -> Source:
        return Source(f"https://127.0.0.1:{self.mirror.port}", tls, READER.key)

    def ask(self, tls: ClientTls, path: str, *, signed: bool = False) -> bytes:
        source = self.source(tls)
        try:
            return source.get(path, 65536, signed=signed)
        finally:
            source.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "w")
    world.start()
    yield world
    world.mirror.stop()


def test_both_ends_show_what_they_must(world: World) -> None:
    private = f"/{world.journal.hash}/segments"
    assert world.ask(world.good, private, signed=True) == b""
    with pytest.raises(SourceFailed, match="refuses with 403: This address answers only signed requests"):
        world.ask(world.good, private)


def test_without_a_client_certificate_only_the_public_part(world: World) -> None:
    nobody = ClientTls(world.ours.file, None, None)
    assert b'"ok": true' in world.ask(nobody, "/healthz")
    assert b"log " in world.ask(nobody, "/policy")
    for path in (f"/{world.journal.hash}/segments", f"/{world.journal.hash}/pending", "/keycopy/records"):
        with pytest.raises(
            SourceFailed, match="403: This address answers only who shows a client certificate"
        ):
            world.ask(nobody, path, signed=True)


def test_a_client_of_another_authority(world: World) -> None:
    stranger = ClientTls(world.ours.file, *world.theirs.make("stranger"))
    with pytest.raises(SourceFailed, match="it does not know the authority that made our certificate"):
        world.ask(stranger, "/healthz")
    words = "refused a connection: its certificate is not by the authority that is trusted here"
    until(lambda: words in world.mirror.log())


def test_a_client_whose_certificate_has_expired(world: World) -> None:
    late = ClientTls(world.ours.file, *world.ours.make("late", expired=True))
    with pytest.raises(SourceFailed, match="it says that our certificate has expired"):
        world.ask(late, "/healthz")
    until(lambda: "refused a connection: its certificate has expired" in world.mirror.log())


def test_a_server_that_is_not_the_one(world: World) -> None:
    with pytest.raises(SourceFailed, match="its certificate is not by the authority that is trusted here"):
        world.ask(ClientTls(world.theirs.file, world.good.certificate, world.good.key), "/healthz")
    for files, words in (
        (world.ours.make("old", expired=True), "its certificate has expired"),
        (world.ours.make("other", address="127.0.0.2"), "its certificate is for another host"),
    ):
        world.mirror.stop()
        (world.mirror.home / "mirror.log").unlink()
        world.serve(*files)
        world.start()
        with pytest.raises(SourceFailed, match=words):
            world.ask(world.good, "/healthz")


def test_plain_http_at_a_tls_port_and_the_other_way_round(world: World) -> None:
    plain = Source(f"http://127.0.0.1:{world.mirror.port}")
    with pytest.raises(SourceFailed, match="does not answer"):
        plain.get("/healthz", 100)
    plain.close()


def test_the_journals_client_speaks_it_too(world: World) -> None:
    """What the sequencer uses: a good certificate, none, and one that has expired."""
    mirror: RunningMirror = world.mirror
    url = f"https://127.0.0.1:{mirror.port}"

    def asked(tls: ClientTls) -> int:
        context = client_context(tls.ca, tls.certificate, tls.key)
        client = MirrorClient(mirror.name, url, mirror.vkey, world.journal.signer, tls=context)
        try:
            return client._request("GET", f"/{world.journal.hash}/segments", b"", signed=True)[0]
        finally:
            client.close()

    assert asked(world.good) == 200
    assert asked(ClientTls(world.ours.file, None, None)) == 403
    late = ClientTls(world.ours.file, *world.ours.make("late", expired=True))
    with pytest.raises(MirrorError, match="our certificate has expired"):
        asked(late)
    with pytest.raises(MirrorError, match="not by the authority"):
        asked(ClientTls(world.theirs.file, None, None))


def test_files_that_are_no_certificates(tmp_path: Path) -> None:
    ours = Authority(tmp_path, "ours")
    certificate, key = ours.make("one")
    other = ours.make("two")[1]
    with pytest.raises(TlsFilesError, match=r"one.pem and two.key are no certificate with its key"):
        client_context(ours.file, certificate, other)
    with pytest.raises(TlsFilesError, match=r"one.key holds no certificates of an authority"):
        client_context(key)
    journal = Journal()
    (mirror,) = start_mirrors(tmp_path / "m", 1, ORIGIN, journal.signer, start=False)
    configure(mirror, tls={"certificate": str(certificate), "key": str(other)}, port=free_port())
    done = subprocess.run(
        [sys.executable, "-m", "kulla.mirror", "--config", str(mirror.home / "operator.json")],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert (
        done.stderr.splitlines()[-1]
        == "one.pem and two.key are no certificate with its key in PEM without a password."
    )
