"""Answer an attacker's valid acts by compensating entries, after an attacker's stay.

Everything that the actor recorded in that time is answered by a new entry that says which one it answers: a booking
is cancelled, a cancelled appointment stands again, hours become what they were. Nothing is rewritten; people
concerned are told where the service has a notice. What a later entry of someone else depends on, and what no entry
can answer, is listed and left as it is: a person decides about it.

An actor is one of
  official:NAME      an official, by number or sign-in name         (asks the running keeper)
  session:SID        an official's session                          (asks the running keeper)
  person:UUID        a person's pseudonym in one service
  office:UUID        whoever acted for an office
  attestation:HEX    one entering of a session into a service
  job:NAME           timed work

Run it first with --dry-run: the same is done and rolled back, and what it prints is what would happen. End the
sessions first (kulla rotate, or the operator's pages), or the actor goes on meanwhile. A run that was broken off is
run again; a second run does nothing. Who ran it stands in the journal: the account on this machine.

examples:
  kulla undo --home /srv/kulla --actor official:rec-07 --since 2025-05-01 --dry-run
  kulla undo --home /srv/kulla --actor official:rec-07 --since 2025-05-01 --until 2026-07-15
  kulla undo --home /srv/kulla --actor person:0190… --since 2026-07-01 --kind appointment.booked

exit codes:
  0  every act is answered
  1  some are left for a person; each is named, with the entries that depend on it
  2  not done: one sentence says why; what was answered until then stays answered
"""

import argparse
from pathlib import Path

from kulla.cli.opening import moment_ms

SUMMARY = "answer an attacker's acts by compensating entries"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, required=True, metavar="DIR", help="the folder of the country")
    parser.add_argument("--actor", required=True, metavar="WHO", help="whose acts: see above")
    parser.add_argument(
        "--since", type=moment_ms, required=True, metavar="TIME", help="the first moment, UTC"
    )
    parser.add_argument(
        "--until", type=moment_ms, metavar="TIME", help="the first moment after, UTC; default: now"
    )
    parser.add_argument("--kind", default="", metavar="KIND", help="only entries of this kind")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="HOLDERS",
        help="the folder with the holders' keys; default: ask the keeper",
    )


def account() -> str:
    """Who runs this, as far as this machine knows: account@host."""
    import getpass
    import os
    import socket

    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()}"


def run(args: argparse.Namespace) -> int:
    from kulla.cli import django_home
    from kulla.cli.home import open_home
    from kulla.cli.opening import segment_keys
    from kulla.cli.progress import Progress
    from kulla.cli.supervisor import processes

    home = open_home(args.home)
    django_home.setup(home)
    from kulla.journal.policy import Policy
    from kulla.record.undoing.actors import matcher
    from kulla.record.undoing.run import Wanted, undo
    from kulla.registry.door import keeper

    runs = processes.socket_answers(home.socket("keeper.sock"))
    reading = Progress("reading the journal")
    done = undo(
        journal=home.portal / "journal",
        policy=Policy.parse(home.policy.read_text()),
        segment_key=segment_keys(home, args.keys, "undo"),
        wanted=Wanted(account(), args.actor, args.since, args.until, args.kind),
        matches=matcher(args.actor, keeper().traced if runs else None),
        say=lambda line: print(line, flush=True),
        dry_run=args.dry_run,
        scratch=home.portal,
        progress=lambda _step, now, total: reading(now, total),
    )
    answered = "would be answered" if args.dry_run else "answered"
    print(f"{done.answered} {answered}, {done.left} left for a person, {done.before} answered before.")
    return 1 if done.left else 0
