"""A document as a PDF of exactly one A4 page, in reportlab's own font, which goes into the file.

The font (Bitstream Vera) has the letters of western Europe. A sign that it lacks is shown as ``?``, and the page says
so; the HTML report has it. What is too much for one page is shrunk until it fits.
"""

import unicodedata
from functools import lru_cache
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, Image, KeepInFrame, Paragraph, Spacer
from reportlab.platypus import Table as Grid

from cxr_core.reports.document import Block, Bullets, Document, Heading, Pictures, Table, Text

MISSING = "?"
_NOTE = f"A {MISSING} may stand for a sign that this page's font lacks; the HTML report has it."
_MARGIN = 12 * mm
_WIDTH, _HEIGHT = A4[0] - 2 * _MARGIN, A4[1] - 2 * _MARGIN
_INK, _GREY, _LINE, _NOTICE = (HexColor(code) for code in ("#1b1f24", "#57606a", "#d8dee4", "#b35900"))
_REGULAR, _BOLD = "Vera", "VeraBd"


def render(document: Document) -> bytes:
    """One page. Its metadata names the title alone."""
    writer = _Writer()
    story = writer.document(document)
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(writer.shown(document.title))
    canvas.setCreator("cxr_core")
    fitted = KeepInFrame(_WIDTH, _HEIGHT, story, mode="shrink", vAlign="TOP")
    Frame(_MARGIN, _MARGIN, _WIDTH, _HEIGHT, 0, 0, 0, 0).addFromList([fitted], canvas)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


@lru_cache
def _glyphs() -> frozenset[int]:
    """Register the fonts; the code points that both have."""
    for name in (_REGULAR, _BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    pdfmetrics.registerFontFamily(_REGULAR, normal=_REGULAR, bold=_BOLD, italic=_REGULAR, boldItalic=_BOLD)
    faces: list[Any] = [pdfmetrics.getFont(name).face for name in (_REGULAR, _BOLD)]
    return frozenset(set(faces[0].charToGlyph) & set(faces[1].charToGlyph))


class _Writer:
    """Blocks -> what reportlab draws; remembers whether a sign was replaced."""

    def __init__(self) -> None:
        self.glyphs = _glyphs()
        self.replaced = False

    def shown(self, text: str) -> str:
        """``text`` in signs that the font has."""
        line = unicodedata.normalize("NFC", " ".join(text.split()))
        known = "".join(sign if ord(sign) in self.glyphs else MISSING for sign in line)
        self.replaced |= known != line
        return known

    def document(self, document: Document) -> list[Flowable]:
        story: list[Flowable] = [
            self._text(document.title, 15, bold=True),
            self._text(document.subtitle, 8, colour=_GREY),
            Spacer(1, 2 * mm),
            self._notice(document.notice),
            Spacer(1, 3 * mm),
        ]
        for block in document.blocks:
            story += self._block(block)
        foot = [self._text(line, 6, colour=_GREY) for line in document.foot]
        if self.replaced:
            foot.append(self._text(_NOTE, 6, colour=_GREY))
        return [*story, Spacer(1, 3 * mm), *foot]

    def _text(self, text: str, size: float, bold: bool = False, colour: Any = _INK, **style: Any) -> Paragraph:
        look = ParagraphStyle(
            "text",
            fontName=_BOLD if bold else _REGULAR,
            fontSize=size,
            leading=size * 1.3,
            textColor=colour,
            # A long file name has no place to break at.
            splitLongWords=1,
            **style,
        )
        return Paragraph(escape(self.shown(text)), look)

    def _notice(self, text: str) -> Paragraph:
        return self._text(text, 8, bold=True, borderColor=_NOTICE, borderWidth=0.8, borderPadding=(3, 4, 3, 4))

    def _block(self, block: Block) -> list[Flowable]:
        if isinstance(block, Heading):
            return [Spacer(1, 2.6 * mm), self._text(block.text, 9.5, bold=True), Spacer(1, 0.6 * mm)]
        if isinstance(block, Text):
            return [self._text(block.text, 10 if block.strong else 7.5, bold=block.strong), Spacer(1, 0.6 * mm)]
        if isinstance(block, Bullets):
            return [self._text(f"• {item}", 7.5, leftIndent=7, firstLineIndent=-7) for item in block.items]
        return [self._pictures(block) if isinstance(block, Pictures) else self._table(block)]

    def _pictures(self, block: Pictures) -> Flowable:
        gap = 2 * mm
        width = (_WIDTH - gap * (len(block.pictures) - 1)) / max(1, len(block.pictures))
        cells: list[list[Any]] = [[], []]
        for picture in block.pictures:
            shown: Flowable = Spacer(1, 8 * mm)
            if picture.jpeg is not None:
                across, down = ImageReader(BytesIO(picture.jpeg)).getSize()
                scale = min(width / across, block.height * mm / down)
                shown = Image(BytesIO(picture.jpeg), across * scale, down * scale, hAlign="LEFT")
            cells[0].append(shown)
            cells[1].append(self._text(picture.caption, 6.5, colour=_GREY))
        look = [
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), gap),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
        return Grid(cells, colWidths=[width + gap] * len(block.pictures), hAlign="LEFT", style=look)

    def _table(self, table: Table) -> Flowable:
        def line(row: Any, bold: bool) -> list[Paragraph]:
            return [
                self._text(cell, 7, bold=bold, alignment=2 if number in table.right else 0)
                for number, cell in enumerate(row)
            ]

        cells = [line(table.columns, True), *(line(row, False) for row in table.rows)]
        natural = [
            max(pdfmetrics.stringWidth(self.shown(row[number]), _BOLD, 7) + 7 for row in [table.columns, *table.rows])
            for number in range(len(table.columns))
        ]
        look = [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("TOPPADDING", (0, 0), (-1, -1), 0.8),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.2),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 5),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
        return Grid(cells, colWidths=_widths(natural), style=look, hAlign="LEFT")


def _widths(natural: list[float]) -> list[float]:
    """Widths of columns that fill the page: each its natural one, or where there is too little, an even share of it."""
    spare = _WIDTH - sum(natural)
    if spare >= 0:
        return [width + spare / len(natural) for width in natural]
    widths, left, columns = [0.0] * len(natural), _WIDTH, len(natural)
    for number in sorted(range(columns), key=natural.__getitem__):
        widths[number] = min(natural[number], left / columns)
        left, columns = left - widths[number], columns - 1
    return widths
