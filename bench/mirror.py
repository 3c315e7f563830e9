"""How fast a new mirror catches up from another, and how fast one is audited.

Real processes on loopback that fsync. The journal is made for it: rounds of 200 entries, payloads of 700 bytes.
Two sources are measured: as pushes leave it (one file a round), and merged as after ten minutes of upkeep.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.town import say
from kulla.journal.checkpoint import Checkpoint
from kulla.journal.merkle import leaf_hash
from kulla.journal.note import Signer, sign_note
from kulla.journal.segment import encode_segment, parse_segment, seal_segment
from kulla.journal.store import LogFolder, segment_path
from kulla.journal.tiles import Edge, new_bundles, tile_path
from kulla.mirror.app import origin_hash
from kulla.mirror.commands import audit, catch_up
from kulla.mirror.config import create_operator, load_config
from kulla.mirror.merging import merge
from kulla.mirror.options import ClientTls
from kulla.mirror.stores import FolderStore
from kulla.mirror.testkit import RunningMirror, free_port

ENTRIES = 200_000
ROUND = 200
PAYLOAD = 700  # bytes
ORIGIN = "bench.kulla.example/journal"


def figures() -> Iterator[tuple[str, float]]:
    """mirror.catch_up_per_s, mirror.catch_up_merged_per_s, mirror.catch_up_mb_per_s, mirror.audit_per_s."""
    with tempfile.TemporaryDirectory() as place:
        folder, signer = Path(place), Signer.generate(ORIGIN)
        reader = Signer.generate("reader.example")
        (folder / "reader.key").write_text(reader.skey)
        source = _mirror(folder / "source", signer, reader.vkey)
        log = _fill(source, signer)
        octets = sum(log.size(segment_path(*span)) for span in log.segments())
        say(f"  a journal of {ENTRIES} entries in {ENTRIES // ROUND} segments, {octets / 1e6:.0f} MB")
        yield "mirror.catch_up_per_s", ENTRIES / _catch_up(folder, "one", source, signer)
        begin = time.monotonic()
        done = merge(FolderStore(log.path), ENTRIES)
        say(f"  {done.merged} segments merged into {done.files} files in {time.monotonic() - begin:.1f} s")
        seconds = _catch_up(folder, "two", source, signer)
        yield "mirror.catch_up_merged_per_s", ENTRIES / seconds
        yield "mirror.catch_up_mb_per_s", octets / 1e6 / seconds
        begin = time.monotonic()
        assert audit(folder / "two", None, say) == 0
        yield "mirror.audit_per_s", ENTRIES / (time.monotonic() - begin)


def _mirror(home: Path, signer: Signer, reader: str | None = None) -> RunningMirror:
    port = free_port()
    readers = [reader] if reader else []
    vkey = create_operator(home, 1, ORIGIN, signer.vkey, signer.vkey, port, readers=readers)
    return RunningMirror(home.name, vkey, port, home)


def _fill(mirror: RunningMirror, signer: Signer) -> LogFolder:
    """A whole journal in the stopped mirror's folder, as pushes would have left it."""
    log = LogFolder(mirror.home / "mirror" / origin_hash(ORIGIN))
    edge, bundle = Edge(0, ()), b""
    recipient = os.urandom(32)
    while edge.size < ENTRIES:
        first = edge.size
        header, sealed = seal_segment(first, [os.urandom(PAYLOAD)] * ROUND, [recipient])
        data = encode_segment(header, sealed, [os.urandom(32)] * ROUND)
        leaves = parse_segment(data).leaves()
        files, edge = edge.append([leaf_hash(leaf) for leaf in leaves])
        files |= new_bundles(first, bundle, leaves) | {segment_path(first, edge.size): data}
        n, width = divmod(edge.size, 256)
        bundle = files[tile_path("entries", n, width)] if width else b""
        last = edge.size == ENTRIES
        log.replace_many({path: data for path, data in files.items() if last or ".p/" not in path})
    for level, partial in enumerate(edge.partials):
        if partial:
            log.replace(tile_path(level, edge.size // 256 ** (level + 1), len(partial) // 32), partial)
    body = Checkpoint(ORIGIN, edge.size, edge.root()).body()
    cosigner = load_config(mirror.home / "operator.json").cosigner
    log.write_checkpoint_note(sign_note(body, signer.sign) + cosigner.cosign(body, int(time.time())))
    return log


def _catch_up(folder: Path, name: str, source: RunningMirror, signer: Signer) -> float:
    """Seconds that a new mirror took, all of it on disk and cosigned."""
    fresh = _mirror(folder / name, signer)
    source.start()
    begin = time.monotonic()
    try:
        config, key = fresh.home / "operator.json", folder / "reader.key"
        assert catch_up(config, source.url, key, ClientTls(None, None, None), say) == 0
    finally:
        seconds = time.monotonic() - begin
        source.stop()
    print(f"  caught up in {seconds:.1f} s", file=sys.stderr)
    return seconds
