"""Ages as tables and DICOM headers write them -> years.

years("58"), years("058Y"), years("018M"), years("13D")     # 58.0, 58.0, 1.5, 0.04
years("411"), years("old"), years("")                       # None
"""

import re

# Months, weeks and days in a year, by the letter that DICOM's Age String puts behind the number (PS3.5, 6.2).
_IN_A_YEAR = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([YMWD]?)", re.ASCII | re.IGNORECASE)
# Nobody has been older by much; in tables a larger number is a slip of the pen (NIH ChestX-ray14 has a 411).
OLDEST = 120
# How tables write that they do not know.
_UNKNOWN = ("", "?", "-", "na", "n/a", "nan", "none", "null", "unknown")


def years(text: str) -> float | None:
    """The age in years; None for everything that is no age from 0 to 120 years."""
    match = _AGE.fullmatch(text.strip())
    if match is None:
        return None
    age = float(match[1]) / _IN_A_YEAR[match[2].upper() or "Y"]
    return age if age <= OLDEST else None


def is_wrong(text: str) -> bool:
    """True for what is neither an age nor a way to say that it is unknown."""
    return text.strip().lower() not in _UNKNOWN and years(text) is None
