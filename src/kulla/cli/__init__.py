"""The `kulla` command: one file per sub-command, each with SUMMARY, configure(parser) and run(args).

Steps of every call: (1) read the name of the sub-command, (2) import the command files, which import nothing
heavy themselves, (3) parse, (4) run, (5) turn every refusal into one sentence and exit code 2.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol, cast

from kulla.cli.errors import CommandError

# In the order of a person's first day, not of the alphabet.
COMMANDS = (
    "demo",
    "up",
    "portal",
    "keeper",
    "mirror",
    "rebuild",
    "undo",
    "rotate",
    "verify",
    "receipts",
    "journal",
    "people",
    "offices",
    "erasure",
    "migrate",
    "static",
)

DESCRIPTION = """\
Kulla, a national portal of public services that keeps its word while it is attacked.

A home is a folder with all that belongs to one country, or to one host of it. `kulla demo` makes a home with
invented people and `kulla up` runs it. The other commands are for those who run a portal, a keeper or a mirror,
bring one back, or check what it promised.
"""

EXAMPLES = """\
examples:
  kulla demo --home var/demo --people 5000      make a country to play with
  kulla up --home var/demo --port 8000          run all of it until Ctrl-C
  kulla verify receipt.txt --policy policy      check a receipt without any network
  kulla COMMAND --help                          the page of one command

exit codes:
  0  done
  1  the thing that was checked does not hold (verify, journal check, rebuild --compare)
  2  not done: wrong use, or one sentence says what is missing
"""


class Command(Protocol):
    """What each file of this folder offers."""

    SUMMARY: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class Manual(argparse.RawDescriptionHelpFormatter):
    """Keeps our lines, and leaves out the line with only the word COMMAND above the list of commands."""

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        return text.partition("\n")[2] if action.metavar == "COMMAND" else text


class Parser(argparse.ArgumentParser):
    """argparse with one plain sentence instead of a block of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help.\n")


def command(name: str) -> Command:
    return cast(Command, importlib.import_module(f"kulla.cli.{name}"))


def parser() -> argparse.ArgumentParser:
    """The whole command line; built without importing Django or any room."""
    top = Parser(
        prog="kulla",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=Manual,
    )
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name in COMMANDS:
        module = command(name)
        head, _, rest = (module.__doc__ or "").partition("\n\n")
        body, _, epilog = rest.partition("examples:\n")
        sub = subparsers.add_parser(
            name,
            help=module.SUMMARY,
            description=f"{head}\n\n{body}".strip(),
            epilog=f"examples:\n{epilog}" if epilog else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return top


def expected(error: BaseException) -> bool:
    """True for refusals that were written for people: ours, and what the operating system says about files."""
    return isinstance(error, CommandError | OSError) or any(
        base.__module__.startswith("kulla.") for base in type(error).__mro__ if base is not Exception
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. KULLA_TRACE=1 shows where an error came from."""
    whole = parser()
    args = whole.parse_args(argv)
    if args.command is None:
        whole.print_help()
        return 0
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        print("kulla: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output left (for example `| head`): nothing is wrong, nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("KULLA_TRACE") == "1":
            raise
        sentence = str(error).strip() or type(error).__name__
        if not expected(error):
            sentence = f"Something went wrong that should not ({type(error).__name__}: {sentence}). "
            sentence += "KULLA_TRACE=1 shows where."
        print(f"kulla {args.command}: {sentence}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
