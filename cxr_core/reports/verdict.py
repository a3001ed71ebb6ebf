"""What the score of a run is worth, in one sentence, the worst first. No torch.

    found = verdict(run)
    found.sentence        # "Trained although the audit found a leak, 3 pairs of the same picture; ..."
    found.details         # everything that is behind it, a sentence each

It reads what the run carries: its audit, its controls, its figures on external data sets, the warnings of its training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cxr_core.audit import Audit
from cxr_core.audit.issues import SHORTCUT_SEES
from cxr_core.audit.kinds import DRAWN, INFORMS, KINDS, LEAK, SHORTCUT
from cxr_core.data.cautions import kinds_of_caution
from cxr_core.errors import RunError
from cxr_core.evaluation import balance
from cxr_core.figures import compact, number, of, spelled
from cxr_core.findings import FINDINGS
from cxr_core.reports import known
from cxr_core.runs import Run, control_findings, controls, left_out, lung_heat
from cxr_core.runs.companions import MACRO_F1, MACRO_ROC_AUC, Headline, headline_of
from cxr_core.runs.external import External, against, externals
from cxr_core.runs.external_findings import sentence as findings_sentence
from cxr_core.runs.measured import measured
from cxr_core.runs.records import ImportedNote

NOT_AUDITED = (
    "This run was not audited: it is older than the audit, or its images were gone. Leaks and shortcuts in its data "
    "set are unknown."
)
NO_EXTERNAL = "No external data set was evaluated: how well the score holds up elsewhere is not known."
# More would no longer be read; the details have all.
_CLAUSES = 3
_BY = {
    "lungs-erased": "without lungs",
    "shortcut": "by {seen} alone",
    "source-only": "by the source alone",
}


@dataclass(frozen=True)
class Verdict:
    """``sentence``: one, to stand beside the headline figure; ``details``: all that is known, the leak first;
    ``against``: what speaks against the run in a few words each, to stand in an answer (``known.line``).
    """

    sentence: str
    details: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True)
class _Score:
    """The headline figure on the run's own test, with the ends of its interval where it has one.

    Of findings ``counted`` are those that are judged, ``remaining`` those that remain without lungs, as far as known.
    """

    value: float
    ends: Sequence[float] | None
    headline: Headline
    counted: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        return compact(self.value, self.ends, 2)

    def reached_by(self, value: float) -> bool:
        return value >= (self.ends[0] if self.ends else self.value)


def verdict(run: Run) -> Verdict:
    """The verdict as things stand now. Raises RunError where the run's description or its split is damaged."""
    audit = audit_of(run)
    own, report, bars, said = _measured(run)
    others = externals(run)
    if run.imported and report is None:
        return _imported(run, run.imported, others)
    found = list(zip(others, external_drops(run, others), strict=True))
    drops, external = _external([pair for _, pair in found])
    lost, told = _left_out(run)
    cautions = dict(kinds_of_caution(run.split, run.folder))
    reached = _reached(own, audit, bars)
    outside = run.imported.against if run.imported else []
    serious = [*_leak(run, audit, cautions), *outside, *_astray(run), *reached, *drops, *lost, *_data(audit, cautions)]
    warned = sorted(run.warnings, key=lambda warning: warning != run.leak)
    for issue in audit.issues if audit else []:
        if issue.severity != INFORMS and not any(issue.message in sentence for sentence in warned):
            warned.append(issue.message)
    shared = _shared(others)
    details = [*([] if audit else [NOT_AUDITED]), *warned, *said, *_looked(run), *told, *external, *shared]
    leaking = "copies" in cautions or bool(audit and audit.of(LEAK))
    drawn = DRAWN in cautions or bool(audit and audit.of(DRAWN))
    against_it = [
        *known.void(run, audit is not None, leaking, drawn),
        *outside,
        *_astray(run),
        *(text.replace(f" of {own.written}", "") for text in reached if own),
        *(text for one, _ in found for text in known.failing(one.measured[0], one.name)),
        *(["lower on an external data set"] if drops else []),
        *(["lower where the source was never seen"] if lost else []),
        *(["an external data set shares images with its own"] if shared else []),
        *(known.failing(report, "its own test") if report else ["no test figures"]),
        *(["its data set cannot tell disease from source"] if "sources" in cautions else []),
        *(["patients of its test are in its training"] if "patients" in cautions else []),
        *(known.unsure(report) if report else []),
        *([] if found else [known.NO_EXTERNAL]),
    ]
    sentence = _sentence(serious or _sound(bool(bars), external))
    return Verdict(sentence, tuple(dict.fromkeys(details)), tuple(against_it))


