"""A log folder on disk, written so that what was acknowledged is there after a power cut.

    checkpoint                      the newest published checkpoint, a signed note (replaced atomically)
    tile/<L>/<N>[.p/<W>]            Merkle tiles            } as C2SP tlog-tiles
    tile/entries/<N>[.p/<W>]        entry bundles           }
    segment/<first // 65536>/<first>-<next>   sealed payloads, one object per checkpoint
    merged/<first // 65536>/<first>-<next>    older segments, many in one file (merged.py); readers need not know
    staged                          a signed checkpoint on its way to the mirrors (only in the journal's own folder)
    lock                            flock of the one process that writes

Durability: each file is written to a temporary name, fsynced, and renamed; then each directory touched is
fsynced, new directories' parents included. A batch writes all its files first and fsyncs afterwards, so that
the file system can join the commits. Limits: relies on rename being atomic and on fsync reaching the disk
(not so on some network file systems and with volatile write caches).
"""

import contextlib
import fcntl
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .errors import FormatError, ImmutableError, JournalBusy, MissingError
from .merged import MergedIndex, read_index

SEGMENTS_PER_FOLDER = 65536  # leaf indexes, not files

# Random, because after a crash another process may get the same pid and find our temporary files still there.
_token = os.urandom(6).hex()
_counter = itertools.count()


def segment_path(first: int, following: int) -> str:
    """The path of the segment with the payloads of leaves [first, following)."""
    return f"segment/{first // SEGMENTS_PER_FOLDER:06d}/{first}-{following}"


def parse_segment_path(path: str) -> tuple[int, int]:
    """(first, next) of a segment's path. Raises FormatError for any other spelling."""
    first, _, following = path.rpartition("/")[2].partition("-")
    if first.isascii() and following.isascii() and first.isdigit() and following.isdigit():
        bounds = int(first), int(following)
        if bounds[0] < bounds[1] and segment_path(*bounds) == path:
            return bounds
    raise FormatError(f"{path!r} is not the path of a segment.")


def merged_path(first: int, following: int) -> str:
    """The path of a merged file with the segments of leaves [first, following)."""
    return f"merged/{first // SEGMENTS_PER_FOLDER:06d}/{first}-{following}"


