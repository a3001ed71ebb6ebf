"""The record of steps beside the pixels: complete, in order, the same pixels, and nothing of the patient."""

import json
import re
from typing import Any, get_args

import numpy as np
import pydicom
import pytest
from pydicom.sequence import Sequence

from cxr_core.images import dicom
from cxr_core.images.steps import Kind
from tests.images.files import VALUES, radiograph


def kinds(content: bytes) -> list[str]:
    return [step.kind for step in dicom.decoded(content, "x.dcm").steps]


def table(*entries: int) -> Sequence:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), 0, 16])
    item.add_new("LUTData", "US", list(entries))
    return Sequence([item])


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["file", "bits", "range"]),
    ({"PhotometricInterpretation": "MONOCHROME1"}, ["file", "bits", "range", "inversion"]),
    ({"WindowCenter": 900, "WindowWidth": 300}, ["file", "bits", "voi"]),
    ({"WindowCenter": [0, 900], "WindowWidth": [0, 300]}, ["file", "bits", "voi", "voi"]),
    ({"RescaleSlope": 2, "RescaleIntercept": 5}, ["file", "bits", "modality", "range"]),
    ({"PixelPaddingValue": 0}, ["file", "bits", "padding", "range"]),
    ({"VOILUTSequence": table(5, 5, 5)}, ["file", "bits", "voi", "range"]),
    ({"NumberOfFrames": 16}, ["file", "frames", "bits", "range"]),
    ({"SamplesPerPixel": None}, ["file", "colour", "bits", "range"]),
]


@pytest.mark.parametrize(("tags", "expected"), CASES)
def test_each_thing_that_is_done_is_said_once_and_in_order(tags: dict[str, Any], expected: list[str]) -> None:
    content = radiograph(**tags)
    assert kinds(content) == expected
    assert set(expected) <= set(get_args(Kind))
    decoded = dicom.decoded(content, "x.dcm")
    assert np.array_equal(np.asarray(decoded.picture), np.asarray(dicom.decode(content, "x.dcm")))
    for step in decoded.steps:
        assert re.fullmatch(r"[A-Z0-9].*\.", step.text), step.text
        assert json.loads(json.dumps(step.as_json()))["kind"] == step.kind


def test_figures_are_those_that_were_used() -> None:
    steps = dicom.decoded(radiograph(WindowCenter=[0, 900], WindowWidth=[0, 300]), "x.dcm").steps
    assert [step.corrected for step in steps] == [False, False, True, False]
    assert steps[-1].numbers == {"center": 900, "width": 300}
    dark = dicom.decoded(radiograph(VALUES // 4), "x.dcm").steps[-1]
    assert dark.numbers == {"black": 0, "white": VALUES.max() // 4}
    usual = dicom.decoded(radiograph(), "x.dcm").steps[-1]
    assert usual.numbers == {"black": 0, "white": 4095}


def test_no_text_of_the_file_is_quoted() -> None:
    odd = radiograph(WindowCenter=1, WindowWidth=1, PatientAge="Secret", ViewPosition="SECRET")
    for content in (odd, odd.replace(b"1.2.840.10008.1.2.1\0", b"1.2.3.999.8.7.6.5.4\0")):
        try:
            said = " ".join(step.text for step in dicom.decoded(content, "x.dcm").steps)
        except Exception as error:
            said = str(error)
        assert "ecret" not in said.lower()
        assert "999" not in said