def _imported(run: Run, origin: ImportedNote, others: Sequence[External]) -> Verdict:
    """Of a run that was not trained here and came without figures."""
    count = len(others)
    here = "nothing of it was measured here" if not count else "it has no test of its own"
    elsewhere = f"{count} external data set{'s' * (count > 1)} evaluated" if count else "no external data set evaluated"
    shared = _shared(others)
    against_it = [
        "no test figures",
        *(text for one in others for text in known.failing(one.measured[0], one.name)),
        *(["an external data set shares images with its own"] if shared else []),
        *([] if others else [known.NO_EXTERNAL]),
    ]
    sentence = f"{origin.name} was trained elsewhere; {here}; {elsewhere}."
    return Verdict(sentence, (*run.warnings, *shared), tuple(against_it))


def _shared(others: Sequence[External]) -> list[str]:
    """What the public sets of these are known to share with the run's own, a sentence each."""
    return [f"{one.name}. {one.facts.overlap}" for one in others if one.facts.overlap]


def _looked(run: Run) -> list[str]:
    """Whether its heat maps favour the lungs, where that was measured."""
    try:
        note = lung_heat.read(run)
    except RunError as error:
        return [str(error)]
    return [note.sentence] if note else []


def audit_of(run: Run) -> Audit | None:
    """The audit that the run carries; None where it has none, or somebody edited it into something else."""
    audit = run.audit
    return audit if audit and "images" in audit.facts else None


def external_drops(run: Run, found: Sequence[External]) -> Iterator[tuple[dict[str, Any] | None, str]]:
    """(the run's test against it or None, one sentence) for each of these external data sets."""
    for one in found:
        try:
            beside = against(run, one)
        except RunError as error:
            yield None, str(error)
            continue
        if run.task == FINDINGS:
            yield beside, findings_sentence(one.name, beside)
            continue
        yield beside, _dropped(one.name, beside["macro_f1"]["drop"], beside["macro_f1"]["ci"])


def _dropped(name: str, drop: float, ends: Sequence[float] | None) -> str:
    written = spelled(drop, ends, 2)
    if ends and ends[0] > 0:
        return f"On the external data set {name} macro F1 is lower by {written}."
    return f"On the external data set {name} macro F1 drops by {written}, which does not show that it does worse there."


def _measured(run: Run) -> tuple[_Score | None, dict[str, Any] | None, dict[str, float], list[str]]:
    """The run's own score and its figures, that of each control by its kind, and what is to be said of them."""
    try:
        metrics, _ = measured(run, "test")
        own = _own(run, metrics)
        found = controls.scores(run)
    except RunError as error:
        return None, None, {}, [str(error)]
    unjudged = balance.unjudged(metrics)
    if found is None:
        return own, metrics, {}, [*unjudged, controls.NOT_MEASURED]
    if own:
        own = replace(own, remaining=tuple(control_findings.remaining(found.findings)))
    return own, metrics, {bar.kind: bar.value for bar in found.bars}, [*unjudged, controls.verdict(found)]


def _own(run: Run, metrics: dict[str, Any]) -> _Score | None:
    headline = headline_of(run)
    value, ends = metrics[headline.key], metrics.get("ci", {}).get(headline.key)
    return None if value is None else _Score(float(value), ends, headline, tuple(metrics.get("counted", ())))


def _external(found: Sequence[tuple[dict[str, Any] | None, str]]) -> tuple[list[str], list[str]]:
    """The clause on the largest drop that is one, and a sentence for each external data set (``external_drops``)."""
    figures = [(beside.get("macro_roc_auc") or beside["macro_f1"], sentence) for beside, sentence in found if beside]
    drops = [(figure["drop"], sentence) for figure, sentence in figures if figure["ci"] and figure["ci"][0] > 0]
    clauses = [max(drops)[1].removesuffix(".")] if drops else []
    return clauses, [sentence for _, sentence in found] or [NO_EXTERNAL]


def _left_out(run: Run) -> tuple[list[str], list[str]]:
    """The clause on what is lost where a source was never seen, if it is lost, and the sentence on it."""
    try:
        found = left_out.scores(run)
    except RunError as error:
        return [], [str(error)]
    if found is None:
        return [], []
    sentence = left_out.verdict(found)
    ends = (found.difference or {}).get(f"{found.headline.key}_ci")
    return [sentence.partition(":")[0]] if ends and ends[0] > 0 else [], [sentence]


