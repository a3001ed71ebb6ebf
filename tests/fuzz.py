"""Damaged files against everything that reads files: nothing but a CxrError may come of it.

    python -m tests.fuzz 20000 [--seed 0] [--only dicom,zip]

Each mutant (:mod:`tests.mutants`) is tried through the product's own doors. Anything raised that is no CxrError, a
process that dies and a file that takes more than ten seconds are counted and named; ``--only KIND --number N`` tries
one of them again. On one core about 100 to 300 files a second, runs and tables 10 to 30.
"""

import argparse
import io
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from cxr_core import images
from cxr_core.__main__ import main as command
from cxr_core.cli.runs import _run_row
from cxr_core.data.archive import unpack
from cxr_core.data.dataset import scan
from cxr_core.data.uploads import members
from cxr_core.errors import CxrError
from cxr_core.images import dicom
from cxr_core.runs.run import Run, list_runs
from cxr_core.settings import recent_datasets
from tests.images.files import tree, write
from tests.mutants import KINDS, Kind, Seed, json_kind
from tests.pages.support import tiny_dataset, tiny_run

SLOW_SECONDS = 10
_CHUNK = 200


def environment(home: Path) -> dict[str, str]:
    """The variables that lead the product to its folders below ``home``."""
    return {f"CXR_{name.upper()}": str(home / name) for name in ("runs", "cache", "data")}


