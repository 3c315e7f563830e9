"""After an attacker's stay: every key of the portal and keeper anew, every session ended, officials enrol again.

Run it when the country was rebuilt (kulla rebuild), before it is opened (kulla up, kulla portal), with portal and
keeper stopped. The mirrors of other operators must run; those in this home are run meanwhile. It
  1. announces the journal's new key in an entry that the old key signs and two mirrors confirm;
  2. gives the keeper new keys, ends every session, and takes passwords, second factors and passkeys from everybody
     with a role, whose accounts are frozen until two administrators let them recover at a counter; two people
     begin anew with `kulla offices first-admin`;
     its records are sealed anew under a new root key;
  3. signs the last checkpoint with both keys and writes the new policy: what the old key signs after it is refused,
     receipts from before stay valid, and `kulla verify` says which key was valid when;
  4. brings the mirrors in this home over. Each other operator does it himself, after comparing the new key by
     telephone: kulla rotate --operator DIR --policy policy --checkpoint checkpoint --keeper keeper
Everything sealed before stays readable for the holders and the keeper. Broken off, it is run again and goes on.

examples:
  kulla rotate --home /srv/kulla --keys holders
  kulla rotate --operator /srv/mirror --policy policy --checkpoint checkpoint --keeper keeper

exit codes:
  0  done
  2  not done: one sentence says what is missing; run it again then
"""

import argparse
from pathlib import Path

SUMMARY = "new keys, no sessions, officials anew, after an attacker's stay"


def configure(parser: argparse.ArgumentParser) -> None:
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--home", type=Path, metavar="DIR", help="the home of portal and keeper")
    whose.add_argument(
        "--operator", type=Path, metavar="DIR", help="a mirror operator's folder, the mirror stopped"
    )
    parser.add_argument("--keys", type=Path, metavar="HOLDERS", help="the folder with the holders' keys")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="--operator: the new policy")
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="--operator: the note that both keys signed"
    )
    parser.add_argument("--keeper", type=Path, metavar="FILE", help="--operator: the keeper's new key")
    parser.add_argument(
        "--anew", action="store_true", help="--operator: where the mirror lags, begin its copy again"
    )


def run(args: argparse.Namespace) -> int:
    from kulla.cli import rotating
    from kulla.cli.errors import CommandError
    from kulla.cli.home import open_home

    def say(line: str) -> None:
        print(line, flush=True)

    if args.operator:
        if args.policy is None or args.checkpoint is None or args.keeper is None:
            raise CommandError("An operator gives --policy FILE, --checkpoint FILE and --keeper FILE.")
        papers = (path.read_text() for path in (args.policy, args.checkpoint, args.keeper))
        say(rotating.take_over(args.operator, *papers, anew=args.anew))
        return 0
    if args.keys is None:
        raise CommandError("A rotation needs --keys HOLDERS.")
    home = open_home(args.home)
    rotating.Rotation(home, args.keys, say).run()
    say("Done. Two people now run `kulla offices first-admin`, then the country may be opened.")
    return 0
