"""What is made of pip-audit's report: found, clean, and above all not checked."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import ROOT

FILE = ROOT / ".ci" / "audit_deps.py"
CLEAN: dict[str, Any] = {"name": "numpy", "version": "1.0", "vulns": []}
BAD = {"name": "pillow", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found"}


@pytest.fixture(scope="module")
def audit_deps() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_deps", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_known_vulnerability_fails_and_is_named(audit_deps: ModuleType) -> None:
    status, lines = audit_deps.judged([CLEAN, BAD, SKIPPED])
    assert status == 1
    assert lines == ["pillow 2.0: CVE-1, fixed in 2.1", "2 of 3 packages were checked: 1 known vulnerabilities."]


def test_a_clean_report_says_how_many_were_checked(audit_deps: ModuleType) -> None:
    assert audit_deps.judged([CLEAN, SKIPPED]) == (0, ["1 of 2 packages were checked: no known vulnerability."])


def test_a_report_on_nothing_is_not_a_clean_one(audit_deps: ModuleType) -> None:
    for report in ([], [SKIPPED, SKIPPED]):
        status, (line,) = audit_deps.judged(report)
        assert status == 2
        assert line.startswith(f"Not checked for known vulnerabilities: 0 of {len(report)} packages")


@pytest.mark.parametrize(("flag", "status"), [([], 2), (["--if-reachable"], 0)])
def test_without_a_network_it_says_so(
    audit_deps: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flag: list[str],
    status: int,
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "ERROR:pip_audit._cli:Could not connect\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    monkeypatch.setattr(sys, "argv", ["audit_deps.py", *flag])
    assert audit_deps.main() == status
    assert (
        "Not checked for known vulnerabilities: the advisories could not be asked (ERROR:pip_audit"
        in capsys.readouterr().out
    )


def test_where_it_was_asked_the_report_decides(audit_deps: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        Path(command[command.index("--output") + 1]).write_text(json.dumps({"dependencies": [BAD]}))
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["audit_deps.py", "--if-reachable"])
    assert audit_deps.main() == 1
