"""Embeddings: the backbone's pooled features as unit vectors, the same wherever the training cut the network."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_core.images.reading import pixels
from cxr_core.inference.embedding import embed, embed_pixels
from cxr_core.inference.neighbours import Neighbours
from cxr_core.inference.trained import Trained
from cxr_core.model.backbones import BACKBONES
from cxr_core.model.network import to_input
from cxr_core.model.pooling import Standard
from tests.inference.networks import HIDDEN, SIDE, images, spreads, untrained, whole
from tests.runs_support import new_run, train

CHANNELS = {
    "vgg16": 512,
    "resnet18": 512,
    "densenet121": 1024,
    "efficientnet_b0": 1280,
    "efficientnet_lite0": 1280,
    "mobilenet_v3_small": 576,
    "convnext_tiny": 768,
    "small-cnn": 128,
    "xrv_densenet121": 1024,
    "rad_dino": 48,
    "rad_dino_patches": 48,
}


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_the_pooled_features_of_the_whole_network_wherever_it_was_cut(
    backbone: str, tiny_dataset: Path, tmp_path: Path
) -> None:
    seen = images(5)
    with torch.no_grad():
        pooled = whole(backbone).net(to_input(seen)).reshape(5, CHANNELS[backbone], -1).mean(dim=2)
    expected = torch.nn.functional.normalize(pooled, dim=1).numpy()
    for trainable in ("head", "last-block", "all"):
        config = {"backbone": backbone, "weights": "none", "trainable": trainable, "hidden": HIDDEN}
        trained = untrained(new_run(tiny_dataset, tmp_path / "runs", image_size=SIDE, **config), whole(backbone))
        vectors = embed_pixels(trained, seen.numpy())
        assert vectors.dtype == np.float16
        np.testing.assert_allclose(vectors, expected, atol=2e-3, err_msg=trainable)
        np.testing.assert_allclose(np.linalg.norm(vectors.astype(float), axis=1), 1, atol=1e-3)


def test_pooled_stages_count_as_they_are_standardised(tiny_dataset: Path, tmp_path: Path) -> None:
    name, seen = "efficientnet_lite0", images(5)
    config = {"backbone": name, "weights": "none", "features": "stages", "hidden": HIDDEN}
    trained = untrained(new_run(tiny_dataset, tmp_path / "runs", image_size=SIDE, **config), whole(name))
    vectors = embed_pixels(trained, seen.numpy())
    assert vectors.shape == (5, 464)
    with torch.no_grad():
        row, _ = spreads(dict(BACKBONES[name].stages(whole(name).net)), BACKBONES[name].middle, to_input(seen))
        standard = trained.suffix.get_submodule("standard")
        assert isinstance(standard, Standard)
        expected = torch.nn.functional.normalize((row - standard.mean) / standard.std, dim=1).numpy()
    np.testing.assert_allclose(vectors, expected, atol=5e-3)
    assert np.array_equal(np.concatenate([embed_pixels(trained, seen[[k]].numpy()) for k in range(5)]), vectors)


def test_an_image_gets_the_same_vector_in_any_company(tiny_dataset: Path, tmp_path: Path) -> None:
    config = {"backbone": "resnet18", "weights": "none", "trainable": "last-block", "hidden": HIDDEN}
    trained = untrained(new_run(tiny_dataset, tmp_path / "runs", image_size=SIDE, **config), whole("resnet18"))
    rows = trained.features(images(9).numpy())
    together = embed(trained, [rows])
    assert np.array_equal(embed(trained, [rows[:4], rows[4:]]), together)
    assert np.array_equal(embed(trained, [rows[i : i + 1] for i in range(9)]), together)
    assert embed(trained, []).shape == (0, 512)


@pytest.fixture(scope="module")
def trained_run(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    with pytest.MonkeyPatch.context() as patched:
        folder = tmp_path_factory.mktemp("trained")
        patched.setenv("CXR_CACHE", str(folder / "cache"))
        return Trained.load(train(tiny_dataset, folder / "runs", epochs=1))


def test_a_training_leaves_the_embedding_of_its_images(trained_run: Trained) -> None:
    run = trained_run.run
    known = Neighbours.load(run)
    samples = run.split
    samples = samples[samples["split"] == "train"]
    assert known.samples["file"].tolist() == samples["file"].tolist()
    assert known.vectors.shape == (len(samples), 128)
    assert 0 < known.limit < 2


def test_a_training_image_finds_itself_and_can_be_left_out(trained_run: Trained, tiny_dataset: Path) -> None:
    run, known = trained_run.run, Neighbours.load(trained_run.run)
    row = known.samples.iloc[3]
    image = pixels((tiny_dataset / row["file"]).read_bytes(), row["file"], run.config.image_size)
    (vector,) = embed_pixels(trained_run, image[None])
    nearest = known.nearest(vector)
    assert (nearest[0].file, nearest[0].label, nearest[0].patient) == (row["file"], row["label"], row["patient"])
    assert nearest[0].distance == pytest.approx(0, abs=1e-5)
    others = known.nearest(vector, exclude_digest=row["digest"])
    assert row["file"] not in [neighbour.file for neighbour in others]
    assert known.distance(vector, exclude_digest=row["digest"]) > known.distance(vector)
