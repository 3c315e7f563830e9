#!/usr/bin/env python3
"""What we build on: every pin has a hash and no download address, every library a licence that we may use.

Usage: python scripts/check_pins.py

1. requirements/*.txt: each pin carries SHA-256 hashes; no address, no index option.
2. requirements/*.in: each line says licence and reason.
3. package-lock.json: each package has its integrity hash and records no address.
4. Each installed Python package and each locked npm package has a licence from the list below.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Permissive, or copyleft per file or library: all may be used by a program under EUPL-1.2 without changing it.
ALLOWED = re.compile(
    r"^(MIT([ -](License|0|CMU))?|(0|new |modified )?BSD.*|Apache.*|PSF.*|Python( Software Foundation)?.*|"
    r"ISC.*|MPL-2\.0|Mozilla Public License 2\.0.*|LGPL-(2\.1|3\.0)(-only|-or-later)?|EUPL-1\.2|"
    r"CC0-1\.0|Unlicense|BlueOak-1\.0\.0|Zlib|pytest-django is released under the BSD.*)$",
    re.IGNORECASE,
)
# npm packages that name their licence only in a file that we read: package -> what the file says.
READ = {"dejavu-fonts-ttf": "Bitstream Vera and public domain: free to use, embed and redistribute"}


def pins(path: Path) -> Iterator[str]:
    """Faults of one pins file."""
    text = path.read_text()
    for line in text.splitlines():
        if not line.startswith("#") and re.search(r"https?://|--(extra-)?index-url|--find-links| @ ", line):
            yield f"{path.name}: an address: {line.strip()}"
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    if not blocks:
        yield f"{path.name}: no pins in it"
    for block in blocks:
        name = block.split()[0]
        if "==" not in name:
            yield f"{path.name}: {name} is not pinned to one version"
        if "--hash=sha256:" not in block:
            yield f"{path.name}: {name} has no hash"


def reasons(path: Path) -> Iterator[str]:
    """Lines of a wish list that do not say licence and reason."""
    for line in path.read_text().splitlines():
        wish, _, why = line.partition("#")
        if (
            wish.strip()
            and not wish.startswith("-r")
            and not re.match(r"\s*[\w./+-]+( or [\w.-]+)?(:| *$)", why)
        ):
            yield f"{path.name}: {wish.strip()} says neither licence nor reason"


def lock(path: Path) -> Iterator[str]:
    """Faults of an npm lock file."""
    for name, package in json.loads(path.read_text())["packages"].items():
        if not name:
            continue
        short = name.removeprefix("node_modules/")
        if "resolved" in package:
            yield f"{path.name}: {short} records a download address"
        if "integrity" not in package:
            yield f"{path.name}: {short} has no integrity hash"
        if not allowed(package.get("license", "")) and short not in READ:
            yield f"npm package {short}: licence {package.get('license', 'unknown')!r} is not on our list"


def allowed(licence: str) -> bool:
    """Whether one alternative of a licence expression (all parts of an AND) is on the list."""
    licence = licence.strip().strip("()")
    return any(
        all(ALLOWED.match(part.strip(" ()")) for part in re.split(r" and ", way, flags=re.IGNORECASE))
        for way in re.split(r" or ", licence, flags=re.IGNORECASE)
    )


def licence_of(package: Distribution) -> str:
    """The licence that a Python package declares: expression, else classifier, else text."""
    meta = package.metadata
    if expression := meta.get("License-Expression"):
        return str(expression)
    kinds = [
        line.split("::")[-1].strip()
        for line in meta.get_all("Classifier", [])
        if line.startswith("License") and not line.endswith("OSI Approved")  # names a family, no licence
    ]
    return " AND ".join(kinds) or str(meta.get("License") or "unknown").splitlines()[0]


def main() -> int:
    """Print every fault; exit code 1 when there is one."""
    faults = [fault for path in sorted((ROOT / "requirements").glob("*.txt")) for fault in pins(path)]
    faults += [fault for path in sorted((ROOT / "requirements").glob("*.in")) for fault in reasons(path)]
    for path in sorted((ROOT / "src").glob("kulla/**/package-lock.json")):
        if "node_modules" not in path.parts:
            faults += lock(path)
    for package in distributions():
        if not allowed(licence_of(package)):
            faults.append(f"{package.metadata['Name']}: licence {licence_of(package)!r} is not on our list")
    for fault in faults:
        print(fault)  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
