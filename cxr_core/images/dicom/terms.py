"""DICOM's own words for an image: what a header says, reduced to terms of the standard.

``body_part("Thorax PA")`` is ``"CHEST"``. A value that is none of these terms becomes ``OTHER``: anybody may have typed
anything there, a patient's name too. Empty values are "".
"""

import hashlib
import re

OTHER = "OTHER"

# PS3.3 C.7.3.1.1.1, in part.
_MODALITIES = [
    *("CR", "DX", "DR", "XR", "RG", "RF", "OT", "SC", "XA", "CT", "MR", "US"),
    *("MG", "NM", "PT", "ES", "XC", "GM", "SM", "OP", "OPT", "OCT", "IVUS", "IO"),
    *("PX", "RTIMAGE", "BMD", "SEG", "SR", "PR", "KO", "REG", "DOC", "ECG", "AU"),
]
# PS3.3 C.8.11.5 and C.8.1.1, with the words that makers use for them.
_VIEWS = [
    *("PA", "AP", "LL", "RL", "LLD", "RLD", "LLO", "RLO", "LAT", "LATERAL", "LAO", "RAO"),
    *("LPO", "RPO", "MLO", "CC", "ML", "LM"),
]
# PS3.16 annex L, in part.
_BODY_PARTS = [
    *("CHEST", "ABDOMEN", "PELVIS", "HEAD", "SKULL", "NECK", "SPINE", "CSPINE", "TSPINE", "LSPINE"),
    *("SSPINE", "BRAIN", "HEART", "LUNG", "RIB", "STERNUM", "SHOULDER", "CLAVICLE", "SCAPULA", "HUMERUS"),
    *("ELBOW", "FOREARM", "ARM", "WRIST", "HAND", "FINGER", "HIP", "FEMUR", "LEG", "KNEE"),
    *("PATELLA", "ANKLE", "FOOT", "TOE", "BREAST", "LIVER", "KIDNEY", "BLADDER", "PROSTATE", "UTERUS"),
    *("EYE", "EAR", "JAW", "TEETH", "HEEL", "EXTREMITY", "WHOLEBODY", "PHANTOM"),
]
_CHESTS = ("CHEST", "THORAX", "TORAX")


def modality(value: object) -> str:
    """``CR``, ``DX``, ``CT`` ..."""
    word = _word(value)
    return word if word in _MODALITIES or not word else OTHER


def view(value: object) -> str:
    """``PA``, ``AP``, ``LL`` ...; of several words the first that is a view."""
    words = re.split(r"[^A-Z]+", _word(value))
    return next((word for word in words if word in _VIEWS), OTHER) if any(words) else ""


def sex(value: object) -> str:
    """``F``, ``M`` or "" for anything else."""
    word = _word(value)
    return word if word in ("F", "M") else ""


def code(value: object) -> str:
    """What tells one patient from another without the ID that the hospital knows her by; "" where there is none."""
    text = str(value or "").strip(" \0")
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest() if text else ""


def body_part(value: object) -> str:
    """``CHEST``, ``HAND`` ...; a text that speaks of the thorax is ``CHEST``."""
    word = _word(value)
    if any(chest in word for chest in _CHESTS):
        return "CHEST"
    return word if word in _BODY_PARTS or not word else OTHER


def laterality(value: object) -> str:
    """``R`` (right), ``L`` (left), ``U`` (unpaired) or ``B`` (both)."""
    word = _word(value)
    return word if word in ("R", "L", "U", "B", "") else OTHER


def polarity(photometric: object, shape: object) -> str:
    """``MONOCHROME2 with INVERSE`` or ``MONOCHROME1 with IDENTITY``, which contradict each other (PS3.3 C.8.11.3);
    "" for all else. Wrong shapes exist, and inverted pictures too: only a person can tell.
    """
    stated = (_word(photometric), _word(shape))
    return " with ".join(stated) if stated in (("MONOCHROME2", "INVERSE"), ("MONOCHROME1", "IDENTITY")) else ""


def size(columns: object, rows: object) -> str:
    """``2048 x 2500``, or "" where the header does not say."""
    return f"{columns} x {rows}" if isinstance(columns, int) and isinstance(rows, int) else ""


def _word(value: object) -> str:
    return str(value or "").strip(" \0").upper()
