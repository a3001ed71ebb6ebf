"""What is in a run stands in one place: the models, the page that is made from them, and the names of the files."""

import ast
import json
from pathlib import Path

import pytest

from cxr_core.errors import RunError
from cxr_core.runs import files, records
from cxr_core.runs.records import FORMAT, DecisionRule, Record, Status, read, written
from cxr_core.runs.run import Run
from docs.files_of_a_run import OUT, RECORDS, page
from tests import ROOT

NAMES = {value for name, value in vars(files).items() if name.isupper() and "." in value}
# The ground lies below runs and cannot ask it.
ELSEWHERE = {"cxr_core/runs/files.py": NAMES, "cxr_core/settings.py": {files.RUN}}


def test_the_page_is_what_the_models_say() -> None:
    assert OUT.read_text(encoding="utf-8") == page(), "python -m docs.files_of_a_run makes it anew"


def test_every_model_stands_on_the_page_and_every_field_is_described() -> None:
    public = {
        model
        for name, model in vars(records).items()
        if isinstance(model, type) and issubclass(model, Record) and model is not Record and not name.startswith("_")
    }
    assert {model for _, model in RECORDS} == public
    for model in public:
        assert all(field.description for field in model.model_fields.values()), model


@pytest.mark.parametrize("file", sorted(ROOT.glob("cxr_core/**/*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_name_of_a_file_stands_once(file: Path) -> None:
    inside = file.relative_to(ROOT).as_posix()
    allowed = ELSEWHERE.get(inside, set()) | ({files.PREFIX} if inside.startswith("cxr_core/model/") else set())
    tree = ast.parse(file.read_text(encoding="utf-8"))
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not (said & NAMES) - allowed


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "null", '{"state": 3}', "[" * 100_000, "\xff"])
def test_what_is_no_record_is_one_error_with_the_file_and_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / files.DECISION).write_text(content, encoding="latin-1")
    with pytest.raises(RunError, match=r"decision\.json is damaged: expected the thresholds of the run\. Train"):
        read(tmp_path / files.DECISION, DecisionRule)
    assert read(tmp_path / "nowhere.json", DecisionRule) is None


def test_fields_of_another_version_stay_and_what_was_not_given_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / files.STATUS
    file.write_text('{"state": "completed", "colour": "blue", "pid": 3}')
    status = read(file, Status)
    assert status is not None
    changed = json.loads(written(status.model_copy(update={"state": "stopped"})))
    assert changed == {"state": "stopped", "colour": "blue", "pid": 3}


def test_a_new_run_has_the_format_an_old_one_is_of_the_first_and_a_later_one_is_refused(completed_run: Run) -> None:
    file = completed_run.path / files.RUN
    assert completed_run.info.format == FORMAT
    info = json.loads(file.read_text())
    old = {name: value for name, value in info.items() if name != "format"}
    try:
        file.write_text(json.dumps(old))
        assert Run(completed_run.path).info.format == 1
        file.write_text(json.dumps(old | {"format": FORMAT + 1}))
        with pytest.raises(RunError, match=rf"is of format {FORMAT + 1}, which a later version .* Update the software"):
            _ = Run(completed_run.path).info
    finally:
        file.write_text(json.dumps(info))
