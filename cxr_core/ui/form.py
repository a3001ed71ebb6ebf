"""The form of hyperparameters, made from the fields of TrainConfig: title, help, bounds and order stand there.

config = ui.config_form()      # None while the form holds something that cannot be trained
"""

import math
from collections.abc import Iterable
from functools import partial
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from cxr_core.config import DEFAULTS_OF_BACKBONE, NAMED_WEIGHTS, PRESETS, RECOMMENDED, TrainConfig
from cxr_core.data import Dataset, fixes
from cxr_core.data.persons import person_names
from cxr_core.errors import ConfigError
from cxr_core.findings import EXCLUSIVE, FINDINGS
from cxr_core.names import friendly, listed
from cxr_core.runs import list_runs
from cxr_core.runs.creation import MONITORS
from cxr_core.runs.estimate import estimate, kept_features
from cxr_core.settings import runs_dir
from cxr_core.ui.frame import duration, escaped

OPEN_GROUPS = ("Model", "Optimisation")
COLUMNS = 3
# The backbone that the form showed last: whose defaults its fields hold.
FORMER_BACKBONE = "former-backbone"
TITLES = {
    "alpha": "Class weights (alpha)",
    "hierarchy": "Labels that imply others",
    "gamma": "Focus of the focal loss (gamma)",
    "lr": "Learning rate",
    "views": "Augmented views",
    "val_fraction": "Validation share",
    "test_fraction": "Test share",
    "corrections": "Honour marks",
    "train_anyway": "Train anyway",
    "mask_border": "Mask the border",
}
# Fields that take a few words or something typed: words, and what to type.
TYPED = {
    "labels": (("auto", "single", "covid-implies-pneumonia"), ""),
    "alpha": (("none", "balanced"), " Type numbers such as 0.75,0.25,0.5 for your own."),
    "weights": (NAMED_WEIGHTS, " Type the path of a file to use your own."),
}


# Fields that only labels have of which an image has any number.
FINDINGS_GROUP = "Findings"
LABELS_OF_FINDINGS = (("auto", "single"), " Type pairs such as Pneumonia>Lung Opacity where one implies the other.")


def config_form(task: str = EXCLUSIVE) -> TrainConfig | None:
    """All hyperparameters that count for this ``task``, those of the chosen preset first. Says what is wrong and
    returns None where the values make no valid configuration.
    """
    st.selectbox(
        "Preset",
        list(PRESETS),
        key="preset",
        on_change=_fill_from_preset,
        persist_state="session",
        help="Fills the form below; every field can then be changed. Notebook protocol is that of the 2020 notebook.",
    )
    groups: dict[str, list[str]] = {}
    for name, field in TrainConfig.model_fields.items():
        if _counts_for(task, name, field):
            groups.setdefault(_group(field), []).append(name)
    given: dict[str, Any] = {}
    for group in sorted(groups, key=lambda group: group not in (*OPEN_GROUPS, FINDINGS_GROUP)):
        with st.expander(group, expanded=group in OPEN_GROUPS):
            # Row by row: on a phone, where columns stack, the order stays that of the fields.
            names = groups[group]
            for start in range(0, len(names), COLUMNS):
                for column, name in zip(st.columns(COLUMNS), names[start : start + COLUMNS], strict=False):
                    with column:
                        given[name] = _widget(name, TrainConfig.model_fields[name], task)
    try:
        config = TrainConfig.create(**given)
    except ConfigError as error:
        st.error(escaped(str(error)), icon=":material/error:")
        return None
    _changes(config, given)
    return config


def _counts_for(task: str, name: str, field: FieldInfo) -> bool:
    """Whether a field means something for data sets of this kind; the others keep what they are by default."""
    if task == FINDINGS:
        # Findings are always learnt where what they imply is there.
        return name != "hierarchy"
    return _group(field) != FINDINGS_GROUP


def _changes(config: TrainConfig, names: Iterable[str]) -> None:
    """Which fields differ from the preset, and the way back."""
    preset = TrainConfig.create(**PRESETS[st.session_state["preset"]])
    changed = [
        f"{_title(name)} {_said(name, getattr(config, name))} (preset {_said(name, getattr(preset, name))})"
        for name in names
        if getattr(config, name) != getattr(preset, name)
    ]
    if changed:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(escaped("Changed: " + "; ".join(changed)), width="stretch")
            st.button("Back to the preset", on_click=_fill_from_preset, type="tertiary", icon=":material/undo:")


def _group(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["group"]) if isinstance(extra, dict) else ""


def _title(name: str) -> str:
    return TITLES.get(name, name.replace("_", " ").capitalize())


def _shown(value: Any) -> str:
    """A field's value as the form and the command line write it."""
    if isinstance(value, tuple):
        return ",".join(f"{part:g}" for part in value) or "none"
    return str(value)


def _said(name: str, value: Any) -> str:
    """A field's value inside a sentence."""
    return _shown(value) if isinstance(value, tuple) else friendly(name, value)


def _option(name: str, value: str) -> str:
    """A value as the form offers it; what a person typed stays as typed."""
    return value if name in TYPED and value not in TYPED[name][0] else listed(name, value)


def _key(name: str) -> str:
    return f"config-{name}"


def _held(name: str, value: Any) -> Any:
    """A field's value as its widget holds it."""
    return value if isinstance(value, int | float) else _shown(value)


def _fill(config: TrainConfig, names: Any) -> None:
    for name in names:
        st.session_state[_key(name)] = _held(name, getattr(config, name))