class LogStore:
    """What every place that holds a log in the layout above offers to readers, a folder or another.

    A place gives `get`, `part` and `names`; the segments inside merged files are found here.
    """

    INDEXES = 8  # of merged files that are kept in memory

    def __init__(self) -> None:
        self._indexes: dict[str, MergedIndex] = {}

    def get(self, rel: str) -> bytes:
        """The bytes of the file at a path. Raises MissingError."""
        raise NotImplementedError

    def part(self, rel: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes of the file at a path. Raises MissingError."""
        raise NotImplementedError

    def names(self, rel: str) -> list[str]:
        """The names in a folder of the layout; none when there is no such folder."""
        raise NotImplementedError

    def read(self, rel: str) -> bytes:
        """The bytes at a path; a segment may lie in a merged file. Raises MissingError. This is a `tiles.Fetch`."""
        try:
            return self.get(rel)
        except MissingError:
            if not rel.startswith("segment/"):
                raise
            try:
                bounds = parse_segment_path(rel)
            except FormatError:
                bounds = None
            if bounds is None:
                raise
            inside = self._inside(bounds)
            if inside is None:
                raise
            path, offset, length = inside
            return self.part(path, offset, length)

    def read_checkpoint_note(self) -> str | None:
        """The published checkpoint as a signed note; None when nothing was published yet."""
        try:
            return self.read("checkpoint").decode("utf-8")
        except MissingError:
            return None

    def segments(self, start: int = 0) -> Iterator[tuple[int, int]]:
        """(first, next) of the stored segments that hold any payload from leaf `start` on, in order."""
        names = {*self.names("segment"), *self.names("merged")}
        for name in sorted((name for name in names if name.isascii() and name.isdigit()), key=int):
            if (int(name) + 2) * SEGMENTS_PER_FOLDER <= start:
                continue  # a segment has at most as many entries as a folder
            for first, following in self._segments_in(name):
                if following > start:
                    yield first, following

    def segment_at(self, index: int) -> tuple[int, int]:
        """(first, next) of the segment that holds the payload of leaf `index`. Raises MissingError."""
        folder = index // SEGMENTS_PER_FOLDER
        while folder >= 0:  # a segment may begin in an earlier folder
            at = [s for s in self._segments_in(f"{folder:06d}") if s[0] <= index]
            if at:
                if at[-1][1] > index:
                    return at[-1]
                break
            folder -= 1
        raise MissingError(f"No segment holds the payload of entry {index}.")

    def merged(self, folder: str) -> list[tuple[int, int]]:
        """(first, next) of the merged files in a folder such as "000001", in order."""
        return _intervals(self.names(f"merged/{folder}"))

    def index_of(self, first: int, following: int) -> MergedIndex:
        """The index of a merged file. Raises MissingError, FormatError."""
        path = merged_path(first, following)
        index = self._indexes.get(path)
        if index is None:
            index = read_index(lambda offset, length: self.part(path, offset, length), first, following)
            while len(self._indexes) >= self.INDEXES:
                self._indexes.pop(next(iter(self._indexes)), None)
            self._indexes[path] = index
        return index

    def _segments_in(self, folder: str) -> list[tuple[int, int]]:
        # Single files first: one that is merged and removed meanwhile is found by either listing.
        found = set(_intervals(self.names(f"segment/{folder}")))
        for first, following in self.merged(folder):
            with contextlib.suppress(FormatError):  # a damaged index shows as segments that are nowhere
                found.update(self.index_of(first, following).inside)
        return sorted(found)

    def _inside(self, bounds: tuple[int, int]) -> tuple[str, int, int] | None:
        """(path, offset, length) of a segment that lies in a merged file."""
        for first, following in self.merged(f"{bounds[0] // SEGMENTS_PER_FOLDER:06d}"):
            if first <= bounds[0] and bounds[1] <= following:
                with contextlib.suppress(FormatError):
                    found = self.index_of(first, following).inside.get(bounds)
                    if found:
                        return merged_path(first, following), *found
        return None


class LogFolder(LogStore):
    """A folder in the layout above. Safe for many readers and one writer (take `lock` to write)."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = Path(path)
        self._known: set[Path] = set()  # directories known to exist durably

    # --- reading ---

    def full(self, rel: str) -> Path:
        """The path on disk. Raises FormatError for anything that would leave the folder."""
        parts = rel.split("/")
        if not rel or "\0" in rel or any(p in {"", ".", ".."} for p in parts):
            raise FormatError(f"{rel!r} is not a path in a log folder.")
        return self.path.joinpath(*parts)

    def get(self, rel: str) -> bytes:
        """The bytes of the file at a path. Raises MissingError."""
        try:
            return self.full(rel).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as e:
            raise MissingError(f"{rel} is not in the log folder.") from e

    def part(self, rel: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes of the file at a path. Raises MissingError."""
        try:
            with self.full(rel).open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except (FileNotFoundError, NotADirectoryError) as e:
            raise MissingError(f"{rel} is not in the log folder.") from e

    def names(self, rel: str) -> list[str]:
        """The names in a folder of the layout; none when there is no such folder."""
        try:
            return [entry.name for entry in self.full(rel).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def exists(self, rel: str) -> bool:
        """Whether there is a file at a path."""
        return self.full(rel).is_file()

    def size(self, rel: str) -> int:
        """The length in bytes of a file or of a segment in a merged file. Raises MissingError."""
        try:
            return self.full(rel).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return len(self.read(rel))

    # --- writing ---

    def put_immutable(self, rel: str, data: bytes) -> None:
        """Store durably what will never change. The same bytes again are fine; raises ImmutableError for others."""
        self.put_many({rel: data})

    def put_many(self, files: Mapping[str, bytes]) -> None:
        """`put_immutable` for many files, with one fsync per file and per directory. Raises ImmutableError."""
        new = {}
        for rel, data in files.items():
            target = self.full(rel)
            try:
                if target.read_bytes() != data:
                    raise ImmutableError(f"{rel} is stored already, with other content.")
            except (FileNotFoundError, NotADirectoryError):
                new[target] = data
        self._write(new)

    def replace(self, rel: str, data: bytes) -> None:
        """Store durably a file that may change (the checkpoint, the staged file)."""
        self._write({self.full(rel): data})

    def replace_many(self, files: Mapping[str, bytes]) -> None:
        """`replace` for many files, with one fsync per file and per directory."""
        self._write({self.full(rel): data for rel, data in files.items()})

    def write_checkpoint_note(self, note: str) -> None:
        """Publish a checkpoint."""
        self.replace("checkpoint", note.encode("utf-8"))

    def remove(self, rel: str) -> None:
        """Remove a file or a folder of outdated partial tiles, if it is there. Not made durable."""
        target = self.full(rel)
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            self._known.discard(target)
        else:
            target.unlink(missing_ok=True)

    def _write(self, files: Mapping[Path, bytes]) -> None:
        touched = {self._durable_folder(target.parent) for target in files}
        written: list[tuple[int, Path, Path]] = []
        try:
            for target, data in files.items():
                temporary = target.parent / f".new-{_token}-{next(_counter)}"
                fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
                written.append((fd, temporary, target))
                _write_all(fd, data)
            for fd, _, _ in written:
                os.fsync(fd)
        except BaseException:
            for fd, temporary, _ in written:
                os.close(fd)
                temporary.unlink(missing_ok=True)
            raise
        for fd, temporary, target in written:
            os.close(fd)
            temporary.rename(target)
        for folder in touched:
            sync_folder(folder)

    def _durable_folder(self, folder: Path) -> Path:
        if folder not in self._known:
            if folder == self.path:
                folder.mkdir(parents=True, exist_ok=True)
                sync_folder(folder.parent)
            else:
                self._durable_folder(folder.parent)
                folder.mkdir(exist_ok=True)
                sync_folder(folder.parent)
            self._known.add(folder)
        return folder

    # --- one writer ---

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder's lock (flock, released when the process dies). Raises JournalBusy at once if taken."""
        self._durable_folder(self.path)
        fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as e:
                raise JournalBusy(f"Another process writes to {self.path}.") from e
            yield
        finally:
            os.close(fd)


def sync_folder(folder: Path) -> None:
    """fsync a directory, so that renames in it survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_all(fd: int, data: bytes, write: Callable[[int, memoryview], int] = os.write) -> None:
    view = memoryview(data)
    while view:
        view = view[write(fd, view) :]


def _intervals(names: Iterable[str]) -> list[tuple[int, int]]:
    found = []
    for name in names:
        first, dash, following = name.partition("-")
        if dash and name.isascii() and first.isdigit() and following.isdigit():
            found.append((int(first), int(following)))
    return sorted(found)