class Bench:
    """A home with small data sets and a completed run, on which mutants are tried one after the other.

    The environment must be that of :func:`environment` while it is made and used.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.plain = tree(home / "plain", {"A": 3, "B": 3})
        self.flat = home / "flat"
        for number in range(6):
            write(self.flat / f"{number}.png", number)
        self.run = tiny_run(home / "runs", tiny_dataset(home / "squares"), "completed")
        kept = {
            path.name: path.read_bytes()
            for path in sorted(self.run.path.iterdir())
            if path.suffix in (".json", ".jsonl", ".csv")
        }
        (self.scan_file,) = (home / "cache" / "scans").iterdir()
        self.kinds: dict[str, Kind] = {
            **KINDS,
            "run": json_kind(kept),
            "cache": json_kind(
                {"scan": self.scan_file.read_bytes(), "recent": json.dumps([str(self.plain)] * 2).encode()}
            ),
        }

    def attempt(self, kind: str, number: int) -> bool:
        """Try a mutant: True where it could be read, False where it was refused. Raises what is neither."""
        mutant = self.kinds[kind].mutant(number)
        try:
            {"zip": self._zip, "table": self._table, "run": self._run, "cache": self._cache}.get(kind, self._image)(
                mutant, number
            )
        except CxrError as error:
            if not str(error):
                raise AssertionError("an error says nothing") from error
            return False
        return True

    def _image(self, mutant: Seed, number: int) -> None:
        dicom.facts(mutant.content)
        refused: CxrError | None = None
        try:
            images.inspect(mutant.content, mutant.name)
        except CxrError as error:
            refused = error
        for side, colour in ((None, False), (16, False), (16, True)):
            try:
                images.decode(mutant.content, mutant.name, side, colour)
            except CxrError as error:
                refused = refused or error
        if refused:
            raise refused

    def _zip(self, mutant: Seed, number: int) -> None:
        refused: CxrError | None = None
        try:
            for member in members(mutant.name, mutant.content, "k"):
                member.content()
        except CxrError as error:
            refused = error
        try:
            unpack(mutant.content, mutant.name)
        except CxrError as error:
            assert not list((self.home / "data" / "uploads").iterdir()), "a refused archive leaves nothing"
            raise error from refused
        finally:
            shutil.rmtree(self.home / "data" / "uploads", ignore_errors=True)

    def _table(self, mutant: Seed, number: int) -> None:
        folder = self.plain if mutant.name == "sources.csv" else self.flat
        (folder / mutant.name).write_bytes(mutant.content)
        try:
            scan(folder)
        finally:
            (folder / mutant.name).unlink()

    def _run(self, mutant: Seed, number: int) -> None:
        file = self.run.path / mutant.name
        whole = file.read_bytes()
        file.write_bytes(mutant.content)
        arguments = [["runs"], ["evaluate", self.run.id], ["report", self.run.id, "--out", str(self.home / "card.md")]]
        try:
            said = io.StringIO()
            with redirect_stdout(said), redirect_stderr(said):
                # The card is slow to write.
                status = [command(each) for each in arguments[: 3 if number % 5 == 0 else 2]]
            for run in list_runs(self.home / "runs"):
                _touch(run)
            if any(status):
                raise CxrError(said.getvalue() or "nothing was said")
        finally:
            file.write_bytes(whole)

    def _cache(self, mutant: Seed, number: int) -> None:
        if mutant.name == "recent":
            (self.home / "data").mkdir(exist_ok=True)
            (self.home / "data" / "recent.json").write_bytes(mutant.content)
            recent_datasets()
            return
        self.scan_file.write_bytes(mutant.content)
        scan(self.home / "squares")


def _touch(run: Run) -> None:
    """Everything that a page asks of a run; each may be refused, none may fail."""
    _run_row(run)
    names = [name for name, value in vars(Run).items() if isinstance(value, property)]
    for name in [*names, "info"]:
        try:
            getattr(run, name)
        except CxrError:
            continue
    for split in ("val", "test"):
        try:
            run.metrics(split)
            run.predictions(split)
        except CxrError:
            continue


_bench: Bench | None = None


def _work(kind: str, numbers: list[int], home: str) -> list[tuple[int, str, float]]:
    """Outcome ("read", "refused" or a traceback's end) and seconds of each mutant, in a process of its own."""
    global _bench
    warnings.simplefilter("ignore")
    if _bench is None:
        # libtiff writes to standard error by itself.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.environ |= environment(Path(home))
        _bench = Bench(Path(home))
    outcomes = []
    for number in numbers:
        started = time.perf_counter()
        try:
            outcome = "read" if _bench.attempt(kind, number) else "refused"
        except Exception:
            lines = traceback.format_exc().splitlines()
            outcome = "\n".join(line[:200] for line in lines[-8:])
        outcomes.append((number, outcome, time.perf_counter() - started))
    return outcomes


def _in_a_process(kind: str, numbers: list[int]) -> list[tuple[int, str, float]]:
    with tempfile.TemporaryDirectory() as home, ProcessPoolExecutor(1) as pool:
        return pool.submit(_work, kind, numbers, home).result()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "count", type=int, nargs="?", default=2_000, help="mutants of all kinds together (default 2,000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="number of the first mutant of each kind (default 0)")
    parser.add_argument("--only", default="", metavar="KINDS", help="these kinds alone, separated by commas")
    parser.add_argument("--number", type=int, help="with --only: this mutant alone, in this process")
    options = parser.parse_args()
    kinds = options.only.split(",") if options.only else [*KINDS, "run", "cache"]
    if options.number is not None:
        with tempfile.TemporaryDirectory() as home:
            os.environ |= environment(Path(home))
            print("read" if Bench(Path(home)).attempt(kinds[0], options.number) else "refused")
        return 0
    bad = 0
    for kind in kinds:
        # A run is read in many places, each mutant of one takes as long as ten others.
        count = options.count // len(kinds)
        tally: Counter[str] = Counter()
        slowest = (0.0, 0)
        for start in range(options.seed, options.seed + count, _CHUNK):
            numbers = list(range(start, min(start + _CHUNK, options.seed + count)))
            try:
                outcomes = _in_a_process(kind, numbers)
            except BrokenProcessPool:
                outcomes = []
                for number in numbers:
                    try:
                        outcomes += _in_a_process(kind, [number])
                    except BrokenProcessPool:
                        outcomes.append((number, "the process died", 0.0))
            for number, outcome, seconds in outcomes:
                slowest = max(slowest, (seconds, number))
                if outcome not in ("read", "refused"):
                    print(f"{kind} {number}: {outcome}", flush=True)
                    outcome = "uncaught"
                tally[outcome] += 1
                tally["slow"] += seconds > SLOW_SECONDS
        bad += tally["uncaught"] + tally["slow"]
        print(
            f"{kind}: {count:,} tried, {tally['read']:,} read, {tally['refused']:,} refused, "
            f"{tally['uncaught']:,} uncaught, {tally['slow']:,} over {SLOW_SECONDS} s; "
            f"the slowest took {slowest[0]:.2f} s (number {slowest[1]})",
            flush=True,
        )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
