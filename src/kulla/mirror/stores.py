"""Where a mirror keeps its copy of a log: a folder, or an S3 bucket with Object Lock (s3.py).

Both are read alike (`LogStore`). Writing is durable on return: a mirror signs only after that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from kulla.journal.errors import FormatError, MissingError
from kulla.journal.merged import MergedIndex
from kulla.journal.store import LogFolder, sync_folder


class Store(Protocol):
    """What a log copy asks of its place. Paths are those of `LogFolder`.

    Every method raises StorageFailed or OSError when the place does not answer or refuses.
    """

    @property
    def where(self) -> str:
        """How sentences to the operator name this place."""
        ...

    def read(self, rel: str) -> bytes:
        """The bytes at a path. Raises MissingError."""
        ...

    def exists(self, rel: str) -> bool:
        """Whether something lies under this very path."""
        ...

    def size(self, rel: str) -> int:
        """Length in bytes. Raises MissingError."""
        ...

    def names(self, rel: str) -> list[str]:
        """The names in a folder."""
        ...

    def segments(self, start: int = 0) -> Iterator[tuple[int, int]]:
        """(first, next) of segments that reach beyond `start`, in order, those in merged files too."""
        ...

    def merged(self, folder: str) -> list[tuple[int, int]]:
        """(first, next) of the merged files of a segment folder."""
        ...

    def index_of(self, first: int, following: int) -> MergedIndex:
        """A merged file's index."""
        ...

    def put_many(self, files: Mapping[str, bytes]) -> None:
        """Store what will never change. The same bytes again are fine; raises ImmutableError for others."""
        ...

    def replace_many(self, files: Mapping[str, bytes]) -> None:
        """Store what no signature covers yet; what stood there gives way (in a bucket to a newer version)."""
        ...

    def replace(self, rel: str, data: bytes) -> None:
        """The same for one path."""
        ...

    def remove(self, rel: str) -> None:
        """Take a file or a folder of partial tiles out of sight; not made durable."""
        ...

    def drop(self, rel: str) -> bool:
        """Remove a file for good. False where a lock still forbids it."""
        ...

    def settle(self) -> None:
        """Make removals durable."""
        ...

    def versions(self, rel: str) -> Iterator[bytes]:
        """What stands, and stood, at a path, newest first, as far as the place remembers."""
        ...


class FolderStore(LogFolder):
    """A folder on a disk of this machine."""

    @property
    def where(self) -> str:
        """How sentences to the operator name this place."""
        return str(self.path)

    def drop(self, rel: str) -> bool:
        """Remove a file for good."""
        self.full(rel).unlink(missing_ok=True)
        return True

    def settle(self) -> None:
        """Make removals of state files durable."""
        sync_folder(self.path)

    def versions(self, rel: str) -> Iterator[bytes]:
        """A folder remembers only the newest."""
        try:
            yield self.get(rel)
        except MissingError:
            return


def is_partial(rel: str) -> bool:
    """Whether a path is that of a partial tile or bundle, which full ones make superfluous."""
    return ".p/" in rel


def open_store(settings: Mapping[str, Any] | None, home: Path, name: str) -> Store:
    """The place for one log's copy (`name`: the hash of its origin) by `store` of operator.json.

    Raises FormatError for settings that make no sense, StorageFailed when a bucket is not as it must be.
    """
    if settings is None or settings.get("kind", "folder") == "folder":
        return FolderStore(home / "mirror" / name)
    if settings.get("kind") != "s3":
        raise FormatError("`store` in operator.json has a `kind` that is neither folder nor s3.")
    from kulla.mirror.s3 import open_bucket  # noqa: PLC0415  (boto3 is there only where a bucket is used)

    return open_bucket(settings, name)
