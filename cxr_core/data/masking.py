"""Pictures with their middle erased, or with nothing but it: what a control is trained on.

masked(pixels(content, name, 224), "middle-erased")     # no lungs
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Mask = Literal["none", "middle-erased", "middle-only"]
MASKS: tuple[Mask, ...] = get_args(Mask)

# Share of the decoded square that is its middle. On the mean of frontal chest X-rays, resized and cropped as a network
# sees them, this box holds both lungs but for a rim at the apices and flanks; a larger one would leave the control
# without lungs hardly a picture to learn from.
MIDDLE_WIDTH, MIDDLE_HEIGHT = 0.70, 0.75
# The mean grey that ImageNet networks subtract, 0.449 of 255: what is erased is nearly zero to them. One grey for all
# images, since an image's own mean would carry the brightness of what was erased.
FILL = 114


def masked(picture: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """A decoded square (S, S) with the middle erased, with only the middle, or as it is ("none")."""
    if mask == "none":
        return picture
    height, width = picture.shape
    top, left = round(height * (1 - MIDDLE_HEIGHT) / 2), round(width * (1 - MIDDLE_WIDTH) / 2)
    middle = np.s_[top : height - top, left : width - left]
    shown = picture.copy() if mask == "middle-erased" else np.full_like(picture, FILL)
    shown[middle] = FILL if mask == "middle-erased" else picture[middle]
    return shown
