"""Every code block of the README and of docs/command-line.md is run, with tiny data in the place of its names.

The Python example runs as written, its worker included. Of the command line each line is run as it stands and with
each of its options; a training gets a few flags more, so that it takes a second and fetches nothing. Of the blocks that
install and start the software, what a test can do without a network: the targets are in the Makefile, and what they
would call is what the README says without make; the browser tests start the dashboard itself by that line.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cxr_core import __main__ as cli
from cxr_core.audit.auditing import audit
from cxr_core.audit.issues import Issue
from cxr_core.data import fixes
from cxr_core.data.archive import unpack
from cxr_core.data.dataset import scan
from cxr_core.data.unpacked import holding
from cxr_core.demo.draw import draw
from cxr_core.runs import profiles
from cxr_core.runs.run import Run, list_runs
from cxr_core.settings import runs_dir
from tests import ROOT
from tests.data.test_archive import data_set, packed
from tests.images.files import radiograph
from tests.model.published_support import save_densenet
from tests.runs.test_profiles import profile
from tests.runs_support import SMALL, copy_of, new_run

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README + COMMAND_LINE, re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
COMMANDS = [line for _, text in BLOCKS for line in text.splitlines() if line.startswith("python -m cxr_core ")]
QUICK = [part for name, value in SMALL.items() for part in (f"--{name.replace('_', '-')}", str(value))]


def test_every_block_is_of_a_kind_that_is_tested_here() -> None:
    kinds = []
    for language, text in BLOCKS:
        first = text.splitlines()[0].split()
        command = "commands" if first[:3] == ["python", "-m", "cxr_core"] else first[0]
        kinds.append(language or {"python3": "without make"}.get(command, command))
    assert set(kinds) == {"make", "without make", "commands", "python"}, kinds


def test_the_python_example_runs_as_written(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = PYTHON
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-xrays").symlink_to(tiny_dataset)
    noise = np.random.default_rng(0).integers(0, 256, (90, 90), dtype=np.uint8)
    (tmp_path / "a.dcm").write_bytes(radiograph(noise, 8))
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    (run,) = list_runs(runs_dir())
    metrics = run.metrics("test")
    assert metrics
    printed = capsys.readouterr().out
    assert f"\n{metrics['macro_f1']}\n" in printed
    # Noise is no X-ray: its answer is withheld, and no label is printed.
    (answer,) = (line for line in printed.splitlines() if line.startswith("a.dcm"))
    assert answer.startswith("a.dcm None None ")
    assert not any(name in answer for name in run.classes)


def alternatives(line: str) -> list[list[str]]:
    """A line of the README as the commands that it stands for: with no option, and with each of them."""
    _, _, _, name, *rest = re.split(r"\s+", line, maxsplit=4)
    usage = re.split(r"\s{2,}", rest[0])[0] if rest else ""
    group = r"\[([^\]]*)\]"
    written = [re.sub(group, "", usage)]
    for found in re.finditer(group, usage):
        # In its place: before it and behind it the others are left out.
        before, after = (re.sub(group, "", part) for part in (usage[: found.start()], usage[found.end() :]))
        written += [f"{before}{option}{after}" for option in found[1].split(" | ")]
    return [[name, *shlex.split(one)] for one in written]


def test_the_reader_of_usage_lines_reads_them() -> None:
    line = 'python -m cxr_core audit    --data DIR [--fix "a: b" | --undo NAME]  [--json]   what it does'
    assert alternatives(line)[:2] == [["audit", "--data", "DIR"], ["audit", "--data", "DIR", "--fix", "a: b"]]
    assert alternatives("python -m cxr_core runs") == [["runs"]]


@pytest.fixture
def values(
    completed_run: Run, hospital: Path, tiny_dataset: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[str]], list[str]]:
    """Puts what exists here into a usage line's places."""
    monkeypatch.setenv("TORCH_HOME", str(isolated / "torch"))
    run = copy_of(completed_run, isolated)
    image = sorted(tiny_dataset.glob("test/*/*.png"))[0]
    leaking = isolated / "leaking"
    for split in ("train", "test"):
        for file in sorted((tiny_dataset / "train").glob("*/*.png")):
            target = leaking / split / file.parent.name / f"{split}-{file.name}"
            # One picture of the training is in the test too.
            if split == "train" or file == sorted(file.parent.glob("*.png"))[0]:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    for file in sorted((tiny_dataset / "test").glob("*/*.png")):
        (leaking / "test" / file.parent.name / file.name).write_bytes(file.read_bytes())

    def place(word: str, before: str, command: str) -> list[str]:
        if word == "DIR":
            folder = {"demo": isolated / f"demo{len(list(isolated.iterdir()))}", "audit": leaking, "evaluate": hospital}
            if command == "fit-site":
                folder[command] = draw(isolated / "site", images=72, seed=7)
            return [str(runs_dir()) if before == "--runs" else str(folder.get(command, tiny_dataset))]
        if word == "RUN":
            waiting = new_run(tiny_dataset, isolated / "waiting") if command == "resume" else run
            return [str(waiting.path) if command == "resume" else waiting.id]
        if command == "import-model" and word in ("FILE", "NAME"):
            save_densenet(isolated / "network.pt")
            return [str(isolated / "network.pt") if word == "FILE" else "densenet121-res224-nih"]
        if word == "NAME" and command == "unpacked":
            upload = holding(unpack(packed(data_set()), "set.zip"))
            assert upload is not None
            return [upload.name]
        if word == "NAME" and command in ("fit-site", "predict"):
            if command == "predict":
                profiles.keep(run, profile())
            return [profile().name]
        if word == "NAME":
            name = fixes.read(runs_dir())["mend"].iloc[-1] if before == "--undo" else hospital.name
            return [str(name)]
        known = {
            "FILE": [str(image)],
            "FILE...": [str(image), str(image)],
            "C": ["NORMAL"],
            "PNG": [str(isolated / "heat.png")],
            "PATH": [str(isolated / "report.html")],
            "controls|left-out": ["controls"],
            "600": ["12"],
            "...": QUICK,
        }
        return known.get(word, [word])

    def fill(words: list[str]) -> list[str]:
        filled: list[str] = []
        for number, word in enumerate(words):
            filled += place(word, words[number - 1], words[0])
        # As `[...]` says for itself: without flags a training fetches VGG16's weights.
        return [*filled, *QUICK] if words[0] == "train" and "..." not in words else filled

    return fill


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: line.removeprefix("python -m cxr_core ")[:24])
def test_every_command_of_the_readme_does_what_it_says(
    line: str, values: Callable[[list[str]], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    # Without --only both experiments are trained; one of them is enough here.
    for words in [one for one in alternatives(line) if one[:2] != ["audit", "--run"] or "--only" in one]:
        arguments = values(words)
        # A leak is there to be fixed, and --strict says so.
        assert cli.main(arguments) == int("--strict" in words), (arguments, capsys.readouterr())
        out = capsys.readouterr().out
        if "--json" in words:
            json.loads(out)
        if words[-2:-1] == ["--fix"]:
            assert not any(issue.kind == "leak" for issue in issues(arguments))


def issues(arguments: list[str]) -> list[Issue]:
    dataset = scan(arguments[arguments.index("--data") + 1])
    return list(audit(fixes.applied(dataset, fixes.read(runs_dir()))).issues)


def test_make_and_what_the_readme_says_without_it(tmp_path: Path) -> None:
    named = [line.split("#")[0].split() for _, text in BLOCKS for line in text.splitlines() if line.startswith("make ")]
    named += [part.split() for part in re.findall(r"`(make \w+)`", README)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    said = {}
    for _, target in named:
        # -n: what would be called, without calling it.
        done = subprocess.run(
            ["make", "-n", target], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (target, done.stderr)
        said[target] = done.stdout
    lines = [line for _, text in BLOCKS for line in text.splitlines() if ".venv/bin/python -m " in line]
    install, start = (line.split("python -m ")[1] for line in lines)
    assert start in said["run"]
    assert install.removeprefix("pip ") in (ROOT / "Makefile").read_text() or install.endswith("-r requirements.txt")
    assert (ROOT / "requirements.txt").is_file()
    assert (ROOT / start.split()[-1]).is_file()
    help_text = subprocess.run([sys.executable, "-m", "streamlit", "run", "--help"], capture_output=True, check=True)
    assert b"streamlit run" in help_text.stdout
