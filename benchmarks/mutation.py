"""``python -m benchmarks.mutation [MODULE ...] [--most N] [--seed S]``: which wrong programs the tests let pass.

One small change at a time (a comparison, a sign, a number, a condition) goes into a copy of the project, and the tests
that belong to the module run on it. A mutant that no test fails on survived, and is printed with its line. Without
MODULE, those of ``SUBJECTS``. Third-party packages are imported once and each trial is a fork, so it needs a POSIX
system. A few minutes a module: run it under ``nice``.
"""

import argparse
import ast
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Module below cxr_core -> the tests that belong to it, below tests.
SUBJECTS = {
    "model/losses": ("model/test_losses.py",),
    "data/splits": ("data/test_splits.py",),
    "evaluation/calibration": ("evaluation/test_calibration.py",),
    "labels": ("test_labels.py",),
    "evaluation/operating": ("evaluation/test_operating.py",),
    "runs/decision": ("runs/test_decision.py",),
    "evaluation/intervals": ("evaluation/test_intervals.py",),
    "evaluation/resampling": ("evaluation/test_intervals.py",),
    "audit/duplicates": ("audit/test_duplicates.py",),
    "images/gate": ("images/test_gate.py",),
    "training/checkpoint": ("training/test_checkpoint.py",),
    "training/trainer": ("training/test_trainer.py",),
    "data/archive": ("data/test_archive.py", "data/test_zip_tools.py", "data/test_uploads.py"),
    "images/dicom/bits": ("images/dicom/test_bits.py", "images/dicom/test_header.py"),
    "images/dicom/display": (
        "images/dicom/test_window.py",
        "images/dicom/test_padding.py",
        "images/dicom/test_files.py",
        "images/test_steps.py",
    ),
    "images/black_white": ("images/test_black_white.py",),
    "images/dicom/lookup": ("images/dicom/test_lookup.py",),
    "images/dicom/uncoloured": ("images/dicom/test_uncoloured.py",),
    "images/dicom/window": ("images/dicom/test_window.py",),
    "images/dicom/header": (
        "images/dicom/test_header.py",
        "images/dicom/test_bits.py",
        "images/dicom/test_uncoloured.py",
    ),
}
PACKAGES = ("numpy", "pandas", "torch", "torchvision", "sklearn.metrics", "scipy.stats", "hypothesis", "PIL.Image")
COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "argmax": "argmin", "isin": "eq"}


@dataclass(frozen=True)
class Mutant:
    """``text`` instead of what stands from ``start`` to ``end``, byte offsets in the module."""

    line: int
    start: int
    end: int
    text: str

    def source(self, source: bytes) -> bytes:
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants(source: bytes) -> list[Mutant]:
    """All changes of a module, in the order of its lines. Messages, annotations and docstrings stay as they are."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(first: ast.expr | ast.stmt, last: ast.expr | ast.stmt) -> tuple[int, int]:
        assert last.end_lineno is not None
        assert last.end_col_offset is not None
        return starts[first.lineno - 1] + first.col_offset, starts[last.end_lineno - 1] + last.end_col_offset

    def between(left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[Mutant]:
        start, end = span(left, left)[1], span(right, right)[0]
        at = source[start:end].find(old.encode())
        if at >= 0:
            yield Mutant(left.lineno, start + at, start + at + len(old), new)

    found: list[Mutant] = []
    for node in _code(ast.parse(source)):
        if isinstance(node, ast.Compare):
            for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
                found += between(left, right, *COMPARISONS[type(operator)])
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            found += between(node.left, node.right, *OPERATORS[type(node.op)])
        elif isinstance(node, ast.BoolOp):
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                found += between(left, right, old, new)
        elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
            start = span(node, node)[0]
            found.append(Mutant(node.lineno, start, start + (3 if isinstance(node.op, ast.Not) else 1), ""))
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
            other = not node.value if isinstance(node.value, bool) else node.value + 1
            found.append(Mutant(node.lineno, *span(node, node), repr(other)))
        elif isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(node.test, ast.Compare):
            start, end = span(node.test, node.test)
            found.append(Mutant(node.lineno, start, end, f"(not ({source[start:end].decode()}))"))
        elif isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
            old, new = OPERATORS[type(node.op)]
            start, end = span(node.target, node.target)[1], span(node.value, node.value)[0]
            at = source[start:end].find(old.encode())
            found.append(Mutant(node.lineno, start + at, start + at + len(old), new))
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in NAMES:
                end = span(node, node)[1]
                found.append(Mutant(node.lineno, end - len(name), end, NAMES[name]))
        elif isinstance(node, ast.Raise | ast.Continue | ast.Break) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            found.append(Mutant(node.lineno, *span(node, node), "pass"))
    return sorted(set(found), key=lambda mutant: (mutant.start, mutant.end, mutant.text))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that decides what the program does."""
    yield node
    if isinstance(node, ast.Raise | ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _code(child)


def passes(root: Path, tests: tuple[str, ...], seconds: float) -> bool:
    """Whether the tests pass in ``root``; too slow counts as failed."""
    child = os.fork()
    if not child:
        os.setsid()
        os.chdir(root)
        sys.path[0] = str(root)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        status = 1
        try:
            import pytest

            paths = [f"tests/{test}" for test in tests]
            status = pytest.main([*paths, "-x", "-q", "-m", "not browser", "-p", "no:cacheprovider"])
        finally:
            os._exit(int(status))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def examine(root: Path, module: str, most: int, seed: int, seconds: float) -> bool:
    """Try up to ``most`` mutants of a module within ``seconds``, drawn by ``seed``; print those that survive."""
    path = root / "cxr_core" / f"{module}.py"
    source, tests = path.read_bytes(), SUBJECTS[module]
    started = time.monotonic()
    if not passes(root, tests, 600):
        print(f"{module}: its tests fail as it stands", flush=True)
        return False
    patience = 10 + 4 * (time.monotonic() - started)
    started = time.monotonic()
    possible = mutants(source)
    chosen = random.Random(seed).sample(possible, min(most, len(possible)))
    tried, survivors = 0, []
    for mutant in chosen:
        if time.monotonic() - started > seconds:
            break
        path.write_bytes(mutant.source(source))
        tried += 1
        if passes(root, tests, patience):
            survivors.append(mutant)
    path.write_bytes(source)
    print(f"{module}: {tried} of {len(possible)} mutants tried, {tried - len(survivors)} killed", flush=True)
    for mutant in sorted(survivors, key=lambda mutant: mutant.start):
        line = source.splitlines()[mutant.line - 1].decode().strip()
        old = source[mutant.start : mutant.end].decode()
        print(f"  survived, line {mutant.line}: {old!r} -> {mutant.text!r} in: {line}", flush=True)
    return True


def main() -> int:
    """Copy what git tracks, then module by module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--most", type=int, default=60, metavar="N", help="mutants of a module (default 60)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="which of them (default 0)")
    parser.add_argument("--seconds", type=float, default=600, metavar="T", help="for a module (default 600)")
    options = parser.parse_args()
    modules = options.modules or list(SUBJECTS)
    if unknown := sorted(set(modules) - set(SUBJECTS)):
        parser.error(f"there is no {unknown[0]}: expected some of {', '.join(SUBJECTS)}")
    for package in PACKAGES:
        importlib.import_module(package)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "project"
        listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, root / name)
        # The real X-rays lie beside the project.
        if (shared := Path.cwd().parent / "shared").is_dir():
            (Path(scratch) / "shared").symlink_to(shared)
        sound = [examine(root, module, options.most, options.seed, options.seconds) for module in modules]
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
