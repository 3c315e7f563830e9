"""An S3 bucket with Object Lock as the place of a log's copy.

| object | written | locked (compliance mode) |
|---|---|---|
| full tiles, full bundles, segments, merged files | only if nothing is there (`If-None-Match: *`) | `retention_days` |
| checkpoint, pending | a new version, only over the one that we saw last (`If-Match`) | `state_days`, each |
| partial tiles and bundles, `next` | likewise a new version | not: the segments give them again |

Nothing is ever overwritten: the bucket has versioning, and a version under compliance lock cannot be deleted before
its time by anybody, the account's owner included. Who steals this mirror's credentials can hide objects behind
delete markers or newer versions; `read` then says so and what was signed is still underneath.

A PUT that was stored although its answer was lost is met again as "something is there": then the bytes decide.
"""

from __future__ import annotations

import datetime
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from kulla.journal.errors import FormatError, ImmutableError, MissingError
from kulla.journal.store import LogStore
from kulla.mirror.frames import StorageFailed
from kulla.mirror.stores import is_partial

log = logging.getLogger("kulla.mirror")

STATE = ("checkpoint", "pending")
AT_ONCE = 16  # requests
MAX_VERSIONS = 500  # of a state object that are looked at
CONFLICTS = 5  # tries of a PUT that met another at the same moment
_DAY = datetime.timedelta(days=1)
_T = TypeVar("_T")


def open_bucket(settings: Mapping[str, Any], name: str) -> S3Store:
    """The place below `prefix` of a bucket. `settings` is `store` of operator.json:

    bucket, prefix (""), region, endpoint (for S3 that is not Amazon's), retention_days (3650), state_days (7).
    Credentials come from boto3's usual places (environment, ~/.aws, the machine's role), never from operator.json.
    Raises FormatError, StorageFailed.
    """
    bucket, prefix = settings.get("bucket"), settings.get("prefix", "")
    days, state = settings.get("retention_days", 3650), settings.get("state_days", 7)
    if not isinstance(bucket, str) or not bucket or not isinstance(prefix, str):
        raise FormatError("`store` in operator.json must name a `bucket`; `prefix` is a text.")
    if type(days) is not int or type(state) is not int or days < 1 or state < 1:
        raise FormatError(
            "`retention_days` and `state_days` in operator.json are numbers of days, at least 1."
        )
    try:
        import boto3  # noqa: PLC0415  (an optional dependency)
        from botocore.config import Config  # noqa: PLC0415
    except ImportError:
        raise StorageFailed("boto3 is not installed: pip install -r requirements/mirror-s3.txt") from None
    client = boto3.client(
        "s3",
        region_name=settings.get("region"),
        endpoint_url=settings.get("endpoint"),
        config=Config(
            connect_timeout=5,
            read_timeout=20,
            retries={"max_attempts": 4, "mode": "standard"},
            max_pool_connections=AT_ONCE,
        ),
    )
    store = S3Store(client, bucket, f"{prefix.strip('/')}/{name}".lstrip("/"), days, state)
    store.require_lock()
    return store


