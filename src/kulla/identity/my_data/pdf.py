"""Everything that is held, on paper: section by section, label and words, in the language of the page."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from kulla.identity.my_data.held import Part
from kulla.web import when
from kulla.web.assets_index import path_of

LEFT, WIDTH, LABEL = 20.0, 170.0, 52.0  # mm: A4 with margins of 20; the labels' column
SANS = "DejaVu"
LONGEST = 4000  # characters of one value


class _Paper(FPDF):
    """A4 with the page's number at the foot."""

    foot = ""

    def footer(self) -> None:
        """Page and time, on each page."""
        self.set_y(-14)
        self.set_font(SANS, "", 8)
        self.cell(WIDTH - 30, 5, self.foot)
        self.cell(30, 5, f"{self.page_no()} / {{nb}}", align="R")


def my_data_pdf(parts: Sequence[Part], *, name: str, language: str, now: datetime | None = None) -> bytes:
    """The PDF. Raises AssetsMissing when the fonts are not built."""
    made = now or datetime.now(UTC)
    pdf = _Paper(format="A4")
    pdf.add_font(SANS, "", path_of("DejaVuSans.ttf"))
    pdf.add_font(SANS, "B", path_of("DejaVuSans-Bold.ttf"))
    pdf.set_title(f"Kulla – {_('My data')}")
    pdf.set_lang(language)
    pdf.set_creation_date(made)
    pdf.set_margins(LEFT, 20, LEFT)
    pdf.set_auto_page_break(True, 22)
    pdf.c_margin = 0
    pdf.foot = _("Kulla · My data · %(when)s") % {"when": when.datetime_words(made)}
    pdf.add_page()
    pdf.set_font(SANS, "B", 20)
    _text(pdf, _("My data"), 10)
    pdf.set_font(SANS, "", 11)
    if name:
        _text(pdf, name, 6)
    _text(pdf, _("Everything that the portal and its keeper hold about you, as of %(when)s.") % {
        "when": when.datetime_words(made)
    }, 6)  # fmt: skip
    for part in parts:
        _section(pdf, part)
    return bytes(pdf.output())


def _section(pdf: FPDF, part: Part) -> None:
    if pdf.get_y() > 245:  # a heading does not stand alone at the foot of a page
        pdf.add_page()
    pdf.ln(5)
    pdf.set_font(SANS, "B", 14)
    _text(pdf, part.title, 8)
    pdf.set_line_width(0.5)
    pdf.line(LEFT, pdf.get_y(), LEFT + WIDTH, pdf.get_y())
    pdf.ln(2)
    pdf.set_font(SANS, "", 10)
    if part.broken:
        _text(pdf, _("Something of this does not open now. The operator must look; ask again later."), 5)
    elif not part.rows:
        _text(pdf, _("Nothing."), 5)
    for lines in part.lines():
        _row(pdf, lines)


def _row(pdf: FPDF, lines: Sequence[tuple[str, str]]) -> None:
    for label, words in lines:
        if pdf.get_y() > 268:
            pdf.add_page()
        top, page = pdf.get_y(), pdf.page_no()
        pdf.set_font(SANS, "", 9)
        pdf.multi_cell(LABEL - 4, 4.6, label, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        # A label of two lines stays beside its words; one page break moves both.
        low = pdf.get_y() if pdf.page_no() == page else top
        if pdf.page_no() != page:
            top = pdf.get_y() - 4.6
        pdf.set_xy(LEFT + LABEL, top)
        pdf.set_font(SANS, "", 10)
        text = words if len(words) <= LONGEST else words[:LONGEST] + "…"
        page = pdf.page_no()
        pdf.multi_cell(WIDTH - LABEL, 4.6, text or "–", new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        if pdf.page_no() == page:
            pdf.set_y(max(low, pdf.get_y()))
    pdf.ln(1)
    pdf.set_draw_color(170)
    pdf.set_line_width(0.1)
    pdf.line(LEFT, pdf.get_y(), LEFT + WIDTH, pdf.get_y())
    pdf.set_draw_color(0)
    pdf.ln(2)


def _text(pdf: FPDF, text: str, height: float) -> None:
    pdf.multi_cell(WIDTH, height, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