def _fill_from_preset() -> None:
    _fill(TrainConfig.create(**PRESETS[st.session_state["preset"]]), TrainConfig.model_fields)


def _follow_backbone() -> None:
    """Another backbone brings its own defaults to the fields that still hold the former one's."""
    now = TrainConfig.create(backbone=st.session_state[_key("backbone")])
    former = TrainConfig.create(backbone=st.session_state[FORMER_BACKBONE])
    own = {name for defaults in DEFAULTS_OF_BACKBONE.values() for name in defaults}
    _fill(now, [name for name in own if st.session_state[_key(name)] == _held(name, getattr(former, name))])
    if st.session_state[_key("trainable")] != "head":
        # Features of stages are for a head alone.
        _fill(now, ["features"])


def _widget(name: str, field: FieldInfo, task: str) -> Any:
    key, help = _key(name), field.description
    st.session_state.setdefault(key, _held(name, getattr(TrainConfig.create(**PRESETS[RECOMMENDED]), name)))
    if name == "backbone":
        st.session_state[FORMER_BACKBONE] = st.session_state[key]
    if name in TYPED:
        words, more = LABELS_OF_FINDINGS if name == "labels" and task == FINDINGS else TYPED[name]
        held = st.session_state[key]
        options = list(words) if held in words or held is None else [*words, held]
        return st.selectbox(
            _title(name),
            options,
            format_func=partial(_option, name),
            key=key,
            help=f"{help}{more}",
            accept_new_options=True,
            filter_mode="prefix",
            persist_state="session",
        )
    if get_origin(field.annotation) is Literal:
        choices = get_args(field.annotation)
        if name == "monitor":
            choices = tuple(choice for choice in choices if choice in ("auto", *MONITORS[task]))
            if st.session_state[key] not in choices:
                # Chosen for a data set of the other kind.
                st.session_state[key] = field.default
        return st.selectbox(
            _title(name),
            choices,
            format_func=partial(_option, name),
            key=key,
            help=help,
            on_change=_follow_backbone if name == "backbone" else "rerun",
            persist_state="session",
        )
    if field.annotation is bool:
        return st.checkbox(_title(name), key=key, help=help, persist_state="session")
    if field.annotation in (int, float):
        return _number(name, field)
    return st.text_input(_title(name), key=key, help=help, persist_state="session")


def _number(name: str, field: FieldInfo) -> int | float | None:
    """A field for a number. A bound that is itself excluded can be typed: TrainConfig then says what it expects."""
    low, high = _bound(field, "ge", "gt"), _bound(field, "le", "lt")
    if field.annotation is int:
        return st.number_input(
            _title(name),
            int(low),
            int(high),
            step=1,
            key=_key(name),
            help=field.description,
            persist_state="session",
        )
    step = 10.0 ** (math.floor(math.log10(field.default or 0.01)) - 1)
    return st.number_input(
        _title(name),
        float(low),
        float(high),
        step=step,
        format="%g",
        key=_key(name),
        help=field.description,
        persist_state="session",
    )


def _bound(field: FieldInfo, *names: str) -> float:
    for metadata in field.metadata:
        for name in names:
            if (value := getattr(metadata, name, None)) is not None:
                return float(value)
    raise TypeError(f"A number in TrainConfig needs bounds: expected {' or '.join(names)} in {field!r}.")


def fixes_line(dataset: Dataset) -> None:
    """What the fixes of the Audit page make of a training on this data set (as it lies on disk), where there are any.

    Raises DatasetError where their table is damaged.
    """
    table = fixes.read(runs_dir())
    said = fixes.sentences(dataset, table)
    if fixes.applied(dataset, table).border_masked:
        said.append(f"A fix of this data set turns on {TITLES['mask_border']}, whatever the form below says.")
    if said:
        st.caption(escaped(" ".join(said)))


def names_line(dataset: Dataset) -> None:
    """What a run keeps of names, and what to do where these may be names of persons."""
    found = person_names(dataset.samples)
    if found:
        st.info(escaped(f"{found} Tick {_title('pseudonyms')} in the form below, under Data."), icon=":material/info:")
    else:
        st.caption(
            "A run keeps the names of files and patients as the data set has them, or hashes of them: "
            f"{_title('pseudonyms')} in the form below, under Data."
        )


def estimate_line(config: TrainConfig, dataset: Dataset) -> None:
    """How long the training will take here, and what that is known from."""
    train, other = _sizes(config, dataset)
    expected = estimate(config, train, other, _kept(config, dataset))
    st.caption(f"About **{duration(expected.seconds)}** · {escaped(expected.basis)}")


@st.cache_data(
    max_entries=32,
    ttl=30,
    show_spinner=False,
    hash_funcs={TrainConfig: lambda config: config.model_dump_json(), Dataset: lambda dataset: dataset.digest},
)
def _kept(config: TrainConfig, dataset: Dataset) -> int:
    """For half a minute: the form is drawn again with every touch, and a training may end meanwhile."""
    return kept_features(config, list(dict.fromkeys(dataset.samples["digest"])), list_runs(runs_dir()))


def _sizes(config: TrainConfig, dataset: Dataset) -> tuple[int, int]:
    """Images trained on, and those of validation and test, as the split will leave them to within a few."""
    given = dataset.samples["split"].value_counts()
    test = int(given.get("test", 0)) or round(len(dataset.samples) * config.test_fraction)
    rest = len(dataset.samples) - test
    val = int(given.get("val", 0)) or round(rest * config.val_fraction)
    return rest - val, test + val
