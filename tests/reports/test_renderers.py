"""Any document in every form: whole, escaped, self-contained, and as a PDF one page."""

import io
import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxr_core.reports import html, markdown, pdf
from cxr_core.reports.document import (
    RESEARCH_ONLY,
    Block,
    Bullets,
    Document,
    Heading,
    Picture,
    Pictures,
    Table,
    Text,
)


def jpeg(width: int = 60, height: int = 40) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(out, "JPEG")
    return out.getvalue()


def of_everything(text: str) -> Document:
    blocks: tuple[Block, ...] = (
        Heading(text),
        Text(text),
        Text(text, strong=True),
        Bullets((text, "b")),
        Table(("a", text), [[text, "1"], ["x", "2"]], (1,)),
        Pictures((Picture(jpeg(), text), Picture(None, "gone")), 60),
    )
    return Document(text, "sub", blocks, (text,))


def page_texts(content: bytes) -> bytes:
    """The drawing instructions of a PDF, unpacked."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    return b"".join(_unpacked(stream) for stream in streams)


def _unpacked(stream: bytes) -> bytes:
    import base64

    packed = base64.a85decode(stream.strip().removesuffix(b"~>")) if stream.strip().endswith(b"~>") else stream
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return b""


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_every_text_goes_through_every_form(text: str) -> None:
    document = of_everything(text)
    assert RESEARCH_ONLY in html.render(document)
    assert markdown.render(document).count("\n## ") == 1
    assert pdf.render(document).startswith(b"%PDF-")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "<b>&amp;</b>"])
def test_markup_is_text(text: str) -> None:
    shown = html.render(of_everything(text))
    assert text not in shown
    assert shown.count("<script") == shown.count("onerror=y>") == 0
    line = markdown.plain(text)
    assert not re.search(r"(?<!\\)<", line)
    assert pdf.render(of_everything(text)).startswith(b"%PDF-")


def test_a_table_cell_cannot_leave_its_cell() -> None:
    rows = markdown.render(Document("t", "s", (Table(("a", "b"), [["x|y\nz", "`"]]),))).split("\n")
    assert r"| x\|y z | \` |" in rows


def test_html_fetches_nothing() -> None:
    shown = html.render(of_everything("x"))
    assert "default-src 'none'" in shown
    assert not re.findall(r"(?:src|href)=\"(?!data:)", shown)
    assert "url(" not in shown
    assert shown.count("data:image/jpeg;base64,") == 1


def test_unicode_stays_in_html_and_is_replaced_visibly_in_pdf() -> None:
    name = "Größe_正面_Łódź_é"
    assert name in html.render(of_everything(name))
    assert name.replace("_", r"\_") in markdown.render(of_everything(name))
    writer = pdf._Writer()
    assert writer.shown(name) == f"Größe_??_Łód{'ź' if ord('ź') in writer.glyphs else '?'}_é"
    assert writer.replaced
    assert not _replaces("Größe é 0.631–0.756 ≥ ·")
    # A decomposed accent is the same letter.
    assert pdf._Writer().shown("e\u0301") == "é"


def _replaces(text: str) -> bool:
    writer = pdf._Writer()
    writer.shown(text)
    return writer.replaced


@pytest.mark.parametrize("rows", [0, 3, 200])
def test_a_pdf_is_one_page_whatever_is_in_it(rows: int) -> None:
    table = Table(("name", "value"), [[f"row {k}", "x" * 90] for k in range(rows)])
    blocks = (Pictures(tuple(Picture(jpeg(4000, 10), "wide") for _ in range(3)), 60), table, Text("word " * 300))
    content = pdf.render(Document("t", "s", blocks))
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    assert b"/Count 1" in content


def test_the_same_document_is_the_same_file() -> None:
    assert pdf.render(of_everything("x")) == pdf.render(of_everything("x"))
    assert page_texts(pdf.render(of_everything("x")))
