"""Trust policies (C2SP tlog-policy): which logs, which witnesses, and how many of them make a quorum.

A mirror is a witness here: its cosignature says besides that it stores all that it signed for.
"""

import hashlib
import re
from dataclasses import dataclass

from .checkpoint import Checkpoint, parse_checkpoint, parse_size
from .errors import NoteError, PolicyError, QuorumError
from .note import COSIGNATURE, Verifier, parse_vkey, split_note, verified_by

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
_OURS = "#kulla"  # a comment to other readers of the format; docs/decisions/0012 says why
MAX_POLICY = 1_000_000  # bytes
MAX_NAMED = 1000  # logs, witnesses and groups; the specification asks for 32 of each at least


@dataclass(frozen=True)
class Log:
    """A log whose checkpoints are accepted; the key's name is its origin."""

    vkey: str
    verifier: Verifier
    url: str | None


@dataclass(frozen=True)
class Witness:
    """A witness or mirror: its name within the policy, its key, and where it takes submissions."""

    name: str
    vkey: str
    verifier: Verifier
    url: str | None


@dataclass(frozen=True)
class Checked:
    """A checkpoint that satisfied a policy, and when (POSIX seconds) each known witness signed, by name."""

    checkpoint: Checkpoint
    cosigned: dict[str, int]
    key: str = ""
    """Which of the journal's keys signed: its id in hex; where the journal had several, since or up to which size."""


