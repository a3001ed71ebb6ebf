"""What is made of slipcover's report: the whole, and the modules of which too little was run."""

import importlib.util
from types import ModuleType
from typing import Any

import pytest

from tests import ROOT


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ci_coverage", ROOT / ".ci" / "coverage.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(**files: tuple[int, int]) -> dict[str, Any]:
    return {
        "files": {
            f"{name}.py": {
                "summary": {
                    "covered_lines": run,
                    "missing_lines": missed,
                    "percent_covered": 100 * run / (run + missed),
                }
            }
            for name, (run, missed) in files.items()
        }
    }


def test_modules_below_the_limit_are_named_the_worst_first(coverage: ModuleType) -> None:
    found = report(cxr_core_a=(17, 3), cxr_core_b=(84, 16), cxr_core_c=(1, 9), tests_d=(0, 50))
    assert coverage.told(found) == [
        "Coverage: 102 of 130 lines of cxr_core were run (78 %).",
        "Below 85 %:",
        "   10 %  cxr_core_c.py",
        "   84 %  cxr_core_b.py",
    ]


def test_nothing_below_is_said_too(coverage: ModuleType) -> None:
    assert coverage.told(report(cxr_core_a=(17, 3))) == [
        "Coverage: 17 of 20 lines of cxr_core were run (85 %). No module is below 85 %."
    ]
