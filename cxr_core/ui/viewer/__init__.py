"""A picture to look at closely: zoom, pan, window and level, presets, a heat map over or beside it, all in the browser.

    viewer(Picture(content, "a.dcm"), key="a", label="a.dcm")
    viewer(picture, heat=Heat(values, "PNEUMONIA"), key="case", label="a.dcm", turn=Turn(step, back=True, on=False))
    viewer(a, beside=b, key="pair", label="a.png and b.png")        # two pictures that move together

It comes from three files in this folder, maths.js, viewer.js and viewer.css, as a component of Streamlit (version 2:
in the page, without an iframe); nothing is fetched from elsewhere. The browser gets the numbers of the file, up to 16
bits, and makes the greys itself; what it shows first is what the network reads.
"""

from cxr_core.ui.viewer.component import Heat, Picture, Turn, viewer

__all__ = ["Heat", "Picture", "Turn", "viewer"]
