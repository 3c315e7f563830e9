"""The operator's act by which a mirror goes over to the journal's next key. Run beside the stopped mirror.

A journal whose key may have been stolen cannot be believed about its own next key: the thief can announce one too. So
no mirror takes a new key by itself. Each operator compares the new key with the other operators and with the portal's
people, by telephone or in person, and then runs this with the new policy and the last checkpoint, which both keys have
signed. Nothing of what the mirror holds changes; from then on it refuses whatever only the old key has signed.
"""

from __future__ import annotations

import json
from pathlib import Path

from kulla.journal.errors import JournalError
from kulla.journal.note import open_note, parse_vkey
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.mirror.app import origin_hash
from kulla.mirror.config import ConfigError, load_config, set_policy
from kulla.mirror.frames import StorageFailed
from kulla.mirror.notes import open_checkpoint
from kulla.mirror.stores import FolderStore, open_store


class RekeyRefused(Exception):
    """Why this mirror does not go over to the new key, as one plain sentence."""


def rekey(home: Path, policy_text: str, note: str, *, anew: bool = False) -> str:
    """Take the new key of `policy_text` for the journal in `home` (the folder of operator.json). Gives what was done.

    1. The policy lists the new key first, the present one too, and says up to which size that was valid.
    2. The note is signed by both keys, is of exactly that size, and is the checkpoint that this mirror holds.
       One that was away and holds less is told so; with `anew` its copy is put aside, and the portal fills it again.
    3. The stored checkpoint gets both signatures; what was submitted beyond it goes; then operator.json names the key.
    Again after an interruption: the same steps; after the end: nothing. Raises RekeyRefused, OSError.
    """
    try:
        policy, config = Policy.parse(policy_text), load_config(home / "operator.json")
        new = policy.logs[0].verifier
        present = config.logs.get(new.name)
        if present is None:
            raise RekeyRefused(f"This mirror holds no journal {new.name}.")
        store = open_store(config.store, home, origin_hash(new.name))
        if present.public == new.public:
            set_policy(home, policy_text)
            return "This mirror has the new key already."
        size = policy.until.get(present.key_id)
        if size is None or all(log.verifier.public != present.public for log in policy.logs):
            raise RekeyRefused(
                "The policy does not say up to which size this mirror's present key was valid."
            )
        signed = open_checkpoint(note.encode(), new)
        before = open_checkpoint(note.encode(), present)
        if signed.checkpoint.size != size:
            raise RekeyRefused(
                f"The checkpoint is of {signed.checkpoint.size} entries, the policy speaks of {size}."
            )
        stored = open_checkpoint(store.read("checkpoint"), present, config.cosigner.verifier)
    except (JournalError, ConfigError, StorageFailed) as error:
        raise RekeyRefused(str(error)) from error
    if stored.checkpoint != signed.checkpoint:
        if stored.checkpoint.size > size:
            raise RekeyRefused(
                f"This mirror holds {stored.checkpoint.size} entries, signed by the old key, and the new one follows"
                f" after {size}: somebody went on with the old key. Find out who; rebuild from this mirror first."
            )
        if not anew:
            raise RekeyRefused(
                f"This mirror holds {stored.checkpoint.size} entries of {size}. With --anew its copy is put aside, and"
                " the portal fills it again once it runs."
            )
        if not isinstance(store, FolderStore):
            raise RekeyRefused(
                "Its place is a bucket: name an empty one in operator.json, and this runs again."
            )
        store.path.rename(store.path.with_name(f"{store.path.name}.before-{new.key_id.hex()}"))
        _name_key(home, policy_text, present.vkey, new.vkey)
        return f"This mirror takes the journal's new key {new.key_id.hex()} and begins with an empty copy."
    both = f"{signed.checkpoint.body()}\n{signed.log_line}{before.log_line}{stored.cosignature}"
    open_note(both, [new, present])
    store.replace("checkpoint", both.encode())
    for name in ("pending", "next"):
        store.remove(name)
    store.settle()
    _name_key(home, policy_text, present.vkey, new.vkey)
    return f"This mirror takes the journal's new key {new.key_id.hex()} from entry {size} on."


def _name_key(home: Path, policy_text: str, present: str, new: str) -> None:
    set_policy(home, policy_text)
    raw = json.loads((home / "operator.json").read_text("utf-8"))
    raw["logs"] = [new if key == present else key for key in raw["logs"]]
    LogFolder(home).replace("operator.json", (json.dumps(raw, indent=2) + "\n").encode())


def take_keeper(home: Path, vkey: str) -> str:
    """Take a keeper's new key: its key copy begins anew, what stood in it goes aside, tombstones stay. Again: nothing.

    Raises RekeyRefused when this operator keeps no key copy, or `vkey` is no key.
    """
    raw = json.loads((home / "operator.json").read_text("utf-8"))
    try:
        key = parse_vkey(vkey.strip())
    except JournalError as error:
        raise RekeyRefused(f"The keeper's new key cannot be read: {error}") from error
    if not raw.get("keeper"):
        raise RekeyRefused("This operator keeps no key copy.")
    if raw["keeper"] == key.vkey:
        return "Its key copy has the keeper's new key already."
    aside = home / f"keycopy.before-{key.key_id.hex()}"
    aside.mkdir(mode=0o700, exist_ok=True)
    for path in (home / "keycopy").glob("records-*.log"):
        path.rename(aside / path.name)
    raw["keeper"] = key.vkey
    LogFolder(home).replace("operator.json", (json.dumps(raw, indent=2) + "\n").encode())
    return f"Its key copy begins anew under the keeper's key {key.key_id.hex()}."
