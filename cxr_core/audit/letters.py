"""Letters and markers at the border of a radiograph, found by their strokes and shape.

share_of_letters(picture)      # 0 where there are none; docs/audit.md says how often that is right
"""

import numpy as np
from numpy.typing import NDArray

# A stroke of a letter: narrower than this, and so much brighter than the ground beside it, in a picture of 256 x 256.
_STROKE, _CONTRAST = 7, 80
# What hangs together is a letter where it has so many pixels, is so long, at most so many times as long as wide, and
# fills so much of the box around it: wires, ribs and edges of the film are longer or thinner. All of these were chosen
# on one half of the images that docs/audit.md speaks of.
_LETTER_AREA, _LETTER_LENGTHS, _LETTER_ASPECT, _LETTER_FILLS = 6, (4, 28), 5, 0.2


def share_of_letters(picture: NDArray[np.uint8]) -> float:
    """Share of the picture, uint8 (256, 256), that is bright letters or markers in its rim, an eighth of each side.

    Strokes are what a grey opening takes away (the white top-hat transform; Serra 1982).
    """
    # Kept traits need no scipy.
    from scipy.ndimage import find_objects, grey_opening, label

    strokes = picture - grey_opening(picture, size=(_STROKE, _STROKE)) >= _CONTRAST
    named, _ = label(strokes, np.ones((3, 3)))
    area, side = np.bincount(named.ravel()), len(picture)
    found = 0
    for number, (rows, columns) in enumerate(find_objects(named), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        shortest, longest = sorted((height, width))
        middle = (rows.start + rows.stop) / 2, (columns.start + columns.stop) / 2
        in_rim = any(not side / 8 <= at < side * 7 / 8 for at in middle)
        solid = area[number] >= max(_LETTER_AREA, _LETTER_FILLS * height * width)
        compact = _LETTER_LENGTHS[0] <= longest <= min(_LETTER_LENGTHS[1], _LETTER_ASPECT * shortest) and shortest >= 2
        if in_rim and solid and compact:
            found += int(area[number])
    return found / picture.size
