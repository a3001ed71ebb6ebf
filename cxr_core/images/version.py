"""The number of the pixels that this software makes of files. Whatever is kept of pictures is kept under it.

Raise it whenever ``cxr_core.images`` gives other pixels for some file, or reads a file that it refused before: kept
scans, traits and features of the earlier number then count as absent, and are made anew.
"""

PIXELS = 5
