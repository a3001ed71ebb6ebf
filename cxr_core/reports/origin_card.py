"""What the model card says of a run that was not trained here: where it comes from, and that nothing was measured.

blocks = origin_blocks(run.imported)          # for any imported run
blocks = [*asked(run), *unmeasured()]         # for one that came without figures
"""

from cxr_core.reports.document import Block, Heading, Table, Text
from cxr_core.runs.records import ImportedNote

_NOTHING = (
    "None is here: its training, validation and test images are not, and nobody measured it on this machine. Figures "
    "of external data sets, where there are any, follow."
)


def origin_blocks(note: ImportedNote) -> list[Block]:
    """Origin, licence, citation, training sets, and which file it is."""
    checked = "that of the published file" if note.as_published else "not known to be that of the published file"
    rows = [
        ["Name", note.name],
        ["Made by", note.source],
        ["Licence", note.licence or "not stated"],
        ["To be cited", note.citation or "not stated"],
        ["Trained on", ", ".join(note.sets) or "not stated"],
        ["Its numbers", note.scores or "calibrated probabilities"],
    ]
    if note.kind == "published":
        rows += [
            ["File", note.file or "none"],
            ["Its SHA-256", f"{note.sha256} ({checked})" if note.sha256 else "not known"],
            ["How the file was opened", "; ".join(note.protection) or "it held tensors alone"],
        ]
    return [Heading("Where it comes from"), Table(("", ""), rows)]


def unmeasured() -> list[Block]:
    """In the place of the figures."""
    return [Heading("Figures of its own"), Text(_NOTHING)]
