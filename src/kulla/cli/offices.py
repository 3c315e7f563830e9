"""The first administrators of offices, roles that end, and the tree of offices.

first-admin is a ceremony at the keeper's own machine, with two people present. Each gives their number (they must be
in the register), chooses a password that the screen does not show, and takes a second factor into the telephone. Both
become administrators of the state, each granted by both, for a year. From then on roles are given on the pages, where
no administrator gives power alone. There is no second ceremony while two administrators of the state are left; where
one is left, that one must be one of the two and prove it. The keeper must not be running (it reads its records once, at
its start); the mirrors must be, since nothing counts without two key copies.

renew is for the state's administrators and the operator of the portal, whose roles end after a year: two of them, both
present, show password and code, and what both have goes on for a year. It works too when the roles have ended already,
unless somebody ended them. While anybody administers the state, one of those must be one of the two. --operator makes
one more person operator of the portal, who must be in the register.

examples:
  kulla offices first-admin --home /srv/kulla --state "Republika e Shqipërisë"
  kulla offices renew --home /srv/kulla
  kulla offices renew --home /srv/kulla --operator K12345678Q
  kulla offices list --home var/demo

exit codes:
  0  done
  2  not done: one sentence says why; nothing was changed
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from uuid import UUID

    from kulla.keeper.ceremony import Ceremony, Present, Renewal
    from kulla.keeper.core import Keeper
    from kulla.keeper.offices import Role

SUMMARY = "make the first administrators, renew roles, list the offices"
TRIES = 3
CLEAR = "\033[2J\033[3J\033[H"  # the screen and what was scrolled away
BORDER = 2
T = TypeVar("T")


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    first = actions.add_parser("first-admin", help="the ceremony; two people sit at the terminal")
    first.add_argument(
        "--state", default="", metavar="NAME", help="name of the state, where no office is it yet"
    )
    again = actions.add_parser(
        "renew", help="roles of administrators of the state and operators, a year more"
    )
    again.add_argument("--operator", default="", metavar="NUMBER", help="this person runs the portal too")
    listing = actions.add_parser("list", help="the tree of offices, with their ids")
    for action in (first, again, listing):
        where = action.add_mutually_exclusive_group(required=True)
        where.add_argument("--home", type=Path, metavar="DIR", help="the home whose keeper it is")
        where.add_argument("--config", type=Path, metavar="FILE", help="the keeper's keeper.json")


def run(args: argparse.Namespace) -> int:
    if args.action == "list":
        return _list(args)
    return _renew(args) if args.action == "renew" else _first_admin(args)


def _folder(args: argparse.Namespace) -> Path:
    from kulla.cli.home import open_home

    return open_home(args.home).keeper if args.home else Path(args.config.parent)


# The ceremony ------------------------------------------------------------------------------------------


def _first_admin(args: argparse.Namespace) -> int:
    """(1) the register is opened, (2) two people, one after the other, (3) both say yes, (4) one commit."""
    from kulla.cli.errors import CommandError
    from kulla.keeper import admin
    from kulla.keeper.ceremony import Ceremony

    _at_a_terminal()
    with admin.open_keeper(_folder(args)) as opened:
        ceremony = Ceremony(opened.keeper)
        left = ceremony.left()
        state = args.state.strip()
        if ceremony.needs_state() and not state:
            raise CommandError('No office is the state yet: give its name with --state "…".')
        print("Two people become administrators of the state. Both must be here now.\n")
        both: list[Present] = []
        for place in ("first", "second"):
            print(f"The {place} person")
            both.append(_person(ceremony, both, left))
        if left is not None and left not in {each.person for each in both}:
            raise CommandError("One administrator is left and must be one of the two. Nothing was changed.")
        _both_agree(both, "both to become administrators")
        ceremony.finish(both, state)
    print(f"{both[0].name} and {both[1].name} are administrators of the state for a year.")
    print("Start the keeper again; they sign in with number, password and code.")
    return 0


def _renew(args: argparse.Namespace) -> int:
    """(1) the register is opened, (2) two people show who they are, (3) both say yes, (4) one commit."""
    from kulla.keeper import admin
    from kulla.keeper.ceremony import Renewal

    _at_a_terminal()
    with admin.open_keeper(_folder(args)) as opened:
        renewal = Renewal(opened.keeper)
        operator = renewal.anyone(args.operator) if args.operator else None
        print("Two people renew their roles. Both must be here now.\n")
        both: list[Present] = []
        for place in ("first", "second"):
            print(f"The {place} person")
            both.append(_known(renewal, both))
        for each in both:
            print(f"{each.name}: {', '.join(_told(role, opened.keeper) for role in renewal.roles(each))}")
        wanted = "all of this to go on for a year"
        if operator:
            wanted += f", and {operator.name} to be the portal's operator"
        _both_agree(both, wanted)
        renewal.renew(both, operator)
    print("The roles go on for a year. Start the keeper again.")
    return 0


def _known(renewal: "Renewal", others: "list[Present]") -> "Present":
    """One who shows password and code."""
    from getpass import getpass

    from kulla.keeper.errors import KeeperError

    present = _again(lambda: renewal.who(input("  Number: "), others), KeeperError)
    print(f"  {present.name}: show your password and your code.")
    _again(lambda: _prove(renewal, present, getpass), KeeperError)
    return present


def _told(role: "Role", keeper: "Keeper") -> str:
    """A role in words, with its end."""
    from datetime import datetime

    end = f"{datetime.fromtimestamp(role.until / 1000, keeper.people.zone):%Y-%m-%d}"
    ends = f"ended on {end}" if role.until <= keeper.clock() else f"until {end}"
    return f"{'administrator of the state' if role.office else 'operator of the portal'} ({ends})"


def _at_a_terminal() -> None:
    from kulla.cli.errors import CommandError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("The ceremony needs a terminal with two people at it.")


def _both_agree(both: "list[Present]", wanted: str) -> None:
    from kulla.cli.errors import CommandError

    for each in both:
        if input(f"{each.name}, do you want {wanted}? Type yes: ").strip().lower() != "yes":
            raise CommandError("Not both said yes. Nothing was changed.")


def _person(ceremony: "Ceremony", others: "list[Present]", left: "UUID | None") -> "Present":
    from dataclasses import replace
    from getpass import getpass

    from kulla.keeper.errors import KeeperError

    present = _again(lambda: ceremony.who(input("  Number: "), others), KeeperError)
    print(f"  {present.name}")
    if present.person == left:
        print("  You administer already: show your password and your code.")
        _again(lambda: _prove(ceremony, present, getpass), KeeperError)
        return present

    def choose() -> str:
        password = getpass("  Choose a password (not shown): ")
        ceremony.check_password(present, password)
        if getpass("  The same again: ") != password:
            raise KeeperError("These were two different passwords.")
        return password

    password = _again(choose, KeeperError)
    secret, address = ceremony.new_secret()
    _show(secret, address)

    def confirm() -> None:
        if not ceremony.code_right(secret, input("  The code that the telephone shows now: ")):
            raise KeeperError("That code is wrong. Wait for the next one.")

    _again(confirm, KeeperError)
    print(CLEAR, end="")  # the secret was shown once
    print(f"{present.name}: password and second factor are ready.\n")
    return replace(present, password=password, secret=secret)


def _prove(ceremony: "Ceremony", present: "Present", hidden: Callable[[str], str]) -> None:
    from kulla.keeper.errors import KeeperError

    if not ceremony.proven(present, hidden("  Password (not shown): "), input("  Code: ")):
        raise KeeperError("The password or the code is wrong.")


def _show(secret: str, address: str) -> None:
    """The second factor, for the camera and for the hand."""
    import segno

    print("\n  Take this into the authenticator of your telephone:\n")
    segno.make(address, error="m").terminal(sys.stdout, border=BORDER, compact=True)
    print(f"\n  Or type it: {' '.join(secret[place : place + 4] for place in range(0, len(secret), 4))}\n")


def _again(ask: "Callable[[], T]", expected: type[Exception]) -> "T":
    """What `ask` gives, at most three times; the last refusal ends the ceremony."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except expected as error:
            print(f"  {error}")
    return ask()


