"""The receipt on paper: one A4 page that a clerk reads in five seconds, in black and white.

Who, where and when stand large, the check code larger; a QR code holds the address and the leaf hash; the proof
itself is attached to the file. The headings are in the viewer's language with the other language below them.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import segno
from django.utils.functional import Promise
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from kulla.web import when
from kulla.web.assets_index import path_of

LEFT, WIDTH = 20.0, 170.0  # mm: A4 with margins of 20
SANS = "DejaVu"
Text = str | Promise
WHO, RECEIPT, CODE = _("Who"), _("Receipt"), _("Check code")
POLICY = _("Policy of the mirrors (SHA-256)")
PROOF = _(
    "Two independent mirrors have stored this. The proof is attached to this file; “kulla verify” checks it."
)


def receipt_pdf(
    *,
    title: Mapping[str, str],
    who: str,
    lines: Sequence[tuple[Text, str]],
    check_code: str,
    leaf_hash: bytes,
    received_ms: int,
    address: str,
    proof: str,
    policy_fingerprint: str,
    language: str,
) -> bytes:
    """The PDF. `lines` are (label, words) as on the page; `address` is the receipt's page; `proof` is attached.

    `policy_fingerprint` (hex) lets a reader know the mirrors' policy again, so that no portal can serve its own.

    Raises AssetsMissing when the fonts are not built.
    """
    other = "en" if language.startswith("sq") else "sq"
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.add_font(SANS, "", path_of("DejaVuSans.ttf"))
    pdf.add_font(SANS, "B", path_of("DejaVuSans-Bold.ttf"))
    pdf.set_title(f"Kulla {check_code}")
    pdf.set_lang(language)
    pdf.set_creation_date(datetime.fromtimestamp(received_ms / 1000, UTC))
    pdf.add_page()
    pdf.c_margin = 0
    pdf.set_margins(LEFT, 20, LEFT)

    _head(pdf, title, language, other)
    rows: list[tuple[Text, str]] = [(WHO, who), *lines] if who else list(lines)
    for label, words in rows:
        _row(pdf, str(label), _in(other, label), words)
    _code(pdf, check_code, other)
    _foot(pdf, address, leaf_hash, received_ms, other)
    _fingerprint(pdf, policy_fingerprint, other)
    pdf.embed_file(
        basename=f"kulla-{check_code}.tlog-proof",
        bytes=proof.encode(),
        mime_type="text/plain",
        desc="c2sp.org/tlog-proof@v1",
    )
    return bytes(pdf.output())


def _head(pdf: FPDF, title: Mapping[str, str], language: str, other: str) -> None:
    _tower(pdf, LEFT, 18)
    pdf.set_font(SANS, "B", 20)
    pdf.text(LEFT + 15, 28, "Kulla")
    pdf.set_font(SANS, "", 10)
    pdf.text(LEFT + 15, 34, f"{RECEIPT} · {_in(other, RECEIPT)}")
    pdf.set_line_width(0.8)
    pdf.line(LEFT, 41, LEFT + WIDTH, 41)
    pdf.set_xy(LEFT, 47)
    pdf.set_font(SANS, "B", 18)
    pdf.multi_cell(WIDTH, 9, title.get(language) or title.get("en", ""), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_font(SANS, "", 10)
    pdf.multi_cell(WIDTH, 6, title.get(other, ""), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(4)


def _row(pdf: FPDF, label: str, second: str, words: str) -> None:
    """One fact: small label on the left in both languages, the words large on the right."""
    top = pdf.get_y()
    pdf.set_font(SANS, "", 11)
    pdf.text(LEFT, top + 6, label)
    if second and second != label:
        pdf.set_font(SANS, "", 8)
        pdf.text(LEFT, top + 10.5, second)
    pdf.set_xy(LEFT + 38, top)
    words = words[:1].upper() + words[1:]  # Albanian days and months stand in small letters inside sentences
    # A very long claim is set smaller, so that everything stays on one page.
    size = 17 if len(words) <= 90 else 12 if len(words) <= 260 else 9
    pdf.set_font(SANS, "B", size)
    pdf.multi_cell(WIDTH - 38, size * 0.5, words[:600], new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
    bottom = max(pdf.get_y(), top + 12) + 2
    pdf.set_line_width(0.2)
    pdf.line(LEFT, bottom, LEFT + WIDTH, bottom)
    pdf.set_y(bottom + 3)


def _code(pdf: FPDF, check_code: str, other: str) -> None:
    top = min(pdf.get_y() + 3, 180.0)
    pdf.set_line_width(1)
    pdf.rect(LEFT, top, WIDTH, 30)
    pdf.set_font(SANS, "", 11)
    pdf.text(LEFT + 6, top + 9, str(CODE))
    pdf.set_font(SANS, "", 8)
    pdf.text(LEFT + 6, top + 14, _in(other, CODE))
    pdf.set_font(SANS, "B", 42)
    pdf.text(LEFT + 52, top + 21, check_code)
    pdf.set_y(top + 36)


def _foot(pdf: FPDF, address: str, leaf_hash: bytes, received_ms: int, other: str) -> None:
    top = 222.0
    picture = io.BytesIO()
    segno.make(f"{address}#{leaf_hash.hex()}", error="m").save(picture, kind="png", scale=8, border=0)
    picture.seek(0)
    pdf.image(picture, LEFT, top, 45, 45, alt_text=address)
    right, width = LEFT + 52, WIDTH - 52
    pdf.set_xy(right, top)
    pdf.set_font(SANS, "B", 10)
    recorded = gettext("Recorded: %(when)s") % {"when": when.datetime_words(received_ms)}
    pdf.multi_cell(width, 5, recorded, new_x=XPos.LEFT, new_y=YPos.NEXT, align="L")
    for size, sentence in ((10, str(PROOF)), (8, _in(other, PROOF))):
        pdf.set_font(SANS, "", size)
        pdf.multi_cell(width, size * 0.5, sentence, new_x=XPos.LEFT, new_y=YPos.NEXT, align="L")
        pdf.ln(1)
        pdf.set_x(right)
    pdf.set_font(SANS, "", 8)
    pdf.multi_cell(width, 4, address, new_x=XPos.LEFT, new_y=YPos.NEXT, align="L")
    pdf.set_font(SANS, "", 7)
    pdf.multi_cell(width, 4, leaf_hash.hex(), new_x=XPos.LEFT, new_y=YPos.NEXT, align="L")


def _fingerprint(pdf: FPDF, fingerprint: str, other: str) -> None:
    if fingerprint:
        pdf.set_xy(LEFT, 271)
        pdf.set_font(SANS, "", 7)
        pdf.multi_cell(WIDTH, 4, f"{POLICY} · {_in(other, POLICY)}: {fingerprint}", align="L")


def _tower(pdf: FPDF, x: float, y: float) -> None:
    """The small house of the wordmark, in black."""
    scale = 0.5  # mm for each unit of the drawing (22 wide, 36 high)

    def shape(*points: tuple[float, float]) -> None:
        pdf.polygon([(x + px * scale, y + py * scale) for px, py in points], style="F")

    pdf.set_fill_color(0)
    shape((11, 0), (22, 7), (0, 7))
    shape((2, 8.5), (20, 8.5), (20.6, 14), (1.4, 14))
    shape((1.3, 15.5), (20.7, 15.5), (22, 36), (14, 36), (14, 29), (8, 29), (8, 36), (0, 36))
    pdf.set_fill_color(255)
    for px, py, high in ((5, 10, 2.5), (10, 10, 2.5), (15, 10, 2.5), (5.5, 18.5, 4), (15, 18.5, 4)):
        shape((px, py), (px + 1.8, py), (px + 1.8, py + high), (px, py + high))


def _in(language: str, text: Text) -> str:
    with override(language):
        return str(text)
