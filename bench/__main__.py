"""Prints each figure as a line `name: value`; progress and faults go to standard error.

Usage: python -m bench [booking|compare|journal|people]
"""

import sys
from collections.abc import Callable, Iterator

from bench import booking, compare, journal, mirror, people

PARTS: dict[str, Callable[[], Iterator[tuple[str, float]]]] = {
    "booking": booking.figures,
    "compare": compare.figures,
    "journal": journal.figures,
    "mirror": mirror.figures,
    "people": people.figures,
}


def main(arguments: list[str]) -> int:
    """Run all parts, or the one named."""
    if unknown := [name for name in arguments if name not in PARTS]:
        print(f"There is no figure {', '.join(unknown)}; there are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    for name in arguments or PARTS:
        for figure, value in PARTS[name]():
            print(f"{figure}: {value:.4g}" if value < 1000 else f"{figure}: {value:.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
