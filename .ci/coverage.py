"""What `make test` says of coverage: the whole, and each module of which less than 85 % of the lines were run.

    python .ci/coverage.py test-artefacts/coverage.json

The report is slipcover's. Lines that only worker processes run are not counted: a module may be better than it seems.
"""

import json
import sys
from pathlib import Path

ENOUGH = 85.0


def told(report: dict[str, dict[str, dict[str, dict[str, float]]]]) -> list[str]:
    """The lines to print, the worst module first."""
    files = {name: entry["summary"] for name, entry in report["files"].items() if name.startswith("cxr_core")}
    run = sum(summary["covered_lines"] for summary in files.values())
    lines = run + sum(summary["missing_lines"] for summary in files.values())
    below = sorted((summary["percent_covered"], name) for name, summary in files.items())
    below = [(percent, name) for percent, name in below if percent < ENOUGH]
    head = f"Coverage: {run:,.0f} of {lines:,.0f} lines of cxr_core were run ({100 * run / max(lines, 1):.0f} %)."
    if not below:
        return [f"{head} No module is below {ENOUGH:.0f} %."]
    return [head, f"Below {ENOUGH:.0f} %:", *(f"  {percent:3.0f} %  {name}" for percent, name in below)]


if __name__ == "__main__":
    print("\n".join(told(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
