"""A document as Markdown (CommonMark with tables). Pictures are left out: their captions stay."""

from cxr_core.reports.document import Block, Bullets, Document, Heading, Pictures, Table, Text

_SIGNS = "\\`*_[]<>#|~$"


def render(document: Document) -> str:
    """The whole document as one text."""
    parts = [f"# {plain(document.title)}", plain(document.subtitle), f"> **{plain(document.notice)}**"]
    parts += [_block(block) for block in document.blocks]
    if document.foot:
        parts.append("---")
    parts += [plain(line) for line in document.foot]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """``text`` in one line, with Markdown's and HTML's signs made plain."""
    line = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in line).replace("&", "&amp;")


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"## {plain(block.text)}"
    if isinstance(block, Text):
        return f"**{plain(block.text)}**" if block.strong else plain(block.text)
    if isinstance(block, Bullets):
        return "\n".join(f"- {plain(item)}" for item in block.items)
    if isinstance(block, Pictures):
        return "\n".join(f"- {plain(picture.caption)}" for picture in block.pictures)
    return _table(block)


def _table(table: Table) -> str:
    rules = ["---:" if number in table.right else "---" for number in range(len(table.columns))]
    lines = [table.columns, rules, *table.rows]
    return "\n".join(
        "| " + " | ".join(cell if line is rules else plain(cell) for cell in line) + " |" for line in lines
    )
