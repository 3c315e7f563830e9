"""Files that people send: taken into memory only, bounded, and only by views that say so.

A view takes files when it carries `@takes_files`; to every other view a form with a file is refused as before. A file
that is too large is let go while it comes in and noted on the request, so that the rest of the form is read and
nothing that was typed is lost. Nothing is ever written to a disk of the portal.
"""

import io
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve

LARGEST = 2 * 1024 * 1024  # bytes of one file
LONGEST = (
    32 * 1024 * 1024
)  # bytes of a form with files: what a telephone's camera makes, to be refused with words
MOST = 4  # files in one form
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def takes_files(view: View) -> View:
    """Say that forms sent to this view may carry files."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


def wanted(request: HttpRequest) -> bool:
    """Whether the view of this address takes files."""
    try:
        return getattr(resolve(request.path_info).func, "takes_files", False) is True
    except Resolver404:
        return False


def too_large(request: HttpRequest, name: str) -> bool:
    """Whether the field's file was let go because of its size."""
    return name in getattr(request, "files_too_large", ())


class Bounded(FileUploadHandler):
    """Django's upload handler for all forms: keeps at most LARGEST bytes of each of MOST files, in memory."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._parts: list[bytes] = []
        self._size = 0
        self._files = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file, unless there are too many."""
        super().new_file(*args, **kwargs)
        self._parts, self._size = [], 0
        self._files += 1
        if self._files > MOST:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Keep a part, or let the file go when it is too large."""
        del start
        self._size += len(raw_data)
        if self._size > LARGEST:
            self._parts = []
            if self.request is not None:
                known: frozenset[str] = getattr(self.request, "files_too_large", frozenset())
                self.request.files_too_large = known | {self.field_name}  # type: ignore[attr-defined]
            raise SkipFile
        self._parts.append(raw_data)
        return None

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """The file as the form sees it. Its name is the sender's word and is used for nothing."""
        del file_size
        content = io.BytesIO(b"".join(self._parts))
        return InMemoryUploadedFile(
            content, self.field_name, "document", self.content_type or "", self._size, self.charset
        )
