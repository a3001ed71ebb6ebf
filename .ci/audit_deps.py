"""Is something that is installed here known to be vulnerable? ``make audit-deps``, or this file with .venv's Python.

pip-audit asks the package index's advisories on every package of the environment. Exit status: 0 nothing is known, 1
something is, 2 it could not be asked. With ``--if-reachable``, for continuous integration, the last one counts as 0,
and is said. pip-audit itself ends with 0 and "no known vulnerabilities" where the index answers but knows none of the
packages: what was skipped is counted here.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SECONDS = 300


def asked(report: Path) -> str:
    """Run pip-audit; what it said on the way. The report is there where it got to its end."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--output", str(report)]
    command += ["--progress-spinner", "off", "--timeout", "15"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    return (done.stderr.strip().splitlines() or ["it said nothing"])[-1]


def judged(dependencies: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """Exit status and what to print for pip-audit's list of packages."""
    checked = [package for package in dependencies if "vulns" in package]
    lines = [
        f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for package in checked
        for vulnerability in package["vulns"]
    ]
    counted = f"{len(checked)} of {len(dependencies)} packages were checked"
    if not checked:
        return 2, [f"Not checked for known vulnerabilities: {counted}, the index has advisories on none of them."]
    found = f"{len(lines)} known vulnerabilities" if lines else "no known vulnerability"
    return (1 if lines else 0), [*lines, f"{counted}: {found}."]


def main() -> int:
    """Ask, print, and say by the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--if-reachable", action="store_true", help="where nothing could be asked, end with 0")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        said = asked(report)
        try:
            status, lines = judged(json.loads(report.read_text(encoding="utf-8"))["dependencies"])
        except (FileNotFoundError, ValueError, KeyError):
            status, lines = 2, [f"Not checked for known vulnerabilities: the advisories could not be asked ({said})."]
    print("\n".join(lines), flush=True)
    return 0 if status == 2 and options.if_reachable else status


if __name__ == "__main__":
    sys.exit(main())
