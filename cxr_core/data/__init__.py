"""A folder, a table or a zip -> a data set: its images with class, split, patient and source, and what people changed.

    dataset = scan("my-xrays")          # a folder or a CSV table; what was read is kept
    dataset.counts()                    # images of each class and split
    dataset.samples                     # a row per image: file, digest, label, split, patient, source, age
    scan(unpack(content, "set.zip"))

``fixes`` and ``marks`` hold what a person moved, left out or called wrong; ``splits`` takes a split where none is
given, ``cautions`` says what every reader must know, ``pseudonyms`` writes hashes in the place of names. Files of
images are read and never changed. No torch here.
"""

from cxr_core.data.archive import unpack
from cxr_core.data.dataset import Dataset, scan
from cxr_core.data.pseudonyms import Pseudonyms
from cxr_core.data.uploads import shown_name

__all__ = ["Dataset", "Pseudonyms", "scan", "shown_name", "unpack"]
