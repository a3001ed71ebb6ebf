"""A document as one HTML file that needs nothing else: pictures are in it, nothing is fetched, no script runs."""

import base64
from html import escape

from cxr_core.reports.document import Block, Bullets, Document, Heading, Pictures, Table, Text

# On paper as on a screen: black on white, whatever the reader's theme.
_STYLE = """
:root { color-scheme: only light; }
body { font: 14px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff; max-width: 860px; margin: 0 auto;
  padding: 20px; overflow-wrap: anywhere; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 15px; margin: 18px 0 4px; } p, ul { margin: 4px 0; }
ul { padding-left: 20px; } .subtitle { color: #57606a; margin-bottom: 8px; }
.notice { border: 1px solid #b35900; border-left-width: 4px; padding: 5px 10px; margin: 8px 0; font-weight: 600; }
.pictures { display: flex; flex-wrap: wrap; gap: 10px; margin: 8px 0; }
figure { margin: 0; flex: 1 1 0; min-width: 110px; } figure.wide { min-width: 240px; }
figure img { width: 100%; display: block; background: #000; object-fit: contain; }
figcaption { font-size: 12px; color: #57606a; } .gone { border: 1px dashed #8c959f; height: 60px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: 4px 0; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: 2px 8px 2px 0; border-bottom: 1px solid #d8dee4;
  overflow-wrap: normal; } .right { text-align: right; }
footer { border-top: 1px solid #8c959f; margin-top: 18px; padding-top: 4px; font-size: 11px; color: #57606a; }
@media print { body { padding: 0; font-size: 11px; } @page { size: A4; margin: 12mm; } figure { break-inside: avoid; } }
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_WIDE = 40


def render(document: Document) -> str:
    """The whole document, in UTF-8."""
    body = "\n".join(_block(block) for block in document.blocks)
    foot = "".join(f"<p>{escape(line)}</p>" for line in document.foot)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(document.title)}</h1>\n<p class="subtitle">{escape(document.subtitle)}</p>\n'
        f'<p class="notice">{escape(document.notice)}</p>\n{body}\n<footer>{foot}</footer>\n</body>\n</html>\n'
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>"
    if isinstance(block, Text):
        text = escape(block.text)
        return f"<p><strong>{text}</strong></p>" if block.strong else f"<p>{text}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Pictures):
        return _pictures(block)
    return _table(block)


def _pictures(block: Pictures) -> str:
    figures = []
    for picture in block.pictures:
        shown = '<div class="gone"></div>'
        if picture.jpeg is not None:
            data = base64.b64encode(picture.jpeg).decode("ascii")
            # Twice the height on paper: a screen has the room.
            height = block.height * 7
            shown = (
                f'<img src="data:image/jpeg;base64,{data}" alt="{escape(picture.caption)}" '
                f'style="max-height:{height}px">'
            )
        wide = ' class="wide"' if block.height >= _WIDE else ""
        figures.append(f"<figure{wide}>{shown}<figcaption>{escape(picture.caption)}</figcaption></figure>")
    return f'<div class="pictures">{"".join(figures)}</div>'


def _table(table: Table) -> str:
    def row(cells: object, tag: str) -> str:
        assert isinstance(cells, list | tuple)
        shown = (
            f"<{tag}{' class=' + chr(34) + 'right' + chr(34) if number in table.right else ''}>{escape(cell)}</{tag}>"
            for number, cell in enumerate(cells)
        )
        return f"<tr>{''.join(shown)}</tr>"

    rows = "".join(row(list(cells), "td") for cells in table.rows)
    return f'<div class="scroll"><table><thead>{row(table.columns, "th")}</thead><tbody>{rows}</tbody></table></div>'
