"""A journal with cosigned rounds in memory of one test: keys, claims and entries made up here."""

import hashlib
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.journal import log
from kulla.journal.claims import Claims
from kulla.journal.entry import Image, Payload, encode_payload
from kulla.journal.note import CosignerKey, Signer
from kulla.journal.store import LogFolder

ORIGIN = "demo.kulla.example/journal"


class DemoJournal:
    """Stages and publishes with cosignatures made at once, as if two mirrors stood by."""

    def __init__(self, path: Path, when: str = "") -> None:
        """`when` is one more claim of every entry, for those who look at times in words."""
        self.more = (("when", when),) if when else ()
        self.folder = LogFolder(path)
        self.signer = Signer.generate(ORIGIN)
        self.mirrors = [CosignerKey.generate(f"operator-{n}.example") for n in (1, 2, 3)]
        self.rebuild = X25519PrivateKey.generate()
        self.policy = (
            f"log {self.signer.vkey}\n"
            + "".join(f"witness operator-{n} {m.vkey}\n" for n, m in enumerate(self.mirrors, 1))
            + "group mirrors 2 operator-1 operator-2 operator-3\nquorum mirrors\n"
        )
        self.claims: list[bytes] = []
        self.note = ""

    def cosigned(self, note: str, body: str, mirrors: list[CosignerKey] | None = None) -> str:
        chosen = self.mirrors[:2] if mirrors is None else mirrors
        return note + "".join(m.cosign(body, 1_795_000_000 + i) for i, m in enumerate(chosen))

    def round(self, count: int) -> log.Staged:
        entries = []
        for _ in range(count):
            number = len(self.claims)
            claims = Claims(
                (("what", "Appointment booked"), ("where", f"Qendra {number}"), *self.more)
            ).encode()
            self.claims.append(claims)
            key = uuid.uuid4()
            row = Image("appointments_appointment", key, 1, {"id": key, "number": number})
            payload = Payload(uuid.uuid4(), 1, "appointment.booked", None, None, "job:test", b"", [row])
            entries.append((payload.uuid, encode_payload(payload), hashlib.sha256(claims).digest()))
        recipients = [self.rebuild.public_key().public_bytes_raw()]
        staged = log.stage(self.folder, self.signer, entries, recipients)
        self.note = self.cosigned(staged.note, staged.checkpoint.body())
        log.publish(self.folder, staged, self.note)
        log.clear_staged(self.folder, staged)
        return staged
