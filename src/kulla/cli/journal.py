"""Look after a journal's folder.

`check` reads every tile, entry and segment and proves each of them up to the signed root: what it accepts is
exactly what the checkpoint says.

examples:
  kulla journal check var/demo/portal/journal --policy var/demo/policy
  kulla journal check /srv/mirror/mirror/3f… --policy policy

exit codes:
  0  every byte is accounted for
  1  something does not match; each finding is one line
  2  not checked: the folder or the policy is missing
"""

import argparse
import sys
from pathlib import Path

SUMMARY = "check a journal's folder against its signed root"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="prove every byte up to the signed root")
    check.add_argument("folder", type=Path, metavar="DIR", help="the journal's or a mirror's folder")
    check.add_argument(
        "--policy", type=Path, metavar="FILE", help="default: the policy of the home it lies in"
    )


def policy_for(folder: Path) -> Path:
    """The policy of the home that this folder lies in. Raises CommandError when there is none above it."""
    from kulla.cli.errors import CommandError

    for parent in folder.resolve().parents:
        if (parent / "policy").is_file():
            return parent / "policy"
    raise CommandError(f"No policy lies above {folder}; name one with --policy FILE.")


def run(args: argparse.Namespace) -> int:
    from kulla.cli.errors import CommandError
    from kulla.cli.progress import Progress
    from kulla.journal.check import check_folder

    if not (args.folder / "checkpoint").is_file():
        raise CommandError(f"{args.folder} is no journal: it has no checkpoint.")
    policy = (args.policy or policy_for(args.folder)).read_text()
    report = check_folder(args.folder, policy, Progress("checking"))
    for finding in report.problems:
        print(finding, file=sys.stderr)
    if report.problems:
        return 1
    print(f"{report.size} entries, every one proven up to the signed root.")
    return 0
