"""Public chest X-ray sets as they are downloaded, and any other table of images: one small module a set.

``registry`` knows which set a folder or a table is, ``record`` what a reader makes of it, ``other`` reads the tables of
nobody's, as their columns tell or as a ``description`` says. No image is opened here.
"""
