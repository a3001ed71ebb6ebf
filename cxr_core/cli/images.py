"""The commands on single images: ``predict``, ``explain``, ``picture``."""

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxr_core.activity import record, record_predicted
from cxr_core.bars import bars
from cxr_core.cli import flags
from cxr_core.cli.output import chosen_run, print_json
from cxr_core.data import shown_name
from cxr_core.errors import ImageError
from cxr_core.findings import FINDINGS, means_none, none_reached
from cxr_core.images import decode, decoded, pixels, png, read_bytes
from cxr_core.images.dicom import facts
from cxr_core.images.gate import questioned
from cxr_core.labels import Implied
from cxr_core.reports import known
from cxr_core.reports.verdict import verdict
from cxr_core.runs import Run, profiles
from cxr_core.settings import write_atomic
from cxr_core.sheets import written

if TYPE_CHECKING:
    from cxr_core.inference import Prediction

NOTICE = "Research software, not for clinical use."


def add(actions: flags.Actions) -> None:
    """The parsers of these commands."""
    predicted = actions.add_parser("predict", help="predict files with a run")
    predicted.set_defaults(command=predict)
    flags.run(predicted)
    predicted.add_argument("files", nargs="+", metavar="FILE", help="images, in any of the formats read")
    flags.profile(predicted)
    form = predicted.add_mutually_exclusive_group()
    flags.json(form)
    form.add_argument("--csv", action="store_true", help="print a CSV table")
    flags.force(predicted)

    explained = actions.add_parser("explain", help="a heat map: what moved the score of a class")
    explained.set_defaults(command=explain)
    flags.run(explained)
    explained.add_argument("file", type=Path, metavar="FILE", help="an image, in any of the formats read")
    explained.add_argument("--class", dest="label", required=True, metavar="C", help="one of the run's classes")
    explained.add_argument("--out", type=_png, required=True, metavar="PNG", help="the file to write")
    flags.opacity(explained)

    shown = actions.add_parser("picture", help="what is made of a file: the grey picture as PNG, and each step to it")
    shown.set_defaults(command=picture)
    shown.add_argument("file", type=Path, metavar="FILE", help="an image, in any of the formats read")
    shown.add_argument("--out", type=_png, required=True, metavar="PNG", help="the file to write")
    flags.json(shown)


def _png(text: str) -> Path:
    """A flag's value as the path of a PNG; wrong usage otherwise."""
    if Path(text).suffix.lower() != ".png":
        raise ArgumentTypeError(f"expected a file that ends in .png, got {text!r}")
    return Path(text)