def _leak(run: Run, audit: Audit | None, cautions: dict[str, str]) -> list[str]:
    """What makes the figures void before anything else is asked."""
    clauses = []
    leaks = [issue.message for issue in audit.of(LEAK)] if audit else []
    if run.leak:
        clauses.append(f"trained although the audit found a leak, {_counted((leaks or [run.leak])[0])}")
    elif leaks:
        clauses.append(f"the audit found a leak, {_counted(leaks[0])}")
    elif "copies" in cautions:
        clauses.append(_counted(cautions["copies"]))
    if DRAWN in cautions or (audit and audit.of(DRAWN)):
        clauses.append("its images are drawings, which say nothing of patients")
    if audit is None:
        clauses.append("it was not audited, so leaks and shortcuts in its data set are unknown")
    return clauses


def _astray(run: Run) -> list[str]:
    """What went wrong in the training itself, as far as its first sentence counts it."""
    return [f"{sign[0].lower()}{sign[1:]}".partition(":")[0] for sign in run.diverged[:1]]


def _reached(own: _Score | None, audit: Audit | None, bars: dict[str, float]) -> list[str]:
    """What reaches the run's score without a look at a lung."""
    facts = audit.facts if audit else {}
    audited = {"shortcut": facts.get("shortcut"), "source-only": facts.get("source_only")}
    values = {kind: score["macro_f1"] for kind, score in audited.items() if score and score["macro_f1"] is not None}
    if own and own.headline == MACRO_ROC_AUC:
        means = {
            kind: control_findings.mean_area(facts.get(key), own.counted)
            for kind, key in (("shortcut", "by_shortcut"), ("source-only", "by_source"))
        }
        values = {kind: mean for kind, mean in means.items() if mean is not None}
    values |= {kind: value for kind, value in bars.items() if kind in _BY}
    by = {kind: text.format(seen=SHORTCUT_SEES[bool(facts.get("border_masked"))]) for kind, text in _BY.items()}
    # A score of few images may not be told from guessing; what is no better than guessing reaches nothing.
    is_f1 = own is None or own.headline == MACRO_F1
    chance = ((facts.get("shortcut") or {}).get("chance_macro_f1") or 0.0) if is_f1 else control_findings.GUESSING
    above = {kind: value for kind, value in values.items() if value > chance}
    reaching = [
        f"{by[kind]} ({number(above[kind], 2)})" for kind in by if own and own.reached_by(above.get(kind, -1.0))
    ]
    if own and reaching:
        return [f"its {own.headline.title} of {own.written} is reached {' and '.join(reaching)}"]
    if own and own.remaining:
        among = of(len(own.remaining), len(own.counted))
        return [f"{among} findings remain as they are without lungs ({', '.join(own.remaining)})"]
    claimed = [issue.message for issue in audit.of(SHORTCUT) if issue.severity != INFORMS] if audit else []
    if claimed and "by_shortcut" in facts:
        return [_counted(claimed[0])]
    if claimed and "shortcut" in values and facts["shortcut"].get("claimed"):
        return [f"{by['shortcut'].removeprefix('by ')} reach macro F1 {number(values['shortcut'], 2)}"]
    return []


def _data(audit: Audit | None, cautions: dict[str, str]) -> list[str]:
    clauses = ["its data set cannot tell disease from source"] if "sources" in cautions else []
    if "patients" in cautions:
        clauses.append(_counted(cautions["patients"]))
    issues = audit.issues if audit else []
    others = [issue.kind for issue in issues if issue.severity != INFORMS and not _has_clause(issue.kind)]
    return [*clauses, *([f"the audit also warns ({', '.join(others)})"] if others else [])]


def _has_clause(kind: str) -> bool:
    """Whether a clause of its own speaks of it. An older audit may have kinds that are no more."""
    return kind in KINDS and KINDS[kind].clause


def _counted(message: str) -> str:
    """The part of an issue's message that counts; what it means comes after the colon."""
    return message.removeprefix(f"{Run.LEAK} ").partition(":")[0].rstrip(".")


def _sound(controlled: bool, external: list[str]) -> list[str]:
    """Where nothing speaks against the score: what was asked and what was not."""
    lungs = "nothing that sees no lungs reaches it" if controlled else "controls without lungs were not measured"
    other = "no external data set was evaluated" if external == [NO_EXTERNAL] else external[0].removesuffix(".")
    return ["the audit found nothing against this score", lungs, other]


def _sentence(clauses: list[str]) -> str:
    shown = clauses[:_CLAUSES]
    left = len(clauses) - len(shown)
    # A clause that was a sentence begins small, unless its first word is a name.
    parts = [text[0].lower() + text[1:] if text.startswith(("On ", "Macro ")) else text for text in shown]
    joined = "; ".join([*parts, *([f"and {left} more"] if left else [])])
    return f"{joined[0].upper()}{joined[1:]}."
