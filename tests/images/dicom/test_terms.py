"""What a DICOM header may say of its image: terms of the standard, and nothing that anybody typed."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core.images import dicom
from cxr_core.images.dicom import terms
from tests.images.files import encoded, gradient, radiograph


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, {}),
        ({"Modality": "DX", "ViewPosition": "PA"}, {"modality": "DX", "view": "PA"}),
        ({"BodyPartExamined": "Thorax PA", "Laterality": "R"}, {"body_part": "CHEST", "laterality": "R"}),
        ({"ImageLaterality": "L", "Laterality": "R"}, {"laterality": "L"}),
        ({"ViewPosition": "AP SUPINE", "Modality": " cr "}, {"view": "AP", "modality": "CR"}),
        ({"Modality": "SMITH", "ViewPosition": "MR SMITH"}, {"modality": "OTHER", "view": "OTHER"}),
        ({"BodyPartExamined": "JOHN SMITH", "Laterality": "JOHN"}, {"body_part": "OTHER", "laterality": "OTHER"}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_facts_of_a_file(tags: dict[str, Any], expected: dict[str, str]) -> None:
    assert dicom.facts(radiograph(**tags)) == {**expected, "size": "40 x 30"}


def test_other_files_state_nothing() -> None:
    whole = radiograph(np.zeros((9, 9), np.uint8), 8, Modality="DX")
    for content in (b"", encoded(gradient(), "PNG"), b"\0" * 128 + b"DICM", whole[:150], b"x" * 500):
        assert "modality" not in dicom.facts(content)


@given(st.text())
def test_no_free_text_gets_through(text: str) -> None:
    known = {*terms._MODALITIES, *terms._VIEWS, *terms._BODY_PARTS, "R", "L", "U", "B", terms.OTHER, ""}
    assert {terms.modality(text), terms.view(text), terms.body_part(text), terms.laterality(text)} <= known
    assert terms.size(text, text) == ""