def predict(options: Namespace) -> int:
    """Print a prediction per file; 1 if any file failed. A withheld answer is left out, unless forced."""
    from cxr_core.inference import Predictor

    run = profiles.using(chosen_run(options), options.profile)
    predictor = Predictor.load(run)
    predictions = list(predictor.predict((file, Path(file)) for file in options.files))
    record_predicted((prediction.outcome for prediction in predictions), run.id, run.path.parent)
    against = verdict(run).against
    if options.json:
        print_json([_row(row, options.force, against, run) for row in predictions])
    elif options.csv:
        print(written(_table(predictions, run, options.force, against)), end="")
    else:
        print(known.line(against))
        if run.profile:
            print(f"Site profile {run.profile}: {profiles.read(run, run.profile).sentence}")
        for prediction in predictions:
            if prediction.error is None:
                print(_line(prediction, options.force, run.implied))
            if prediction.seen:
                print(f"    Note: {prediction.seen.sentence}")
        if gap := predictor.seen.gap:
            print(gap)
        if predictor.known.none:
            print("\n".join(f"Note: {warning}" for warning in run.warnings))
        print(NOTICE)
    failed = [row for row in predictions if row.error]
    for failure in failed:
        # The reason may begin with the file's name, which is said with its folder here.
        reason = str(failure.error).removeprefix(f"{failure.file}: ").removeprefix(f"{Path(failure.file).name}: ")
        print(f"error: {failure.file}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def _row(prediction: "Prediction", force: bool, against: Sequence[str], run: Run) -> dict[str, Any]:
    shown = prediction.shown(force)
    return {
        "file": prediction.file,
        **({"task": run.task, "present": shown.present} if run.task == FINDINGS else {}),
        "label": shown.label,
        "probabilities": shown.probabilities,
        "reason": shown.reason,
        "error": prediction.error,
        "withheld": prediction.withheld,
        "known_against": list(against),
        "seen": prediction.seen.as_json() if prediction.seen else None,
        **({"profile": run.profile} if run.profile else {}),
    }


def _table(predictions: "Sequence[Prediction]", run: Run, force: bool, against: Sequence[str]) -> pd.DataFrame:
    classes, rows = run.classes, []
    for row in (_row(prediction, force, against, run) for prediction in predictions):
        shares = [(row["probabilities"] or {}).get(name) for name in classes]
        seen = row["seen"]["sentence"] if row["seen"] else ""
        said = [row["error"] or "", row["withheld"] or "", seen, "; ".join(against)]
        rows.append([row["file"], row["label"] or "", *shares, *said, *([run.profile] if run.profile else [])])
    columns = ["file", "label", *(f"p_{name}" for name in classes), "error", "withheld", "seen", "known_against"]
    columns += ["profile"] if run.profile else []
    # Objects: a name may be no text that another kind of column could hold.
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _line(prediction: "Prediction", force: bool, implied: Implied) -> str:
    reason = prediction.withheld
    if reason is not None and not force:
        return f"{prediction.file}: withheld. {reason} (--force shows the answer all the same)"
    named, label = prediction.probabilities or {}, prediction.label or ""
    if prediction.present is None:
        values = bars(named, label, list(named), implied, {}).values
    else:
        # Those that are there first.
        order = sorted(named, key=lambda name: name not in (prediction.present or ()))
        values = {name: named[name] for name in order if not means_none(name)}
        label = label if prediction.present else none_reached(list(named))
    shown = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
    answer = f"{prediction.file}: {label}  ({shown})"
    answer = answer if reason is None else f"{answer}  forced, though withheld: {reason}"
    return f"{answer}\n    {prediction.reason}" if prediction.reason else answer


def explain(options: Namespace) -> int:
    """Write the picture under the heat map of a class."""
    from cxr_core.images.lungs import lungs
    from cxr_core.inference import Predictor, overlay
    from cxr_core.inference.inside import told
    from cxr_core.reports.image import EMPTY, HEAT_SENTENCE

    run = chosen_run(options)
    content = read_bytes(options.file)
    predictor = Predictor.load(run)
    prediction = next(predictor.predict([(shown_name(options.file.name), content)]))
    if prediction.error:
        raise ImageError(prediction.error)
    heat = predictor.heat(prediction.file, content, options.label)
    heated = overlay(decode(content, prediction.file), heat, options.opacity)
    write_atomic(options.out, png(heated), private=False)
    record_predicted([prediction.outcome], run.id, run.path.parent)
    record("exported", "heat map", run=run.id, runs=run.path.parent)
    print(f"{options.out}: heat map of {options.label}, opacity {options.opacity:g}. {HEAT_SENTENCE}")
    if not heat.any():
        print(f"Note: {EMPTY.format(label=options.label)}")
    for sentence in filter(None, told(heat, lungs(pixels(content, prediction.file, len(heat))))):
        print(sentence)
    if prediction.withheld is not None:
        print(f"Note: the answer for this image is withheld. {prediction.withheld}")
    print(NOTICE)
    return 0


def picture(options: Namespace) -> int:
    """Write what the product makes of a file, and say how it came about and whether an answer would be withheld."""
    name = shown_name(options.file.name)
    content = read_bytes(options.file)
    found = decoded(content, name)
    doubt = questioned(content, name, pixels(content, name), facts(content))
    write_atomic(options.out, png(found.picture), private=False)
    record("exported", "picture", counts={"images": 1})
    width, height = found.picture.size
    if options.json:
        print_json(
            {
                "file": str(options.file),
                "out": str(options.out),
                "width": width,
                "height": height,
                "steps": [step.as_json() for step in found.steps],
                "questioned": doubt._asdict() if doubt else None,
            }
        )
        return 0
    for step in found.steps:
        print(f"{step.kind}: {step.text}{' (corrected)' if step.corrected else ''}")
    if doubt:
        print(f"Note: an answer for this picture is withheld. {doubt.reason}")
    print(f"{options.out}: {width} x {height} pixels, grey, upright")
    return 0
