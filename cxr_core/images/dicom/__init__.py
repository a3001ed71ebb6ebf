"""DICOM: a file's header and pixel data -> the grey picture that a viewer shows. Of the patient: age, sex, a code."""

from cxr_core.images.dicom.elements import is_dicom
from cxr_core.images.dicom.files import decode, decoded, facts, inspect, levels_of

__all__ = ["decode", "decoded", "facts", "inspect", "is_dicom", "levels_of"]
