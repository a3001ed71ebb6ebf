"""The project as a whole: what is pinned, promised and kept out."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import ROOT
from tests.test_layers import SOURCES, imported

ENTRIES = [*ROOT.glob("dashboard.py"), *sorted(ROOT.glob("pages/*.py"))]

# Written in pieces, or this file would be the first to break the rule that it checks.
REGISTRIES = [f"{name}.org" for name in ("pypi", "pythonhosted", "anaconda", "npmjs")]
MACHINE_PATHS = re.compile(r"(?<![\w.~$}*])/(?:" + "|".join(("work", "tmp", "root", "home", "Users")) + r")/")

# Test files of a room that try one behaviour of several of its modules, or of the whole room.
WHOLE = {
    "audit/test_border",
    "charts/test_charts",
    "data/test_zip_tools",
    "images/dicom/test_bare",
    "images/dicom/test_padding",
    "images/dicom/test_pydicom_files",
    "images/test_containers",
    "images/test_damage",
    "inference/test_border",
    "inference/test_coherent",
    "reports/test_renderers",
    "server/test_hosts",
}
# The same of the project: these lie at the root of tests/, beside the tests of the ground's modules.
PROJECT = {
    "audit_deps",
    "coverage",
    "findings_journey",
    "fuzz",
    "layers",
    "notebook_defects",
    "odd_names",
    "project",
    "readme",
}


def pins(name: str) -> dict[str, str]:
    """Distribution -> version of a requirements file; every line must pin exactly."""
    found: dict[str, str] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        text = line.split("#")[0].strip()
        if not text or text.startswith("-r "):
            continue
        assert re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.]+", text), f"{name}: {text!r} is not pinned as name==version"
        requirement = Requirement(text)
        found[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return found


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_to_what_is_tested(name: str) -> None:
    wanted = pins(name)
    assert wanted
    installed = {distribution: version(distribution).split("+")[0] for distribution in wanted}
    assert installed == wanted


def test_torch_and_torchvision_belong_together() -> None:
    wanted = pins("requirements.txt")
    needed = [Requirement(text) for text in requires("torchvision") or []]
    torch = next(requirement for requirement in needed if requirement.name == "torch")
    assert torch.specifier.contains(wanted["torch"]), f"torchvision {wanted['torchvision']} needs {torch}"


def test_everything_imported_is_required_by_name() -> None:
    known = {canonicalize_name(name) for name in pins("requirements.txt")}
    owners = packages_distributions()
    for module in SOURCES:
        for target in imported(module):
            top = target.split(".")[0]
            if top in sys.stdlib_module_names or top in ("cxr_core", "pages", "dashboard", "__future__"):
                continue
            names = {canonicalize_name(owner) for owner in owners.get(top, [])}
            assert names & known, f"{module} imports {top}, which requirements.txt does not name"


def test_readme_gives_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "streamlit run dashboard.py" in readme
    assert "not for clinical use" in readme.lower()


def test_tests_mirror_the_map() -> None:
    """``tests/ROOM/test_MODULE.py`` tests ``cxr_core/ROOM/MODULE.py``, or stands in a list above."""
    files = [file for file in ROOT.glob("tests/**/test_*.py") if file.parent.name not in ("pages", "browser")]
    named = {file.relative_to(ROOT / "tests").with_suffix("").as_posix() for file in files}
    whole = WHOLE | {f"test_{name}" for name in PROJECT}
    assert whole <= named, f"listed, but gone: {sorted(whole - named)}"
    for name in sorted(named - whole):
        module = ROOT / "cxr_core" / name.replace("test_", "", 1)
        assert module.is_dir() or module.with_suffix(".py").is_file(), f"tests/{name}.py tests no module of its room"


def test_contributing_names_what_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"(?:cxr_core|tests|pages|docs)/[\w./]*\w", text))
    assert paths
    gone = sorted(path for path in paths if not (ROOT / path).exists() and "ROOM" not in path)
    assert not gone
    for name, place in re.findall(r"`(\w+)` (?:of|in)\s+`([\w/.]+\.py)`", text):
        assert re.search(rf"\b{name}\b", (ROOT / place).read_text(encoding="utf-8")), f"{place} has no {name}"


def test_before_a_commit_the_checks_of_make_run() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert "entry: make check" in hooks
    assert "repo: local" in hooks


def test_ci_runs_the_readme_command() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, ".ci/run is not executable"
    assert "make test" in script.read_text(encoding="utf-8").splitlines()


def test_nothing_names_a_registry_or_this_machine() -> None:
    files = tracked()
    if not files:
        pytest.skip("not a git checkout: no list of tracked files")
    found = []
    for file in files:
        content = file.read_bytes() if file.is_file() else b""
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if any(host in line for host in REGISTRIES) or MACHINE_PATHS.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", ENTRIES, ids=lambda file: file.name)
def test_pages_compile(file: Path) -> None:
    compile(file.read_text(encoding="utf-8"), str(file), "exec")


def test_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text.splitlines()[1]
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"] == "Apache-2.0"


def luminance(colour: str) -> float:
    """Relative luminance of ``#RRGGBB``, 0 to 1 (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_theme_can_be_read(look: str) -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"][look]
    ground = theme["backgroundColor"]
    assert contrast(theme["textColor"], ground) >= 7
    assert contrast(theme["linkColor"], ground) >= 4.5
    assert contrast(theme["primaryColor"], ground) >= 3, "a control must stand out from the page"
    assert contrast("#FFFFFF", theme["primaryColor"]) >= 4.5, "a button's white text must be legible"
    assert len(set(theme["chartCategoricalColors"])) >= 10


def test_server_is_closed_to_others_by_default() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableXsrfProtection"] is True
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"
    fonts = [value for key, value in config["theme"].items() if "font" in key.lower() and isinstance(value, str)]
    assert not any("://" in font for font in fonts), "fonts come from the installation, not from the net"