class Policy:
    """A parsed policy. Make one with `Policy.parse`."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.quorum: str | None = None
        self._groups: dict[str, tuple[int, list[str]]] = {}
        self._members: set[str] = set()
        self.until: dict[bytes, int] = {}
        """Key id of an earlier key of the journal -> the size of the last checkpoint that it may have signed."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the policy's bytes in hex, as printed on paper receipts."""
        return hashlib.sha256(self.text).hexdigest()

    @classmethod
    def parse(cls, text: str | bytes) -> "Policy":
        """Read a policy file, the whole grammar of the specification. Raises PolicyError naming the line."""
        data = text.encode("utf-8") if isinstance(text, str) else text
        if len(data) > MAX_POLICY:
            raise PolicyError("The policy is too long.")
        policy = cls(data)
        for number, raw in enumerate(data.split(b"\n"), 1):
            try:
                if _CONTROL.search(raw):
                    raise PolicyError("control characters are not allowed")
                # Names are opaque octets: surrogateescape keeps any of them apart.
                words = [w for w in re.split("[ \t]+", raw.decode("utf-8", "surrogateescape")) if w]
                if words and words[0] == _OURS:
                    policy._our_line(words)
                elif words and not words[0].startswith("#"):
                    policy._line(words)
            except (PolicyError, NoteError) as e:
                raise PolicyError(f"Line {number} of the policy: {str(e).rstrip('.')}.") from e
        if policy.quorum is None:
            raise PolicyError("The policy has no quorum line.")
        if not policy.until.keys() <= {log.verifier.key_id for log in policy.logs}:
            raise PolicyError("The policy limits a key that it does not list.")
        return policy

    def _line(self, words: list[str]) -> None:
        if len(self.logs) + len(self.witnesses) + len(self._groups) >= MAX_NAMED and words[0] != "quorum":
            raise PolicyError(f"there are more than {MAX_NAMED} logs, witnesses and groups")
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._add_log(vkey, words[2] if len(words) == 3 else None)
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self._add_witness(name, vkey, words[3] if len(words) == 4 else None)
            case ["group", name, threshold, *members]:
                self._add_group(name, threshold, members)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise PolicyError("there is a quorum already")
                if name != "none":
                    self._defined(name)
                self.quorum = name
            case _:
                raise PolicyError("this is not a line of a policy")

    def _our_line(self, words: list[str]) -> None:
        # Strict: a line that meant to limit a key and was misspelt would otherwise limit nothing.
        match words:
            case [_, "key-until", ident, size] if _KEY_ID.fullmatch(ident):
                if bytes.fromhex(ident) in self.until:
                    raise PolicyError("this key is limited twice")
                self.until[bytes.fromhex(ident)] = parse_size(size)
            case _:
                raise PolicyError(f"a line that begins with {_OURS} is not understood here")

    def _add_log(self, vkey: str, url: str | None) -> None:
        verifier = parse_vkey(vkey)
        if any(log.verifier.public == verifier.public for log in self.logs):
            raise PolicyError("this log's key is listed twice")
        self.logs.append(Log(vkey, verifier, url))

    def _add_witness(self, name: str, vkey: str, url: str | None) -> None:
        self._free(name)
        verifier = parse_vkey(vkey)
        if verifier.kind != COSIGNATURE:
            raise PolicyError("a witness needs a cosignature key (type 0x04)")
        if any(w.verifier.public == verifier.public for w in self.witnesses):
            raise PolicyError("this witness's key is listed twice")
        self.witnesses.append(Witness(name, vkey, verifier, url))

    def _add_group(self, name: str, threshold: str, members: list[str]) -> None:
        self._free(name)
        for member in members:
            self._defined(member)
            if member in self._members:
                raise PolicyError(f"{member} is a member of a group already")
            self._members.add(member)
        if not members:
            raise PolicyError("a group needs members")
        if threshold not in {"all", "any"} and not _NUMBER.fullmatch(threshold):
            raise PolicyError("a group needs all, any or a number")
        k = {"all": len(members), "any": 1}.get(threshold) or int(threshold)
        if k > len(members):
            raise PolicyError("a group cannot ask for more members than it has")
        self._groups[name] = (k, members)

    def _names(self) -> set[str]:
        return {w.name for w in self.witnesses} | self._groups.keys()

    def _free(self, name: str) -> None:
        if name == "none" or name in self._names():
            raise PolicyError(f"the name {name} is taken")

    def _defined(self, name: str) -> None:
        if name not in self._names():
            raise PolicyError(f"{name} is not defined above")

    def satisfied_by(self, witnesses: set[str]) -> bool:
        """Whether cosignatures of these witnesses (names in this policy) make the quorum."""

        satisfied = set(witnesses)
        # A group names only what stands above it, so one pass in the file's order settles all, however deep.
        for name, (k, members) in self._groups.items():
            if sum(member in satisfied for member in members) >= k:
                satisfied.add(name)
        return self.quorum == "none" or self.quorum in satisfied

    def check(self, note: str | bytes) -> Checked:
        """Check a signed checkpoint: (1) a listed log's signature, under its own origin, (2) the quorum.

        Each witness counts once. Raises QuorumError where only (2) fails, else PolicyError.
        """
        checked = self.check_signed(note)
        if not self.satisfied_by(set(checked.cosigned)):
            raise QuorumError(
                f"The checkpoint is cosigned by {len(checked.cosigned)} of {len(self.witnesses)} known mirrors, "
                "which is not the quorum that the policy asks for."
            )
        return checked

    def check_signed(self, note: str | bytes) -> Checked:
        """As `check`, but without asking for the quorum: a mirror's copy carries its own cosignature only.

        A known witness's signature must still be right. Raises QuorumError where it is not, else PolicyError.
        """
        try:
            text, lines = split_note(note)
            by_logs = verified_by(text, lines, [log.verifier for log in self.logs])
            # Nothing of the text is used before a listed key has signed it.
            checkpoint = parse_checkpoint(text) if by_logs else None
        except NoteError as e:
            raise PolicyError(str(e)) from e
        if checkpoint is None or all(s.name != checkpoint.origin for s in by_logs):
            raise PolicyError("The checkpoint is not signed by a journal that this policy lists.")
        key = self._valid_key({s.key_id for s in by_logs if s.name == checkpoint.origin}, checkpoint.size)
        try:
            by_witnesses = verified_by(text, lines, [w.verifier for w in self.witnesses])
        except NoteError as e:
            raise QuorumError(str(e)) from e
        times = {(s.name, s.key_id): s.timestamp for s in by_witnesses}
        cosigned = {}
        for witness in self.witnesses:
            timestamp = times.get((witness.verifier.name, witness.verifier.key_id))
            if timestamp is not None:
                cosigned[witness.name] = timestamp
        return Checked(checkpoint, cosigned, key)

    def _valid_key(self, signed: set[bytes], size: int) -> str:
        """Which of these keys of the journal was valid at this size, in words. Raises PolicyError when none was."""
        for log in self.logs:
            ident = log.verifier.key_id
            until = self.until.get(ident)
            if ident in signed and (until is None or size <= until):
                if until is not None:
                    return f"{ident.hex()}, valid up to entry {until}"
                return (
                    f"{ident.hex()}, valid since entry {max(self.until.values())}"
                    if self.until
                    else ident.hex()
                )
        last = max(self.until[ident] for ident in signed if ident in self.until)
        raise PolicyError(
            f"The checkpoint is of {size} entries, and the key that signed it was valid up to entry {last} only:"
            " the journal has another key since, and nobody but a thief signs with this one."
        )
