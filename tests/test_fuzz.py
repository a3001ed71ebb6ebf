"""A few hundred damaged files of every kind: each is read or refused, and nothing else happens (see tests/fuzz.py)."""

from collections.abc import Iterator

import pytest

from tests.fuzz import Bench, environment
from tests.mutants import KINDS

# The first so many of each kind; `python -m tests.fuzz 20000` tries more.
COUNTS = {"dicom": 60, "png": 40, "jpeg": 40, "tiff": 50, "bmp": 20, "webp": 20, "zip": 60, "table": 40}
COUNTS |= {"run": 25, "cache": 25}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(home).items():
            patch.setenv(name, value)
        yield Bench(home)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", COUNTS)
def test_a_damaged_file_is_read_or_refused(kind: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(bench.home).items():
        monkeypatch.setenv(name, value)
    outcomes = []
    for number in range(COUNTS[kind]):
        try:
            outcomes.append(bench.attempt(kind, number))
        except Exception as error:
            raise AssertionError(f"python -m tests.fuzz --only {kind} --number {number} repeats it") from error
    assert any(outcomes) or kind == "table", "some changes do no harm"
    assert kind == "cache" or not all(outcomes), "some do"


def test_every_kind_is_tried_and_a_number_stands_for_one_file(bench: Bench) -> None:
    assert set(COUNTS) == set(bench.kinds)
    for kind in KINDS.values():
        assert [kind.mutant(number) for number in range(20)] == [kind.mutant(number) for number in range(20)]
        assert len({kind.mutant(number).content for number in range(20)}) > 10
