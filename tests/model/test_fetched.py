"""Published networks: downloaded and checked, or brought as a file; a pickled one waits for a person's consent."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cxr_core.errors import WeightsError
from cxr_core.model.fetched import brought, known, ready, tensors_file
from cxr_core.model.weights import check_weights, load_backbone, weights_digest
from cxr_core.published import PUBLISHED, Published
from tests.model.published_support import save_densenet
from tests.model.test_weights import Server, checkpoints, server  # noqa: F401

ALL, NIH = PUBLISHED["densenet121-res224-all"], PUBLISHED["densenet121-res224-nih"]


@pytest.fixture(scope="module")
def published_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    file = tmp_path_factory.mktemp("published") / ALL.file
    return file, save_densenet(file)


@pytest.fixture
def entered(published_file: tuple[Path, dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch) -> Published:
    """The file's checksum stands in the registry."""
    content = published_file[0].read_bytes()
    entry = replace(ALL, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    altered = {**PUBLISHED, ALL.name: entry}
    for module in ("cxr_core.published", "cxr_core.model.fetched", "cxr_core.model.weights"):
        monkeypatch.setattr(f"{module}.PUBLISHED", altered)
    return entry


@pytest.mark.usefixtures("checkpoints")
def test_downloaded_checked_opened_and_trained_from(
    server: Server,  # noqa: F811
    published_file: tuple[Path, dict[str, torch.Tensor]],
    entered: Published,
) -> None:
    entry = entered
    server.files[ALL.file] = published_file[0].read_bytes()
    with pytest.raises(WeightsError, match=r"is a whole pickled network.*--trust-pickle"):
        check_weights("xrv_densenet121", ALL.name)
    assert not tensors_file(entry).exists()
    told: list[tuple[int, int]] = []
    server.manner = "slow"
    found = ready(entry, agreed=True, progress=lambda done, total: told.append((done, total)))
    assert told
    assert all(done <= total == entry.bytes for done, total in told)
    assert (found.sha256, found.is_published) == (entry.sha256, True)
    assert found.protection
    server.files.clear()
    # Not downloaded or opened twice, and known to a training by its name.
    again = known(entry)
    assert again is not None
    assert (again.file, again.sha256, again.protection) == (found.file, found.sha256, ())
    check_weights("xrv_densenet121", ALL.name)
    net = load_backbone("xrv_densenet121", ALL.name, 0)
    features = {name: value for name, value in net.state_dict().items() if name.startswith("features.")}
    assert all(torch.equal(value, published_file[1][name]) for name, value in features.items())
    assert weights_digest("xrv_densenet121", ALL.name, 0) == f"{ALL.name}-{entry.sha256[:32]}"


@pytest.mark.usefixtures("checkpoints")
def test_another_file_than_the_published_one_is_refused(
    server: Server,  # noqa: F811
    published_file: tuple[Path, dict[str, torch.Tensor]],
    entered: Published,
    tmp_path: Path,
) -> None:
    entry = entered
    server.files[ALL.file] = published_file[0].read_bytes() + b"\0"
    with pytest.raises(WeightsError, match="damaged or not theirs"):
        ready(entry, agreed=True)
    server.files.clear()
    with pytest.raises(WeightsError, match=r"could not be downloaded \(HTTP Error 404"):
        ready(entry, agreed=True)
    (tmp_path / ALL.file).write_bytes(b"other")
    with pytest.raises(WeightsError, match=r"is called as .* is published, but is another file"):
        brought(tmp_path / ALL.file, agreed=True)


@pytest.mark.usefixtures("checkpoints")
def test_a_file_without_a_known_checksum_is_not_downloaded_but_brought(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not downloaded: no checksum of nih-densenet121"):
        ready(NIH, agreed=True)
    expected = save_densenet(tmp_path / NIH.file)
    with pytest.raises(WeightsError, match="is not opened"):
        brought(tmp_path / NIH.file)
    found = brought(tmp_path / NIH.file, agreed=True)
    assert (found.network, found.is_published) == (NIH, False)
    assert found.sha256 == hashlib.sha256((tmp_path / NIH.file).read_bytes()).hexdigest()
    tensors = load_file(found.file)
    assert all(torch.equal(tensors[name], value) for name, value in expected.items())
    assert ready(NIH).sha256 == found.sha256


@pytest.mark.usefixtures("checkpoints")
def test_a_file_that_nothing_names(tmp_path: Path) -> None:
    save_file({"classifier.weight": torch.zeros(18, 1024)}, tmp_path / "mine.safetensors")
    with pytest.raises(WeightsError, match=r"none of the published files by its checksum or name.*--as"):
        brought(tmp_path / "mine.safetensors")
    found = brought(tmp_path / "mine.safetensors", NIH)
    assert (found.network, found.file, found.protection) == (NIH, tmp_path / "mine.safetensors", ())
