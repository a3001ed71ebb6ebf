"""Reports: one page on one image, and the model card of a run.

``image.image_report`` and ``card.model_card`` say what is to be read, as a ``document.Document`` of plain texts;
``markdown``, ``html`` and ``pdf`` turn any document into a file. No torch here.
"""
