"""What a score on a data set is worth: duplicates, leaks, sources, shortcuts, odd pictures, and how to fix them.

::

    found = audit(scan("my-xrays"))
    for issue in found.issues: print(issue.severity, issue.message)

Torch-free. ``traits`` reads each picture once and keeps what was seen; everything else works on that.
"""