class S3Store(LogStore):
    """One log's copy in a bucket. Thread-safe for readers; one writer (the copy's lock, and `If-Match`)."""

    def __init__(self, client: Any, bucket: str, prefix: str, retention_days: int, state_days: int) -> None:
        super().__init__()
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._retention, self._state_retention = retention_days * _DAY, state_days * _DAY
        self._etags: dict[str, str] = {}  # of the mutable objects' versions that we saw last
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3")
        self._guard = threading.Lock()

    @property
    def where(self) -> str:
        """How sentences to the operator name this place."""
        return f"s3://{self._bucket}/{self._prefix}"

    def require_lock(self) -> None:
        """Raise StorageFailed unless the bucket has versioning and Object Lock."""
        try:
            found = self._call(self._client.get_object_lock_configuration, Bucket=self._bucket)
        except MissingError:
            raise StorageFailed(f"there is no bucket {self._bucket}, or it has no Object Lock") from None
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise StorageFailed(f"the bucket {self._bucket} was made without Object Lock")

    # --- reading ------------------------------------------------------------------------------------------------

    def get(self, rel: str) -> bytes:
        """The bytes of the newest version at a path. Raises MissingError, StorageFailed."""
        answer = self._call(self._client.get_object, Bucket=self._bucket, Key=self._key(rel))
        if self._mutable(rel):
            self._etags[rel] = answer["ETag"]
        return self._body(answer)

    def part(self, rel: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes. Raises MissingError, StorageFailed."""
        if length <= 0:
            return b""
        span = f"bytes={offset}-{offset + length - 1}"
        return self._body(
            self._call(self._client.get_object, Bucket=self._bucket, Key=self._key(rel), Range=span)
        )

    def exists(self, rel: str) -> bool:
        """Whether something lies under this very path."""
        return self._head(rel) is not None

    def size(self, rel: str) -> int:
        """Length in bytes, also of a segment in a merged file. Raises MissingError, StorageFailed."""
        head = self._head(rel)
        return len(self.read(rel)) if head is None else int(head["ContentLength"])

    def locked_until(self, rel: str) -> datetime.datetime | None:
        """Until when the newest version cannot be deleted (compliance mode); None when it can."""
        head = self._head(rel)
        if head is None or head.get("ObjectLockMode") != "COMPLIANCE":
            return None
        until: datetime.datetime = head["ObjectLockRetainUntilDate"]
        return until

    def names(self, rel: str) -> list[str]:
        """The names in a folder of the layout."""
        prefix, found = self._key(rel) + "/", []
        for page in self._pages("list_objects_v2", Prefix=prefix, Delimiter="/"):
            found += [item["Key"].removeprefix(prefix) for item in page.get("Contents", [])]
            found += [
                item["Prefix"].removeprefix(prefix).rstrip("/") for item in page.get("CommonPrefixes", [])
            ]
        return found

    def versions(self, rel: str) -> Iterator[bytes]:
        """The versions of an object, newest first, at most 500 different ones; delete markers are passed over."""
        key = self._key(rel)
        seen: set[str] = set()
        for page in self._pages("list_object_versions", Prefix=key):
            for item in page.get("Versions", []):
                if item["Key"] != key or item["ETag"] in seen:
                    continue
                if len(seen) == MAX_VERSIONS:
                    return
                seen.add(item["ETag"])
                answer = self._call(
                    self._client.get_object, Bucket=self._bucket, Key=key, VersionId=item["VersionId"]
                )
                yield self._body(answer)

    # --- writing ------------------------------------------------------------------------------------------------

    def put_many(self, files: Mapping[str, bytes]) -> None:
        """Store what will never change, all at once. Raises ImmutableError, StorageFailed."""
        self._all(lambda item: self._create(*item, or_replace=False), files.items())

    def replace_many(self, files: Mapping[str, bytes]) -> None:
        """Store what no signature covers yet; other bytes that stood there become an older version."""
        self._all(lambda item: self._create(*item, or_replace=True), files.items())

    def replace(self, rel: str, data: bytes) -> None:
        """A new version of an object. For the state objects: only over the version that we saw last.

        So a second mirror on the same bucket cannot go on: it, or we, are refused. Raises StorageFailed.
        """
        if not self._mutable(rel):
            self._create(rel, data, or_replace=True)
            return
        known = self._etags.get(rel)
        guard = {"IfMatch": known} if known else {"IfNoneMatch": "*"}
        etag = self._put(rel, data, guard)
        if etag is None:
            head = self._head(rel)
            if head is None or self.get(rel) != data:
                raise StorageFailed(f"another program wrote {rel} in {self.where}")
            etag = head["ETag"]
        self._etags[rel] = etag

    def remove(self, rel: str) -> None:
        """Hide a file behind a delete marker; a folder of partial tiles is removed for good (it has no lock)."""
        if rel.endswith(".p"):
            for name in self.names(rel):
                self.drop(f"{rel}/{name}")
            return
        self._call(self._client.delete_object, Bucket=self._bucket, Key=self._key(rel))
        self._etags.pop(rel, None)

    def drop(self, rel: str) -> bool:
        """Remove all versions of an object. False when a lock forbids it (then nothing is hidden either)."""
        key = self._key(rel)
        for page in self._pages("list_object_versions", Prefix=key):
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                if item["Key"] == key and not self._delete_version(key, item["VersionId"]):
                    return False
        return True

    def settle(self) -> None:
        """Nothing to do: every request was durable when it was answered."""

    # --- inside -------------------------------------------------------------------------------------------------

    def _create(self, rel: str, data: bytes, *, or_replace: bool) -> None:
        if self._put(rel, data, {"IfNoneMatch": "*"}) is not None:
            return
        for _ in range(CONFLICTS):
            head = self._head(rel)
            if head is not None and self.get(rel) == data:
                return
            if not or_replace:
                raise ImmutableError(f"{rel} is stored already, with other content.")
            guard = {"IfMatch": head["ETag"]} if head else {"IfNoneMatch": "*"}
            if self._put(rel, data, guard) is not None:
                return
        raise StorageFailed(f"{rel} in {self.where} changes all the time")

    def _put(self, rel: str, data: bytes, guard: Mapping[str, str]) -> str | None:
        """Write one version; its ETag, or None when the condition did not hold. Raises StorageFailed.

        S3 answers 200 only once the object is stored durably; the checksum makes sure that it is these bytes.
        """
        lock: dict[str, Any] = {}
        if not is_partial(rel) and rel != "next":
            keep = self._state_retention if rel in STATE else self._retention
            until = datetime.datetime.now(datetime.UTC) + keep
            lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        for attempt in range(CONFLICTS):
            try:
                answer = self._call(
                    self._client.put_object,
                    Bucket=self._bucket,
                    Key=self._key(rel),
                    Body=data,
                    ChecksumAlgorithm="SHA256",
                    **guard,
                    **lock,
                )
            except _Precondition:
                return None
            except _Conflict:
                time.sleep(0.05 * (attempt + 1))
                continue
            if not answer.get("VersionId"):
                raise StorageFailed(f"the bucket {self._bucket} keeps no versions")
            etag: str = answer["ETag"]
            return etag
        raise StorageFailed(f"{rel} in {self.where} is written by others at the same time")

    def _delete_version(self, key: str, version: str) -> bool:
        try:
            self._call(self._client.delete_object, Bucket=self._bucket, Key=key, VersionId=version)
        except _Denied:
            return False
        return True

    def _head(self, rel: str) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self._call(
                self._client.head_object, Bucket=self._bucket, Key=self._key(rel)
            )
            return head
        except MissingError:
            return None

    def _key(self, rel: str) -> str:
        if not rel or any(part in {"", ".", ".."} for part in rel.split("/")):
            raise FormatError(f"{rel!r} is not a path in a log folder.")
        return f"{self._prefix}/{rel}"

    @staticmethod
    def _mutable(rel: str) -> bool:
        return rel in STATE or rel == "next"

    def _pages(self, name: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        pages = iter(self._client.get_paginator(name).paginate(Bucket=self._bucket, **arguments))
        while (page := self._call(lambda: next(pages, None))) is not None:
            yield page

    def _all(self, work: Callable[[_T], None], items: Iterable[_T]) -> None:
        """Do it for each, several at a time; the first failure is raised once all have ended."""
        futures = [self._pool.submit(work, item) for item in items]
        faults = [future.exception() for future in futures]
        for fault in faults:
            if fault is not None:
                raise fault

    def _body(self, answer: Mapping[str, Any]) -> bytes:
        data: bytes = self._call(answer["Body"].read)
        return data

    def _call(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """One request. Raises MissingError, StorageFailed or, for writers, what their condition met."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (boto3 is optional)

        try:
            return function(**arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if code in {"NoSuchKey", "NoSuchBucket", "NoSuchVersion"} or status == 404:
                raise MissingError(f"It is not in {self.where}.") from None
            if status == 412:
                raise _Precondition from None
            if status == 409:
                raise _Conflict(code) from None
            if code in {"AccessDenied", "AccessDeniedByLock"}:
                raise _Denied(f"{self.where} denies access") from None
            if code == "InvalidRange" or status == 416:
                raise MissingError(f"It is shorter in {self.where} than its index says.") from None
            raise StorageFailed(f"{self.where} answered {code or status}") from None
        except BotoCoreError as error:
            raise StorageFailed(f"{self.where} does not answer ({type(error).__name__})") from None


class _Precondition(StorageFailed):
    """The condition of a PUT did not hold: something is there, or another version."""


class _Conflict(StorageFailed):
    """Another write of the same object was under way."""


class _Denied(StorageFailed):
    """Access denied; for a version under lock, that is the lock."""
