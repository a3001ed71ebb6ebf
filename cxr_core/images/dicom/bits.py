"""Numbers out of the containers that they are stored in: DICOM keeps 12 bits in 16, usually in the lower ones.

``unpacked(raw, header)`` -> the numbers, how many bits they have, and what had to be decided. Bits above and below
those that are stored are no picture (retired overlays live there) and are dropped.
"""

import numpy as np

from cxr_core.images.dicom.header import Header
from cxr_core.images.steps import Step

# Lossy compression swings a few numbers beyond the depth: not more than this share of them.
_RINGING = 0.01


def unpacked(raw: np.ndarray, header: Header) -> tuple[np.ndarray, int, list[Step]]:
    """Numbers of the shape of ``raw`` (integers, as the decoder gave them), their depth in bits, steps."""
    container, stored, shift = header.precision or header.allocated, header.stored, header.high + 1 - header.stored
    figures = {"stored": stored, "allocated": header.allocated, "high": header.high}
    plain = f"{stored} {'bit' if stored == 1 else 'bits'} stored, {'with' if header.signed else 'without'} a sign"

    def step(text: str, corrected: bool = False) -> list[Step]:
        return [Step("bits", text, corrected, figures)]

    if stored >= container:
        return raw, stored, step(f"{plain}.")
    used = int(np.bitwise_or.reduce(raw.view(f"u{raw.dtype.itemsize}"), axis=None)) & ((1 << container) - 1)
    if not header.signed:
        low = used < 1 << stored
        if low and shift and used & ((1 << shift) - 1):
            return (
                raw,
                stored,
                step(f"The header places the {stored} bits in the upper part, the numbers do not.", True),
            )
        if low and not shift:
            return raw, stored, step(f"{plain}.")
        if not low and not shift and not used & ((1 << (container - stored)) - 1):
            text = f"The header places the {stored} bits in the lower part, the numbers are in the upper: read so."
            return raw >> (container - stored), stored, step(text, True)
        if not low and not shift and header.precision:
            top, bits = (1 << stored) - 1, used.bit_length()
            if np.count_nonzero(raw > top) <= _RINGING * raw.size:
                return np.minimum(raw, raw.dtype.type(top)), stored, step(f"{plain}; a few numbers beyond are white.")
            return raw, bits, step(f"The header says {stored} bits stored, the codestream uses {bits}: read so.", True)
    # What is above is shifted out at the top, what is below at the bottom; a sign spreads on the way back.
    width = 8 * raw.dtype.itemsize
    numbers = (raw << (width - 1 - header.high)) >> (width - stored)
    return numbers, stored, step(f"{plain}, in the {'upper' if shift else 'lower'} part of {container}.")
