"""Classes whose names look like numbers, or like what tables write for true, false and missing."""

import json
from pathlib import Path

import pandas as pd
import pytest

from cxr_core.__main__ import main
from cxr_core.audit.shortcut import shortcut
from cxr_core.audit.sources import source_only
from cxr_core.audit.traits import traits_of
from cxr_core.data.dataset import scan
from cxr_core.runs.measured import measured
from cxr_core.runs.run import find_run
from cxr_core.settings import runs_dir
from tests.pages.support import open_page
from tests.runs_support import noise

# In the order in which they are sorted, as are the plain ones.
ODD = ("-1", "0", "007", "1", "1e5", "NA", "True", "nan")
PLAIN = ("a", "b", "c", "d", "e", "f", "g", "h")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve grey noises of each class, the lower the class the darker."""
    root = tmp_path_factory.mktemp("odd") / "set"
    for k, name in enumerate(ODD):
        for image in range(12):
            noise(root / name / f"{k}x{image}.png", seed=100 * k + image, low=20 * k, high=20 * k + 90)
    return root


def test_the_audits_scores_do_not_depend_on_the_names(odd: Path) -> None:
    dataset = scan(odd)
    traits = traits_of(dataset)
    plain = dataset.samples.assign(label=dataset.samples["label"].map(dict(zip(ODD, PLAIN, strict=True))))
    found = shortcut(dataset.samples, traits)
    assert found == shortcut(plain, traits)
    assert found["macro_f1"] > found["chance_macro_f1"] + 0.2
    sources = [f"s{k % 5}" for k in range(len(plain))]
    assert source_only(dataset.samples.assign(source=sources)) == source_only(plain.assign(source=sources))


def test_from_the_audit_to_the_prediction(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two of the names alone: scikit-learn takes classes that are all numbers for numbers."""
    config = [
        "--backbone",
        "small-cnn",
        "--epochs",
        "2",
        "--image-size",
        "32",
        "--device",
        "cpu",
        "--alpha",
        "balanced",
    ]
    for names in (ODD, ("0", "1")):
        root = odd if names == ODD else odd.with_name("two")
        for name in names if root != odd else ():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).symlink_to(odd / name)
        assert main(["audit", "--data", str(root)]) == 0
        assert main(["train", "--data", str(root), *config]) == 0
        run = find_run(runs_dir(), capsys.readouterr().out.splitlines()[-1])
        assert run.classes == list(names)
        metrics, table = measured(run, "test")
        assert set(table["label"]) == set(names)
        assert set(run.split["label"]) == set(names)
        assert sum(map(sum, metrics["confusion"])) == metrics["n"] == len(table)
        assert main(["evaluate", run.id, "--json"]) == 0
        assert list(json.loads(capsys.readouterr().out)["per_class"]) == list(names)
        assert main(["evaluate", run.id, "--data", str(root), "--by-source"]) == 0
        capsys.readouterr()
        picture = next((root / names[0]).glob("*.png"))
        assert main(["predict", run.id, str(picture), "--json", "--force"]) == 0
        (answer,) = json.loads(capsys.readouterr().out)
        assert set(answer["probabilities"]) == set(names)
        assert main(["report", run.id, "--out", str(root.with_name("card.md"))]) == 0
        for page in ("1_Dataset", "5_Evaluate", "6_Predict", "2_Audit"):
            at = open_page(f"pages/{page}.py", data=str(root), run=run.id)
            assert not at.exception
            assert not at.error


def test_a_tables_labels_and_patients_stay_as_they_are_written(odd: Path, tmp_path: Path) -> None:
    files = sorted(file.relative_to(odd).as_posix() for file in odd.glob("*/*.png"))
    table = pd.DataFrame({"file": files, "label": [f"0{k % 2}" for k in range(len(files))], "patient": "007"})
    table.to_csv(odd / "labels.csv", index=False)
    try:
        samples = scan(odd / "labels.csv").samples
    finally:
        (odd / "labels.csv").unlink()
    assert samples["label"].tolist() == table["label"].tolist()
    assert set(samples["patient"]) == {"007"}