# The list ----------------------------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    offices = _running(args)
    if offices is None:
        from kulla.keeper import admin

        with admin.open_keeper(_folder(args)) as opened:
            offices = [
                (each.id, each.parent, each.name, each.kind) for each in opened.keeper.offices.all(limit=-1)
            ]
    if not offices:
        print("There are no offices yet.")
        return 0
    state = next((each[0] for each in offices if each[3] == "state"), None)
    known = {each[0] for each in offices}
    below: dict[UUID | None, list[tuple[Any, ...]]] = {}
    for each in offices:
        above = each[1] if each[1] in known else state
        below.setdefault(None if each[0] == state else above, []).append(each)
    _print(below, None, 0)
    return 0


def _running(args: argparse.Namespace) -> "list[tuple[Any, ...]] | None":
    """The list from a keeper that runs; None when none answers."""
    from kulla.cli.home import open_home
    from kulla.keeper_client import KeeperUnavailable, connect

    if not args.home:
        return None
    client = connect(open_home(args.home).socket("keeper.sock"))
    try:
        return [(each.id, each.parent, each.name, each.kind) for each in client.offices()]
    except KeeperUnavailable:
        return None
    finally:
        client.close()


def _print(below: "dict[UUID | None, list[tuple[Any, ...]]]", over: "UUID | None", depth: int) -> None:
    for own, _parent, name, kind in sorted(below.get(over, []), key=lambda each: each[2]):
        print(f"{own}  {'  ' * depth}{name} ({kind})")
        _print(below, own, depth + 1)
