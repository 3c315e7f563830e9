"""What `kulla rotate` does, step by step. Each step does nothing when it was done before; HOME/rotation.json tells."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from kulla.cli import django_home, restoring
from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.supervisor import processes, sound

if TYPE_CHECKING:
    import subprocess

    from kulla.journal.checkpoint import Checkpoint
    from kulla.journal.note import Signer
    from kulla.journal.policy import Policy
    from kulla.record.sequencer import Sequencer

MIRRORS_S = 30.0
RECEIVED_S = 60.0
_NAMESPACE = UUID("6b756c6c-6100-5000-8000-726f74617465")
Say = Callable[[str], None]


class Rotation:
    """One rotation of a stopped home. `holders`: the folder with the holders' keys."""

    def __init__(self, home: Home, holders: Path, say: Say) -> None:
        self.home, self.holders, self.say = home, holders, say
        self.folder = home.path / "rotation"
        self.state: dict[str, Any] = {}

    def run(self) -> None:
        """All steps, in order. Raises CommandError with what is missing; run again then.

        1. fresh keys in HOME/rotation (0600), and a name for this rotation;
        2. an entry under the old key announces the new one, and a quorum of mirrors confirms it;
        3. the keeper: system keys, sessions, officials' credentials;
           and its records are sealed anew under a new root key, the old one stays with the holders as evidence;
        4. the last checkpoint gets the new key's signature too; policy, keys and recipients of the portal change;
        5. the mirrors in this home go over; for the others there is a command;
        6. the state is put aside, the old keys are gone from the portal.
        """
        restoring.refuse_living(self.home)
        if self.home.rebuilding.exists():
            raise CommandError(
                "A rebuild of this home was broken off: finish it first (kulla rebuild --replace)."
            )
        rebuild_key = restoring.check_means(self.home, self.holders, [])
        self._begin()
        os.environ["KULLA_SEQUENCER"] = "0"
        django_home.setup(self.home)
        if not self.state.get("size"):
            with mirrors(self.home, self.say):
                self._announce(rebuild_key)
                self._keeper()
                self._note(size=self._journal().size)
        self._root()
        self._hand_over(rebuild_key)
        self._operators()
        self._end()

    # --- 1 ------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / "rotation.json"
        if path.exists():
            self.state = json.loads(path.read_text())
            self.say(f"The rotation of {self.state['name']} goes on.")
            return
        old = restoring.key_file(self.home.portal / "keys", "checkpoint.key")
        keys = {
            "old-checkpoint": old,
            "checkpoint": Ed25519PrivateKey.generate().private_bytes_raw(),
            "cookie": os.urandom(32),
            "root": os.urandom(32),
        }
        for name, key in keys.items():
            _write_secret(self.folder / f"{name}.key", key)
        self._note(name=datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))

    def _note(self, **more: Any) -> None:
        self.state |= more
        temporary = self.folder / "rotation.new"
        temporary.write_text(json.dumps(self.state))
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(self.folder / "rotation.json")

    def _signer(self, name: str) -> "Signer":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        from kulla.journal.note import Signer

        key = Ed25519PrivateKey.from_private_bytes(restoring.key_file(self.folder, f"{name}.key"))
        return Signer(self._policy().logs[0].verifier.name, key)

    def _policy(self) -> "Policy":
        return sound.read_policy(self.home)

    def _journal(self) -> "Checkpoint":
        from kulla.journal.store import LogFolder
        from kulla.record.checked import newest_checkpoint

        return newest_checkpoint(LogFolder(self.home.portal / "journal"), self._policy())

    # --- 2 ------------------------------------------------------------------------------------------------------

    def _announce(self, rebuild_key: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
        from django.conf import settings

        from kulla.journal.segment import open_segment_key
        from kulla.journal.store import LogFolder
        from kulla.record import api as record
        from kulla.record import kinds, readiness
        from kulla.record.models import KeyChange, Outbox
        from kulla.record.sequencer import Sequencer

        old, new = self._signer("old-checkpoint"), self._signer("checkpoint")
        private = X25519PrivateKey.from_private_bytes(rebuild_key)
        recipients = [bytes.fromhex(text) for text in settings.KULLA_RECIPIENTS]
        folder = LogFolder(self.home.portal / "journal")
        until = time.monotonic() + RECEIVED_S
        with folder.lock():
            sequencer = Sequencer(
                folder, old, self._policy(), recipients, lambda header: open_segment_key(header, private)
            )
            try:
                while not sequencer.level:
                    self._step(sequencer.step, until)
                readiness.forget()
                key = uuid5(_NAMESPACE, new.vkey)
                try:
                    with record.entry(kinds.KEY_CHANGED, key=key, actor="job:rotate"):
                        KeyChange.objects.create(home=_NAMESPACE, old=old.vkey, new=new.vkey)
                except record.AlreadyRecorded:
                    pass
                while Outbox.objects.exists() or folder.exists("staged"):
                    self._step(sequencer.step, until)
                self._all_level(sequencer)
            finally:
                sequencer.close()
        self.say(
            f"The journal announces its new key {new.key_id.hex()} under the old one {old.key_id.hex()}."
        )

    def _all_level(self, sequencer: "Sequencer") -> None:
        """A round waits for a quorum only: give the other mirrors of this home a moment to hold the last one too."""
        from kulla.journal.mirror_client import nudge
        from kulla.mirror.app import origin_hash

        name, size = origin_hash(sequencer.signer.name), self._journal().size
        until = time.monotonic() + MIRRORS_S
        while time.monotonic() < until:
            notes = [operator / "mirror" / name / "checkpoint" for operator in self.home.operators]
            if all(note.exists() and note.read_text().split("\n")[1] == str(size) for note in notes):
                return
            nudge(sequencer.clients, sequencer.folder, sequencer.signer)
            time.sleep(0.2)

    @staticmethod
    def _step(step: Callable[[], int], until: float) -> None:
        from kulla.journal.errors import PolicyError

        if time.monotonic() > until:
            raise CommandError(
                "Two mirrors did not confirm the announcement of the new key: run this again then."
            )
        try:
            if step() == 0:
                time.sleep(0.1)
        except PolicyError:
            time.sleep(0.5)

    # --- 3 ------------------------------------------------------------------------------------------------------

    def _keeper(self) -> None:
        from kulla.keeper import admin, rotation

        portal = {name: restoring.key_file(self.folder, f"{name}.key") for name in ("checkpoint", "cookie")}
        with admin.open_keeper(self.home.keeper) as opened:
            turned = rotation.Rotation(opened.keeper, self.state["name"])
            _write_secret(self.folder / "segment.key", turned.keys(portal))
            ended, officials = turned.sessions(), turned.officials()
        self.say(f"The keeper has new keys; {ended} sessions were ended, {officials} officials enrol again.")

    def _root(self) -> None:
        """The keeper's records under the new root key, then the key itself in the holders' folder."""
        from kulla.journal.store import LogFolder
        from kulla.keeper import reroot
        from kulla.keeper.admin import record_vkey
        from kulla.keeper.keys import FileRootKey

        present = self.home.keeper / json.loads((self.home.keeper / "keeper.json").read_text())["root_key"]
        new = FileRootKey(self.folder / "root.key")
        if not self.state.get("root"):
            reroot.write_anew(self.home.keeper, FileRootKey(present), new)
            self._note(root="written")
        reroot.swap(self.home.keeper, self.folder / "keeper-before")
        fresh = restoring.key_file(self.folder, "root.key")
        for path in {present.resolve(), (self.holders / "root.key").resolve()}:
            before = path.with_name(f"root.key.before-{self.state['name']}")
            if not before.exists():
                _write_secret(before, restoring.key_file(path.parent, path.name))
            LogFolder(path.parent).replace(path.name, f"{fresh.hex()}\n".encode())
            path.chmod(0o600)
        LogFolder(self.folder).replace("keeper", f"{record_vkey(new)}\n".encode())
        self.say(
            "The keeper's records are sealed under a new root key. Split it among the holders; keep the old one safe."
        )

    # --- 4 ------------------------------------------------------------------------------------------------------

    def _hand_over(self, rebuild_key: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        from kulla.journal.note import split_note
        from kulla.journal.store import LogFolder

        old, new = self._signer("old-checkpoint"), self._signer("checkpoint")
        size, folder = self.state["size"], LogFolder(self.home.portal / "journal")
        text, signatures = split_note(folder.read_checkpoint_note() or "")
        lines = [line for _, ident, _, line in signatures if ident not in {old.key_id, new.key_id}]
        note = f"{text}\n{new.sign(text)}{old.sign(text)}{''.join(lines)}"
        policy = following_policy(self.home.policy.read_text(), old, new, size)
        folder.write_checkpoint_note(note)
        LogFolder(self.folder).replace("checkpoint", note.encode())
        LogFolder(self.folder).replace("policy", policy.encode())
        LogFolder(self.home.path).replace("policy", policy.encode())
        keys = {name: restoring.key_file(self.folder, f"{name}.key") for name in ("checkpoint", "cookie")}
        restoring.write_keys(self.home.portal / "keys", keys)
        recipients = [
            X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()
            for private in (rebuild_key, restoring.key_file(self.folder, "segment.key"))
        ]
        LogFolder(self.home.portal).replace("recipients.json", json.dumps(recipients).encode())
        (self.home.portal / "keeper-public.json").unlink(missing_ok=True)
        self.say(f"The portal signs with {new.key_id.hex()} from entry {size} on. Publish the new policy.")

    # --- 5, 6 ---------------------------------------------------------------------------------------------------

    def _operators(self) -> None:
        policy, note, keeper = (
            (self.folder / name).read_text() for name in ("policy", "checkpoint", "keeper")
        )
        for operator in self.home.operators:
            try:
                self.say(f"Mirror {operator.name}: {take_over(operator, policy, note, keeper)}")
            except CommandError as refused:
                self.say(f"Mirror {operator.name} stays as it is: {refused}")
        ports = {sound.mirror_port(operator) for operator in self.home.operators}
        for witness in self._policy().witnesses:
            if not any(witness.url and witness.url.endswith(f":{port}") for port in ports):
                self.say(
                    f"{witness.name} runs elsewhere. Its operator compares the new key with you by telephone, stops the"
                    " mirror, and runs: kulla rotate --operator DIR --policy policy --checkpoint checkpoint --keeper"
                    f" keeper (the files lie in {self.home.path / 'rotated' / self.state['name']})."
                )

    def _end(self) -> None:
        for name in ("old-checkpoint", "checkpoint", "cookie", "segment", "root"):
            (self.folder / f"{name}.key").unlink(missing_ok=True)
        aside = self.home.path / "rotated" / self.state["name"]
        aside.parent.mkdir(exist_ok=True)
        self.folder.rename(aside)


def following_policy(text: str, old: "Signer", new: "Signer", size: int) -> str:
    """The policy with the new key first and the old one's end noted. Again: the same text."""
    if f"log {new.vkey}" in text:
        return text
    lines = []
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["log", old.vkey]:
            lines += [
                " ".join(["log", new.vkey, *words[2:]]),
                line,
                f"#kulla key-until {old.key_id.hex()} {size}",
            ]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def take_over(operator: Path, policy: str, note: str, keeper: str, *, anew: bool = False) -> str:
    """One mirror goes over to the new keys of journal and keeper. Raises CommandError with why it does not."""
    from kulla.mirror.rekey import RekeyRefused, rekey, take_keeper

    port = sound.mirror_port(operator)
    if port is not None and processes.listening(port):
        raise CommandError(f"The mirror of {operator} runs: stop it first.")
    try:
        return f"{rekey(operator, policy, note, anew=anew)} {take_keeper(operator, keeper)}"
    except RekeyRefused as refused:
        raise CommandError(f"{operator}: {refused}") from refused


@contextmanager
def mirrors(home: Home, say: Say) -> Iterator[None]:
    """The mirrors of this home that do not run are run meanwhile; those of others must run."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for operator in home.operators:
            port = sound.mirror_port(operator)
            if port is None or processes.listening(port):
                continue
            config = str(operator / "operator.json")
            started.append(
                processes.start(
                    processes.command("mirror", "--config", config),
                    log=operator / "log" / "mirror.log",
                    env={**os.environ, processes.PARENT: str(os.getpid())},
                )
            )
        ports = [port for operator in home.operators if (port := sound.mirror_port(operator)) is not None]
        until = time.monotonic() + MIRRORS_S
        while not all(map(processes.listening, ports)):
            if time.monotonic() > until:
                say("Not every mirror of this home answers; it goes on with the others.")
                break
            time.sleep(0.1)
        yield
    finally:
        processes.stop(started)


def _write_secret(path: Path, key: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
