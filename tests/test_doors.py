"""Each room says at its door what it is for, and offers what others take: no more, and in one place."""

import ast
import re
import subprocess
import sys
from functools import cache
from importlib import import_module

import pytest

from tests.test_layers import DOORS, ROOT, SOURCES, offered, room, tree, within

(EXAMPLE,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
LAZY = [name for name in DOORS if "TYPE_CHECKING" in SOURCES[name].read_text(encoding="utf-8")]
NAMES = [(package, name) for package in DOORS for name in offered(package) if package != "cxr_core"]


@cache
def takers() -> dict[tuple[str, str], set[str]]:
    """(module or door, name) -> who imports that name from there."""
    others = {str(file): file for folder in ("benchmarks", "docs") for file in (ROOT / folder).glob("*.py")}
    found: dict[tuple[str, str], set[str]] = {}
    parsed_files = {name: tree(name) for name in SOURCES}
    parsed_files |= {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in others.items()}
    for who, parsed in {**parsed_files, "README.md": ast.parse(EXAMPLE)}.items():
        aliases: dict[str, str] = {}
        for node in ast.walk(parsed):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    found.setdefault((node.module, alias.name), set()).add(who)
                    aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        # `from cxr_core import ui`, then `ui.page(...)`
        for node in ast.walk(parsed):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
                found.setdefault((aliases[node.value.id], node.attr), set()).add(who)
    return found


def outside(package: str, who: set[str]) -> set[str]:
    return {name for name in who if name not in SOURCES or room(name) != package}


@pytest.mark.parametrize("package", DOORS)
def test_a_room_says_what_it_is_for(package: str) -> None:
    assert len(ast.get_docstring(tree(package)) or "") > 80


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_what_is_offered_is_there(package: str, name: str) -> None:
    assert getattr(import_module(package), name) is getattr(sys.modules[offered(package)[name]], name)


@pytest.mark.parametrize(("package", "name"), [(door, name) for door, name in NAMES if door != "cxr_core.images.dicom"])
def test_what_is_offered_is_taken_and_taken_there(package: str, name: str) -> None:
    seen = takers()
    assert outside(package, seen.get((package, name), set())), f"nobody takes {name} from {package}: offer it no more"
    deep = outside(package, seen.get((offered(package)[name], name), set()) - {package})
    assert not deep, f"{package} offers {name}; {sorted(deep)} reach past its door"


@pytest.mark.parametrize("package", LAZY)
def test_a_lazy_door_offers_what_it_declares(package: str) -> None:
    modules = {name.removeprefix(f"{package}.") for name in SOURCES if within(name, (package,))}
    assert not modules & set(offered(package)), "which of the two would it be?"
    told = {
        name.value
        for node in ast.walk(tree(package))
        if isinstance(node, ast.Tuple)
        for name in node.elts
        if isinstance(name, ast.Constant)
    }
    assert told == set(offered(package)) - {"opened"}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        import_module(package).nothing  # noqa: B018


def test_a_light_module_of_a_heavy_room_stays_light() -> None:
    code = (
        "import sys\n"
        "import cxr_core.model, cxr_core.inference, cxr_core.training\n"
        "from cxr_core.inference import Neighbours\n"
        "from cxr_core.model import FeatureStore\n"
        "assert 'torch' not in sys.modules\n"
        "from cxr_core.inference import Predictor\n"
        "assert 'torch' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_readme_takes_the_rooms_at_their_doors() -> None:
    statements = [node for node in ast.walk(ast.parse(EXAMPLE)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert len(statements) <= 3
    assert all(node.module in ("cxr_core", "pathlib") for node in statements if isinstance(node, ast.ImportFrom))
