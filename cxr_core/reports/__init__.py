"""Reports: one page on one image, and the model card of a run.

    html.render(model_card(run))
    pdf.render(image_report(run, answered(predictor, prediction, content)))

``image_report`` and ``model_card`` say what is to be read, as a ``document.Document`` of plain texts; ``markdown``,
``html`` and ``pdf`` turn any document into a file. ``verdict`` says in one sentence what a run's score is worth. No
torch here.
"""

from typing import TYPE_CHECKING

from cxr_core.doors import opened

if TYPE_CHECKING:
    from cxr_core.reports.card import model_card as model_card
    from cxr_core.reports.document import Document as Document
    from cxr_core.reports.document import Text as Text
    from cxr_core.reports.image import image_report as image_report
else:
    __getattr__ = opened(
        __name__,
        {
            "card": ("model_card",),
            "document": ("Document", "Text"),
            "image": ("image_report",),
        },
    )
