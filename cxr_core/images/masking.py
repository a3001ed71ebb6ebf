"""Pictures with a part erased: without their middle, with nothing but it, without their border.

masked(pixels(content, name, 224), "lungs-erased")     # no lungs: a control
masked(pixels(content, name, 224), "border-erased")     # no letters: what a run with mask_border sees
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Mask = Literal["none", "lungs-erased", "middle-only", "border-erased"]
MASKS: tuple[Mask, ...] = get_args(Mask)

# Boxes in the middle of the decoded square, as shares of its width and height. LUNGS holds both lungs but for a few
# pixels at the flanks of tightly cropped X-rays (looked at on 32 real ones): outside it there are none to learn from.
# On drawings without a shortcut what is learnt outside it is guessing; outside a smaller one it was not. MIDDLE is well
# inside the chest: nothing of a border, of letters or of the film's edge is in it.
LUNGS_WIDTH, LUNGS_HEIGHT = 0.88, 0.90
MIDDLE_WIDTH, MIDDLE_HEIGHT = 0.70, 0.75
# Share of each side of the decoded square that is its border. The audit looks for letters in the outer eighth of a
# picture; of that the network's crop leaves at most (1/8 - 1/16) / (7/8) = 7.1 % of its square. 8 % cover it with a
# rounding to spare, end outside the middle above, and cut off no more than the outermost rim of tightly cropped lungs.
# Some letters reach farther in: of 810 lettered X-rays nothing of them was left in 789 (6 %: in 623, 10 %: in all).
BORDER = 0.08
# The mean grey that ImageNet networks subtract, 0.449 of 255: what is erased is nearly zero to them. One grey for all
# images, since an image's own mean would carry the brightness of what was erased.
FILL = np.uint8(114)


def without_border(mask: Mask) -> Mask:
    """The mask that erases the border too; the middle alone has none, and without lungs nothing but it is left."""
    return "border-erased" if mask == "none" else mask


def masked(picture: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """Decoded squares (..., S, S) with what ``mask`` erases in one grey; as they are for "none"."""
    if mask == "none":
        return picture
    height, width = picture.shape[-2:]
    shown = {
        "lungs-erased": ~_box(height, width, LUNGS_HEIGHT, LUNGS_WIDTH),
        "middle-only": _box(height, width, MIDDLE_HEIGHT, MIDDLE_WIDTH),
        "border-erased": _box(height, width, 1 - 2 * BORDER, 1 - 2 * BORDER),
    }[mask]
    return np.where(shown, picture, FILL)


def border_filled(picture: Image.Image, size: int) -> Image.Image:
    """A resized picture (mode "L") with all in one grey but what its centre crop of ``size`` shows inside the border.

    An augmented view of it then moves no letter into sight.
    """
    side = size - 2 * round(size * BORDER)
    top, left = round((picture.height - side) / 2), round((picture.width - side) / 2)
    filled = Image.new("L", picture.size, int(FILL))
    filled.paste(picture.crop((left, top, left + side, top + side)), (left, top))
    return filled


def _box(height: int, width: int, tall: float, wide: float) -> NDArray[np.bool_]:
    """True in the central box of these shares of height and width."""
    top, left = round(height * (1 - tall) / 2), round(width * (1 - wide) / 2)
    inside = np.zeros((height, width), dtype=bool)
    inside[top : height - top, left : width - left] = True
    return inside
