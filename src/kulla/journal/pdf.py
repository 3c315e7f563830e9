"""The proof that is attached to a receipt's PDF.

Only what the portal writes is understood (ISO 32000-1 §7.11.4): an embedded file whose stream stands as it is or
under FlateDecode, with its length given as a number. What comes out is checked like any other text, so nothing
here need be trusted.
"""

import re
import zlib

from .errors import FormatError

MAX_PROOF = 8 << 20  # bytes
_EMBEDDED = re.compile(rb"/EmbeddedFile\b")
_LENGTH = re.compile(rb"/Length ([0-9]{1,8})\b(?! [0-9]+ R)")
_STREAM = re.compile(rb"stream\r?\n")
_START = b"c2sp.org/tlog-proof@"


def attached_proof(data: bytes) -> bytes:
    """The first attached file that begins like a proof. Raises FormatError when there is none."""
    for found in _EMBEDDED.finditer(data):
        stream = _STREAM.search(data, found.end(), found.end() + 4096)
        if stream is None:
            continue
        head = data[max(data.rfind(b"obj", 0, found.start()), 0) : stream.start()]
        length = _LENGTH.search(head)
        if length is None or b"endobj" in head:
            continue
        content = data[stream.end() : stream.end() + int(length[1])]
        if b"/FlateDecode" in head:
            try:
                content = zlib.decompressobj().decompress(content, MAX_PROOF)
            except zlib.error:
                continue
        if content.startswith(_START):
            return content
    raise FormatError(
        "No proof is attached to this PDF. Use the file as you got it, or the receipt's text file."
    )
