"""The registry of issues: every kind that is raised stands in it, and every kind in it can be raised."""

import ast
from pathlib import Path

import pytest

from cxr_core.audit.issues import issue
from cxr_core.audit.kinds import FIXES, KINDS, QUESTIONED, SEVERITIES
from cxr_core.images import gate
from tests import ROOT


def strings(*files: Path) -> set[str]:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    return {
        str(node.value)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("name", KINDS)
def test_an_entry_is_whole(name: str) -> None:
    kind = KINDS[name]
    assert kind.name == name
    assert name == name.strip().lower()
    assert kind.severities
    assert set(kind.severities) <= set(SEVERITIES)
    assert set(kind.fixes) <= set(FIXES)
    assert kind.means
    raised = issue(name, "said")
    assert (raised.severity, raised.fixes) == (kind.severities[0], kind.fixes)
    assert issue(name, "said", fixable=False).fixes == ()


def test_every_kind_is_raised_somewhere() -> None:
    audit, data = ROOT / "cxr_core" / "audit", ROOT / "cxr_core" / "data"
    elsewhere = strings(*(file for file in audit.glob("*.py") if file.name != "kinds.py"), *data.glob("*.py"))
    named_by_constant = {"leak", "shortcut"}
    assert set(KINDS) - set(QUESTIONED) - named_by_constant <= elsewhere
    assert set(QUESTIONED) == set(gate.KINDS)


def test_no_kind_beside_the_registry() -> None:
    with pytest.raises(KeyError):
        issue("unheard of", "said")
    with pytest.raises(ValueError, match="expected one of blocks"):
        issue("leak", "said", severity="informs")


@pytest.mark.parametrize("fix", FIXES)
def test_every_fix_is_offered_by_some_kind(fix: str) -> None:
    assert any(fix in kind.fixes for kind in KINDS.values())
