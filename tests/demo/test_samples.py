"""The drawings that Home offers: pictures of several kinds, the same each time, in no demo data set."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from cxr_core.demo import samples


@pytest.mark.parametrize("findings", [False, True])
def test_samples_are_three_kinds_of_pictures_that_no_data_set_has(
    findings: bool, tiny_dataset: Path, findings_dataset: Path
) -> None:
    found = samples(findings)
    assert len({sample.title for sample in found}) == len({sample.file for sample in found}) == 3
    assert samples(findings) == found
    known = {file.read_bytes() for root in (tiny_dataset, findings_dataset) for file in root.rglob("*.png")}
    for sample in found:
        assert Image.open(BytesIO(sample.content)).format == "PNG"
        assert sample.content not in known
