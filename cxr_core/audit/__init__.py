"""What a score on a data set is worth: duplicates, leaks, sources, shortcuts, odd pictures, and how to mend them.

::

    found = audit(scan("my-xrays"))
    for finding in found.findings: print(finding.severity, finding.message)

Torch-free. ``traits`` reads each picture once and keeps what was seen; everything else works on that.
"""
