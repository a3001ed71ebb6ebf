"""Imports go down only, folder by folder: the map of the rooms, read from the sources with ``ast``."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests import ROOT

# From the ground up: a folder imports from itself and from those before it. "cxr_core" is the files that lie in it.
LAYERS = (
    "cxr_core",
    "cxr_core.images",
    "cxr_core.demo",
    "cxr_core.data",
    "cxr_core.evaluation",
    "cxr_core.audit",
    "cxr_core.model",
    "cxr_core.runs",
    "cxr_core.inference",
    "cxr_core.training",
    "cxr_core.charts",
    "cxr_core.reports",
    "cxr_core.server",
    "cxr_core.ui.viewer",
    "cxr_core.ui",
    "cxr_core.ui.dataset",
    "cxr_core.ui.run",
    "cxr_core.ui.evaluate",
    "cxr_core.ui.audit",
    "cxr_core.ui.predict",
    "cxr_core.cli",
    "cxr_core.__main__",
    "dashboard",
    "pages",
)
TORCH = {"torch", "torchvision", "safetensors.torch", "accelerate"}
WITH_TORCH = ("cxr_core.model", "cxr_core.inference", "cxr_core.training")
# What a page may ask: it draws, and leaves the work to what these start.
FOR_PAGES = ("cxr_core.data", "cxr_core.audit", "cxr_core.runs", "cxr_core.charts", "cxr_core.server", "cxr_core.ui")


def sources() -> dict[str, Path]:
    """Dotted name -> file, for the package, the home page and the pages. A package's name stands for its __init__."""
    files = [*ROOT.glob("cxr_core/**/*.py"), *ROOT.glob("dashboard.py"), *ROOT.glob("pages/*.py")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


SOURCES = sources()
DOORS = [name for name, file in SOURCES.items() if file.name == "__init__.py"]


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(SOURCES[name].read_text(encoding="utf-8"), str(SOURCES[name]))


def statements(node: ast.AST, deferred: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports under a node: all of them, or without ``deferred`` those that run when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not deferred and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        elif not deferred and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from statements(ast.Module([other], []), deferred)
        else:
            yield from statements(child, deferred)


def offered(package: str) -> dict[str, str]:
    """What a room offers at its door: name -> the module of the room that it comes from."""
    statements = [node for node in ast.walk(tree(package)) if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: str(statement.module)
        for statement in statements
        for alias in statement.names
        if within(str(statement.module), (package,))
    }


def imported(name: str, deferred: bool = True) -> set[str]:
    """Dotted names that a module imports; ``from a import b`` gives ``a.b`` where that is a module, the module that
    ``b`` comes from where ``a`` offers it at its door, else ``a``.
    """
    file = SOURCES[name]
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    found: set[str] = set()
    for statement in statements(tree(name), deferred):
        if isinstance(statement, ast.Import):
            found.update(alias.name for alias in statement.names)
            continue
        base = ".".join(package[: len(package) - statement.level + 1]) if statement.level else ""
        base = ".".join(part for part in (base, statement.module) if part)
        for alias in statement.names:
            dotted = f"{base}.{alias.name}"
            at_door = offered(base) if base in DOORS and base != name else {}
            found.add(dotted if dotted in SOURCES or dotted in TORCH else at_door.get(alias.name, base))
    return found


def own(names: set[str]) -> set[str]:
    return {name for name in names if name in SOURCES}


def within(name: str, prefixes: tuple[str, ...] | set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def room(name: str) -> str:
    """The folder of LAYERS that a module lies in, the innermost one; the file itself where that has a line."""
    folder = name if SOURCES[name].name == "__init__.py" or name in LAYERS else name.rpartition(".")[0]
    around = [place for place in LAYERS if folder == place or (place != "cxr_core" and within(folder, (place,)))]
    if not around:
        pytest.fail(f"{name}: its folder has no line in LAYERS of {Path(__file__).name}; put it above what it imports")
    return max(around, key=len)


def layer(name: str) -> int:
    """Height of a module, 0 at the ground."""
    return LAYERS.index(room(name))


def without_torch(name: str) -> bool:
    return not within(room(name), WITH_TORCH)


def run_on_import(name: str) -> set[str]:
    """A module's imports at module level, with the packages above them: their __init__ runs too."""
    direct = imported(name, deferred=False)
    parents = {
        ".".join(parts[:end]) for parts in (n.split(".") for n in {*direct, name}) for end in range(1, len(parts))
    }
    return (direct | parents) - {name}


def way_to_torch(name: str) -> list[str]:
    """The chain of module-level imports from a module to torch, [] where there is none."""
    chains, seen = [[name]], {name}
    while chains:
        chain = chains.pop(0)
        for target in sorted(run_on_import(chain[-1])):
            if within(target, TORCH):
                return [*chain, target]
            if target in SOURCES and target not in seen:
                seen.add(target)
                chains.append([*chain, target])
    return []


def test_the_reader_of_imports_sees_what_it_should() -> None:
    tree = ast.parse(
        "import a\nif TYPE_CHECKING:\n    import b\nelse:\n    import c\n"
        "try:\n    import d\nexcept ImportError:\n    pass\ndef f():\n    import e\nclass G:\n    import g\n"
    )

    def names(deferred: bool) -> set[str]:
        return {alias.name for statement in statements(tree, deferred) for alias in statement.names}

    assert names(deferred=False) == {"a", "c", "d", "g"}
    assert names(deferred=True) == {"a", "b", "c", "d", "e", "g"}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_imports_go_down_only(name: str) -> None:
    upward = sorted(target for target in own(imported(name)) if layer(target) > layer(name))
    assert not upward, f"{name} imports upward: {upward}"


def test_no_cycles() -> None:
    graph = {name: own(imported(name, deferred=False)) - {name} for name in SOURCES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(f"modules import each other: {' -> '.join(cycle.args[1])}")


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_only_pages_and_their_frame_know_streamlit(name: str) -> None:
    if within(name, ("cxr_core.server", "cxr_core.ui", "dashboard", "pages")):
        return
    assert not any(within(target, ("streamlit",)) for target in imported(name)), f"{name} imports streamlit"


@pytest.mark.parametrize("name", sorted(filter(without_torch, SOURCES)))
def test_opens_without_torch(name: str) -> None:
    chain = way_to_torch(name)
    assert not chain, f"{name} imports torch when it is imported: {' -> '.join(chain)}"


def test_torch_free_modules_leave_torch_alone_when_run() -> None:
    names = sorted(name for name in SOURCES if without_torch(name) and name.startswith("cxr_core."))
    code = (
        f"import importlib, sys\nfor n in {names!r}:\n    importlib.import_module(n)\nsys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"importing {names} brought torch in, or failed: {done.stderr[-2000:]}"


@pytest.mark.parametrize("name", sorted(name for name in SOURCES if within(name, ("pages", "dashboard"))))
def test_pages_draw_and_leave_the_work_to_the_core(name: str) -> None:
    targets = imported(name)
    deep = {target for target in own(targets) if layer(target) > 0 and not within(target, FOR_PAGES)}
    assert not deep, f"{name} reaches for what pages leave to others: {sorted(deep)}"
    heavy = {target for target in targets if within(target, TORCH | {"json", "pickle", "sklearn", "pydicom"})}
    assert not heavy, f"{name} does the core's work with {sorted(heavy)}"


@pytest.mark.parametrize("name", sorted(name for name in SOURCES if within(name, ("cxr_core.runs.jobs",))))
def test_jobs_start_the_command_line_and_never_the_trainer(name: str) -> None:
    work = {target for target in imported(name) if within(target, TORCH | {"cxr_core.training", "cxr_core.model"})}
    assert not work, f"{name} imports {sorted(work)}; a training is a process of its own"


@pytest.mark.parametrize("name", sorted(name for name in SOURCES if within(name, ("cxr_core.cli",))))
def test_commands_leave_each_other_alone(name: str) -> None:
    shared = {"cxr_core.cli", *(f"cxr_core.cli.{part}" for part in ("flags", "output", "telling"))}
    others = {target for target in imported(name) if within(target, ("cxr_core.cli",))} - shared
    assert not others, (
        f"{name} imports another command: {sorted(others)}; what both need lies in flags, output or telling"
    )
