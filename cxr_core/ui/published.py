"""Published networks on the pages: what one may have seen, a person's consent to open its file, and its import.

exposure_line(config, dataset)                # Train: before the start
if consented(config): ...                     # Train: the weights are here, or will be fetched
import_form()                                 # Runs: a published network that answers at once
"""

import streamlit as st

from cxr_core import reach
from cxr_core.config import TrainConfig, weights_file
from cxr_core.data import Dataset
from cxr_core.data.exposure import exposure, known_overlap, network_of
from cxr_core.paths import given
from cxr_core.published import AGREE, PUBLISHED, Published
from cxr_core.settings import runs_dir
from cxr_core.ui.cached import progress_bar
from cxr_core.ui.frame import escaped, guarded


def exposure_line(config: TrainConfig, dataset: Dataset) -> None:
    """What the network may have seen of the data set; nothing where it never saw an X-ray."""
    said, network = exposure(config, dataset.origin.set), network_of(config.weights)
    if not said:
        return
    if network is not None and not known_overlap(network, dataset.origin.set):
        st.info(escaped(said), icon=":material/info:")
    else:
        st.warning(escaped(said), icon=":material/visibility:")


def consented(config: TrainConfig) -> bool:
    """Whether a training can start with these weights: they are here, or can be fetched without asking anybody."""
    network = PUBLISHED.get(config.weights)
    if network is None or not network.pickled:
        return True
    # Brings torch.
    from cxr_core.model.fetched import known, ready

    if known(network) is not None:
        return True
    if not network.address:
        st.warning(
            f"The weights of {escaped(network.title)} are not here. Get the file `{network.file}` yourself, and "
            "bring it on the Runs page.",
            icon=":material/download:",
        )
        return False
    if not _agreed(network, "train"):
        return False
    with progress_bar("Downloading", "bytes") as report:
        ready(network, agreed=True, progress=report)
    return True


def _agreed(network: Published, key: str) -> bool:
    """The box that says what opening a pickled file means."""
    size = f" ({network.bytes / 1e6:.0f} MB)" if network.bytes else ""
    st.caption(escaped(f"About {network.file}: {AGREE}."))
    return st.checkbox(f"I trust {escaped(network.file)}{size}: open it", key=f"trust-{key}-{network.name}")


def import_form() -> None:
    """A published network as a run of its own."""
    with st.expander("Import a published network", icon=":material/deployed_code_update:"), guarded():
        st.write(
            "TorchXRayVision's DenseNet121 was trained on public sets of X-rays and answers up to eighteen findings at "
            "once. It becomes a run that Predict can use. Nothing of it is measured here."
        )
        offered = [name for name, entry in PUBLISHED.items() if entry.findings]
        name = st.selectbox("Network", offered, key="import-name", help="What it was trained on is in its name.")
        network = PUBLISHED[name]
        st.caption(escaped(f"Trained on {network.trained_on}. {network.licence}"))
        file = st.text_input(
            "File",
            key="import-file",
            placeholder=f"Path of {network.file}",
            help="Leave it empty to download the network, where its checksum is known.",
        )
        if not file and not network.address:
            st.info(
                "No checksum of this file is known, so it is not downloaded. Give its path.", icon=":material/info:"
            )
        agreed = _agreed(network, "import")
        if st.button("Import", key="import", disabled=not agreed or not (file or network.address)):
            _import(network, file, agreed)


def _import(network: Published, file: str, agreed: bool) -> None:
    # Brings torch.
    from cxr_core.inference.imported import import_model
    from cxr_core.model.fetched import brought, ready

    with st.spinner("Importing"), progress_bar("Downloading", "bytes") as report:
        if file:
            reach.check(given(file))
            fetched = brought(weights_file(file), network, agreed)
        else:
            fetched = ready(network, agreed, report)
        run = import_model(fetched, runs_dir())
    st.toast(f"{network.title} is the run {run.id} now. SHA-256 of its file: {fetched.sha256}")
    st.rerun()
