"""What the network of a run may have seen of its data set before the training: an issue of the run's own audit.

    pretraining(run.config, run.info.origin.get("set"))       # [] where the network never saw an X-ray

An audit of a data set alone cannot know it: which network is trained on it is said by the run.
"""

from cxr_core.audit.issues import Issue, issue
from cxr_core.audit.kinds import INFORMS, WARNS
from cxr_core.config import TrainConfig
from cxr_core.data.exposure import exposure, known_overlap, network_of


def pretraining(config: TrainConfig, data: str | None) -> list[Issue]:
    """It warns where something is known to be shared, and informs where nothing is known."""
    said, network = exposure(config, data), network_of(config.weights)
    if not said:
        return []
    known = network is not None and bool(known_overlap(network, data))
    return [issue("pretraining", said, severity=WARNS if known else INFORMS)]
