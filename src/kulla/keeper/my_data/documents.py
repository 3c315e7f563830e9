"""Documents that people send along: what a file is, is found from its content and never from its name.

Allowed are JPEG, PNG and PDF of at most 2 MB. Each is read as its format says, from the first byte to the last: what
stands behind the end of a picture, or in two formats at once, is refused. Pictures are not decoded here: a keeper
that holds everything runs no decoder on what strangers send.
"""

import re
import struct
import zlib

from kulla.keeper.errors import Refusal

MAX_BYTES = 2 * 1024 * 1024
MAX_PIXELS = 50_000_000  # a picture of few bytes must not unfold into gigabytes on the reader's screen
CHUNK = 48 * 1024  # bytes in one record
JPEG, PNG, PDF = "jpg", "png", "pdf"
TYPES = {JPEG: "image/jpeg", PNG: "image/png", PDF: "application/pdf"}

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_MARKUP = re.compile(
    rb"<\s*(?:!doctype\s+html|html|script|svg|iframe|body|img|object|embed)\b", re.IGNORECASE
)
# What lets a PDF act: scripts, programs, files inside. "#4a" in a name stands for a letter.
_PDF_ACTS = re.compile(
    rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|OpenAction|AA|SubmitForm|ImportData|GoToR|GoToE)"
    rb"(?![A-Za-z0-9])"
)
_PDF_NAME_SIGN = re.compile(rb"#([0-9A-Fa-f]{2})")
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = 65_557  # bytes in which a ZIP reader looks for the end


def kind_of(data: bytes) -> str:
    """The kind: jpg, png or pdf.

    Raises Refusal("bad_document") with the reason empty, too_large, kind, broken, acts or locked.
    """
    if not data:
        raise _refused("empty")
    if len(data) > MAX_BYTES:
        raise _refused("too_large")
    if data.startswith(b"\xff\xd8\xff"):
        kind = JPEG
        _check_jpeg(data)
    elif data.startswith(_PNG_START):
        kind = PNG
        _check_png(data)
    elif data.startswith(b"%PDF-"):
        kind = PDF
        _check_pdf(data)
    else:
        raise _refused("kind")
    if _MARKUP.search(data) or _ZIP_END in data[-_ZIP_TAIL:]:
        raise _refused("broken")
    return kind


def chunks(data: bytes) -> list[bytes]:
    """The parts that fit into records."""
    return [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]


def _refused(reason: str) -> Refusal:
    return Refusal("bad_document", "This document cannot be taken.", reason=reason)


def _check_png(data: bytes) -> None:
    """Every chunk with its checksum, from IHDR to IEND, and nothing behind it."""
    at, first, ended = len(_PNG_START), True, False
    while not ended:
        if at + 12 > len(data):
            raise _refused("broken")
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if length > MAX_BYTES or end > len(data) or not name.isalpha():
            raise _refused("broken")
        if zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise _refused("broken")
        if first and (name != b"IHDR" or length != 13):
            raise _refused("broken")
        if first:
            _check_size(*struct.unpack_from(">II", data, at + 8))
        if name[:1].isupper() and name not in _PNG_CRITICAL:
            raise _refused("broken")
        at, first, ended = end, False, name == b"IEND"
    if at != len(data):
        raise _refused("broken")


def _check_jpeg(data: bytes) -> None:
    """Every segment up to the picture's data, then the end mark as the very last bytes."""
    at, sized = 2, False
    while True:
        if at + 4 > len(data) or data[at] != 0xFF:
            raise _refused("broken")
        mark = data[at + 1]
        if mark == 0xFF:  # a fill byte
            at += 1
            continue
        length = struct.unpack_from(">H", data, at + 2)[0]
        if length < 2 or at + 2 + length > len(data):
            raise _refused("broken")
        if 0xC0 <= mark <= 0xCF and mark not in {0xC4, 0xC8, 0xCC}:
            if length < 8:
                raise _refused("broken")
            height, width = struct.unpack_from(">HH", data, at + 5)
            _check_size(width, height)
            sized = True
        at += 2 + length
        if mark == 0xDA:  # the picture's data begins
            break
    if not sized or _jpeg_end(data, at) != len(data):
        raise _refused("broken")


def _jpeg_end(data: bytes, at: int) -> int:
    """The place after the end mark (FF D9) of the picture's data; -1 when there is none.

    Inside the data FF is followed by 00 or a restart mark; progressive pictures have further segments in between.
    """
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        mark = data[at + 1]
        if mark == 0xD9:
            return at + 2
        if mark in {0x00, 0xFF} or 0xD0 <= mark <= 0xD7:
            at += 1 if mark == 0xFF else 2
            continue
        if at + 4 > len(data):
            return -1
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return -1


def _check_size(width: int, height: int) -> None:
    if not width or not height or width * height > MAX_PIXELS:
        raise _refused("broken")


def _check_pdf(data: bytes) -> None:
    """A PDF that only shows pages, as far as that can be seen without unpacking it."""
    if not re.match(rb"%PDF-[12]\.\d", data) or b"%%EOF" not in data[-1024:]:
        raise _refused("broken")
    if data[data.rindex(b"%%EOF") + 5 :].strip(b"\r\n \0\t"):
        raise _refused("broken")
    if b"startxref" not in data[-2048:]:
        raise _refused("broken")
    plain = _PDF_NAME_SIGN.sub(lambda found: bytes([int(found[1], 16)]), data)
    if re.search(rb"/Encrypt(?![A-Za-z0-9])", plain):
        raise _refused("locked")
    if _PDF_ACTS.search(plain):
        raise _refused("acts")
