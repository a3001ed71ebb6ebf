"""Numbers out of the containers that they are stored in: DICOM keeps 12 bits in 16, usually in the lower ones.

``unpacked(raw, header)`` -> the numbers, how many bits they have, and what had to be decided. Bits above and below those
that are stored are no picture (retired overlays live there) and are dropped.
"""

import numpy as np

from cxr_core.data.header import Header
from cxr_core.data.steps import Step


def unpacked(raw: np.ndarray, header: Header) -> tuple[np.ndarray, int, list[Step]]:
    """Numbers of the shape of ``raw`` (integers, as the decoder gave them), their depth in bits, steps."""
    container, stored = header.precision or header.allocated, header.stored
    numbers = {"stored": stored, "allocated": header.allocated, "high": header.high}
    plain = Step("bits", f"{stored} bits stored, {'with' if header.signed else 'without'} a sign.", False, numbers)
    if stored >= container:
        return raw, stored, [plain]
    bits = raw.view(f"u{raw.dtype.itemsize}")
    used = int(np.bitwise_or.reduce(bits, axis=None)) & ((1 << container) - 1)
    shift = header.high + 1 - stored
    spare = container - stored
    unsigned = not header.signed
    if shift and unsigned and used < 1 << stored and used & ((1 << shift) - 1):
        text = f"The header places the {stored} bits stored up to bit {header.high}; the numbers use the lowest: read so."
        return raw, stored, [Step("bits", text, True, numbers)]
    if not shift and unsigned and used >= 1 << stored:
        if not used & ((1 << spare) - 1):
            text = f"The header places {stored} bits in the lower part of {container}; the numbers use the upper: read so."
            return raw >> spare, stored, [Step("bits", text, True, numbers)]
        if header.precision:
            text = f"The header says {stored} bits stored, the codestream uses {used.bit_length()}: read so."
            return raw, max(used.bit_length(), stored), [Step("bits", text, True, numbers)]
    if not shift and (unsigned and used < 1 << stored):
        return raw, stored, [plain]
    # What is above is shifted out at the top, what is below at the bottom; a sign spreads on the way back.
    width = 8 * raw.dtype.itemsize
    numbers_only = (raw << (width - 1 - header.high)) >> (width - stored)
    where = "upper" if shift else "lower"
    return numbers_only, stored, [Step("bits", f"{plain.text[:-1]}, in the {where} part of {container}.", False, numbers)]
