"""Backbones, heads, weights and losses in torch; and the store of what a frozen part gave for each image.

    space = space_of(config, implied)          # which features: backbone, weights, size, how pixels are made
    store = FeatureStore(space)
    for done in keep(store, prefix, items, device): ...
    in_batches(network, rows, batch)

A network is a frozen *prefix*, computed once per image and kept, and a *suffix* that is trained. ``features`` and
``backbones`` are read without torch; everything else brings it.
"""

from typing import TYPE_CHECKING

from cxr_core.doors import opened

if TYPE_CHECKING:
    from cxr_core.model.extraction import Interrupted as Interrupted
    from cxr_core.model.extraction import Item as Item
    from cxr_core.model.extraction import Unreadable as Unreadable
    from cxr_core.model.extraction import keep as keep
    from cxr_core.model.features import FeatureStore as FeatureStore
    from cxr_core.model.features import Space as Space
    from cxr_core.model.network import INFERENCE_BATCH as INFERENCE_BATCH
    from cxr_core.model.network import in_batches as in_batches
    from cxr_core.model.network import infer as infer
    from cxr_core.model.network import pick_device as pick_device
    from cxr_core.model.network import space_of as space_of
else:
    __getattr__ = opened(
        __name__,
        {
            "extraction": ("Interrupted", "Item", "Unreadable", "keep"),
            "features": ("FeatureStore", "Space"),
            "network": ("INFERENCE_BATCH", "in_batches", "infer", "pick_device", "space_of"),
        },
    )
