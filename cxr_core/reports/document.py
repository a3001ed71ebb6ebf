"""What a report says, apart from how it looks: a title and blocks of plain text, tables and pictures.

    document = Document("Report", "a.png", (Heading("Answer"), Text("NORMAL"), Table(("Class", "Images"), rows, (1,))))
    html.render(document); pdf.render(document); markdown.render(document)

No block holds markup: each renderer escapes what it is given, so a file's or a class's name is only ever text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

RESEARCH_ONLY = "Research use only. Not a medical device, not for clinical use, not a diagnosis."


@dataclass(frozen=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph; ``strong`` for the one sentence that a reader must not miss."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Bullets:
    """Sentences, each on its own."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Cells of text under their titles; the columns in ``right`` hold numbers and stand to the right."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    right: tuple[int, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A JPEG with what it shows; ``jpeg`` None where the file is no longer there."""

    jpeg: bytes | None
    caption: str


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side, at most ``height`` millimetres high on paper."""

    pictures: tuple[Picture, ...]
    height: int


Block = Heading | Text | Bullets | Table | Pictures


@dataclass(frozen=True)
class Document:
    """A report: ``notice`` stands above everything, ``foot`` in small print below."""

    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    foot: tuple[str, ...] = ()
    notice: str = RESEARCH_ONLY
