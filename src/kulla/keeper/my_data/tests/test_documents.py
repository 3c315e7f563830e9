"""What a file is, is found from its content: bombs, disguises and two formats at once are refused."""

import struct
import zlib

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.my_data import documents
from kulla.keeper.my_data.documents import MAX_BYTES, kind_of


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 2, height: int = 2, extra: bytes = b"") -> bytes:
    """A grey picture."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(b"\0\0\0" * 2)
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int = 2, height: int = 2, extra: bytes = b"", data: bytes = b"\x12\x34\xff\x00\x56") -> bytes:
    """A picture's structure: what stands in its data is not looked at."""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00"
    return b"\xff\xd8\xff\xe0\x00\x04ab" + extra + frame + scan + data + b"\xff\xd9"


def pdf(body: bytes = b"1 0 obj\n<< /Type /Catalog >>\nendobj\n") -> bytes:
    return b"%PDF-1.7\n" + body + b"xref\n0 1\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"


def reason(data: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        kind_of(data)
    assert caught.value.code == "bad_document"
    return str(caught.value.details["reason"])


def test_good_ones() -> None:
    """Of each kind; a progressive picture too, and one at the limit."""
    assert [kind_of(png()), kind_of(jpeg()), kind_of(pdf())] == ["png", "jpg", "pdf"]
    second_scan = b"\x12\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00\x34"
    assert kind_of(jpeg(data=second_scan)) == "jpg"
    filler = MAX_BYTES - len(png()) - 12
    assert kind_of(png(extra=chunk(b"teXt", bytes(filler)))) == "png"


def test_sizes() -> None:
    """Nothing, and one byte too many."""
    assert reason(b"") == "empty"
    filler = MAX_BYTES - len(png()) - 12 + 1
    assert reason(png(extra=chunk(b"teXt", bytes(filler)))) == "too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a", b"PK\x03\x04", b"MZ\x90", b"\xef\xbb\xbf%PDF-1.7", b" %PDF-1.7", b"\xff\xd8", b"RIFF\0\0\0\0WEBP",
    ],
)  # fmt: skip
def test_other_formats_under_a_good_name(data: bytes) -> None:
    """The name is never asked."""
    assert reason(data) == "kind"


@pytest.mark.parametrize(
    "data",
    [
        png() + b"x", png() + b"<script>alert(1)</script>", png()[:-1], png()[:40],
        png().replace(b"IDAT", b"IDAX"), png(60_000, 60_000), png(0, 5),
        png(extra=chunk(b"tEXt", b"<script>alert(1)</script>")), png(extra=chunk(b"ABCD", b"")),
        jpeg() + b"PK\x05\x06" + bytes(18), jpeg() + b"x", jpeg()[:-2], jpeg(60_000, 60_000), jpeg(0, 1),
        jpeg(extra=b"\xff\xfe\x00\x1b<script>alert(1)</script>"), b"\xff\xd8\xff\xda\x00\x02\xff\xd9",
        b"\xff\xd8\xff" + bytes(100), b"\xff\xd8\xff\xe0\xff\xff",
        pdf() + b"<script>alert(1)</script>", pdf()[:-8], b"%PDF-9.9\nstartxref\n%%EOF", b"%PDF-1.7\n%%EOF",
        pdf(b"<html><body onload=alert(1)>"), pdf(png()) + png(),
    ],
)  # fmt: skip
def test_broken_ones_and_two_formats_at_once(data: bytes) -> None:
    """Something behind the end, markup inside, checksums, sizes that unfold, a cut end."""
    assert reason(data) == "broken"


@pytest.mark.parametrize(
    "inside",
    [
        b"/JavaScript",
        b"/JS (app.alert(1))",
        b"/J#61vaScript",
        b"/Launch",
        b"/EmbeddedFile",
        b"/OpenAction",
        b"/AA",
    ],
)
def test_a_pdf_that_acts(inside: bytes) -> None:
    """Scripts, programs, files; also with letters written as numbers."""
    assert reason(pdf(b"<< " + inside + b" >>")) == "acts"


def test_a_locked_pdf() -> None:
    assert reason(pdf(b"<< /Encrypt 5 0 R >>")) == "locked"


def test_random_bytes_end_in_a_refusal() -> None:
    """Whatever follows a good beginning."""
    import random

    source = random.Random(7)
    for start in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4"):
        for _time in range(300):
            data = start + source.randbytes(source.randrange(200))
            with pytest.raises(Refusal):
                kind_of(data)


def test_chunks_join_to_the_same() -> None:
    data = bytes(range(256)) * 700
    assert b"".join(documents.chunks(data)) == data
    assert all(len(part) <= 48 * 1024 for part in documents.chunks(data))
