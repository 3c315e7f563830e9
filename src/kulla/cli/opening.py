"""What opens a journal for a command: the holders' rebuild key from a folder, else the running keeper."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from kulla.cli.errors import CommandError
from kulla.cli.home import Home


def segment_keys(home: Home, holders: Path | None, caller: str) -> Callable[[bytes], bytes]:
    """A function from a segment's header to its key. Django must be set up. Raises CommandError when nothing opens it.

    The keeper gives 5,000 keys an hour and 20,000 a day (keeper.json); the holders' key knows no limit.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from kulla.cli.restoring import key_file
    from kulla.cli.supervisor import processes
    from kulla.journal.segment import open_segment_key
    from kulla.registry.door import keeper

    if holders is not None:
        private = X25519PrivateKey.from_private_bytes(key_file(holders, "rebuild.key"))
        return lambda header: open_segment_key(header, private)
    if processes.socket_answers(home.socket("keeper.sock")):
        return lambda header: keeper().segment_key(header, caller)
    raise CommandError(f"The keeper does not run; give the holders' keys with --keys HOLDERS to {caller}.")


def moment_ms(text: str) -> int:
    """A time as a command's argument: 2026-07-15, 2026-07-15T06:30 or with an offset; UTC unless it says otherwise.

    Gives ms since 1970 UTC. Raises ArgumentTypeError with what is wrong.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-07-15 or 2026-07-15T06:30 (UTC), or an offset such as +02:00 behind it"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
