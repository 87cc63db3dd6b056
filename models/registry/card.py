"""The model card, written from the run record and nothing else, so that it cannot drift from the model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from features.registry import BY_NAME
from models.judgements.design import CONTEXT_DIRECTIONS, direction, group_of
from models.learning.promotion import Verdict
from models.learning.trained import TrainedModel
from models.scoring.wording import CONTEXT_LABELS

INTENDED_USE = (
    "To order councils for a closer look, and to tell a director how councils with such figures were judged when "
    "inspectors came. It speaks of a judgement given an inspection; it does not say when inspectors will come."
)
NOT_FOR = (
    "Ranking workers, teams or children; publishing; deciding an intervention without looking; predicting a grade. "
    "A score is an offer of help, not a verdict."
)
#: What was kept back from every choice made by hand, and looked at once when all were made.
HELD_BACK = (
    "Features and settings were settled on inspections published before 2023. The 43 judgements published in 2023 were "
    "then scored once, by a model trained on what was public before 2023: AUC 0.78 (95% 0.63 to 0.90; deprivation with "
    "previous judgement 0.67), average precision 0.75 (base 0.42), Brier skill 0.21 (−0.14 to 0.45)."
)
LIMITS = (
    "It was trained on yearly published figures; a monthly extract gives the same measures, but whether movements "
    "within a year carry more or less has not been tested on judgements.",
    "Training rows are few: one or two inspections per council. Intervals are wide, and differences of a few points "
    "between models are not evidence.",
    "Inspections under the single inspection framework (2013 to 2017) train the coefficients; they are another "
    "framework, and no result is claimed for them.",
    "Published figures are read as they stand in the latest release; later corrections were not known at the time.",
    "Deprivation (edition of 2019, for earlier inspections too) and neighbours (2021) are taken to move slowly.",
    "Context (previous judgement, deprivation) is used, shown apart and never presented as the council's doing.",
)


def card_json(model: TrainedModel, verdict: Verdict) -> dict[str, Any]:
    """The card as plain values."""
    run = dict(model.run)
    return {
        "name": model.ref.name,
        "version": model.ref.version,
        "intended_use": INTENDED_USE,
        "not_for": NOT_FOR,
        "limits": list(LIMITS),
        "promotion": {**asdict(verdict), "promoted": verdict.promoted},
        "run": run,
    }


def card_text(model: TrainedModel, verdict: Verdict) -> str:
    """The card in Markdown."""
    run = model.run
    training, interval, chosen = run["training"], run["interval"], run["walk_forward"]["chosen"]
    lines = [
        f"# Model card: {model.ref.name} {model.ref.version}",
        "",
        f"**Predicts** {run['target']}; and, by the same ordinal model, that it is inadequate.",
        "",
        f"**For.** {INTENDED_USE}",
        "",
        f"**Not for.** {NOT_FOR}",
        "",
        "## Evidence",
        "",
        f"{model.track_basis[0].upper()}{model.track_basis[1:]}. Each year's model was trained on judgements published "
        f"before that year and chosen by the rule “{run['selection_rule']}”.",
        "",
        "| Forecast | AUC | Average precision | Riskiest tenth | Brier skill | Expected / observed |",
        "|---|---|---|---|---|---|",
        *_rows(run["candidates"]),
        "",
        f"Base rate {chosen['base_rate']:.2f} of {chosen['n']} inspections. "
        f"“Inadequate”: AUC {_f(run['walk_forward']['inadequate']['auc'])}. "
        f"“A council good at the time declines”: {_decline(run['walk_forward']['decline'])}.",
        "",
        f"The interval shown with a score is meant to hold {interval['level']:.0%}; in the back-test "
        f"{interval['coverage']:.0%} of {interval['groups']} groups of ten inspections held "
        f"({interval['coverage_before']:.0%} before widening by {interval['widening']:g}).",
        "",
        HELD_BACK,
        "",
        f"Configurations tried: {run['tries']} ({run['explored_by_hand']} of them by hand while the list was drawn up, "
        f"on inspections published before 2023); model fits in this run: {run['fits']}.",
        "",
        f"**Promotion.** {verdict.sentence}",
        "",
        "## What it reads",
        "",
        "A share is coefficient × (figure − typical) / spread, on the log-odds scale; a missing figure has share 0.",
        "",
        "| Feature | Group | Concern | Typical | Spread | Coefficient |",
        "|---|---|---|---|---|---|",
        *(_feature(c, run) for c in model.columns),
        "",
        "## Training",
        "",
        f"{run['estimator']} with {_settings(run['settings'])}; {training['inspections']} inspections of "
        f"{training['councils']} councils, published {training['first_published']} to {training['last_published']}, "
        f"{training['sif']} of them under the single inspection framework. Variant: {run['variant']}.",
        "",
        "| Trained on published before | SIF | ILACS | Tested | Configuration |",
        "|---|---|---|---|---|",
        *(
            f"| {s['cut']} | {s['train_sif']} | {s['train_ilacs']} | {s['test']} | {s['chosen']} |"
            for s in run["splits"]
        ),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in LIMITS),
        "",
        "## Provenance",
        "",
        f"Code {run['code_version']}; Python {run['python']}; "
        + ", ".join(f"{n} {v}" for n, v in run["libraries"].items())
        + f"; seed {run['seed']}.",
        "",
        "| File | SHA-256 |",
        "|---|---|",
        *(f"| {name} | `{digest}` |" for name, digest in sorted(run["data"].items())),
    ]
    return "\n".join(lines) + "\n"


def _rows(candidates: dict[str, Any]) -> list[str]:
    return [
        f"| {name} | {_f(m['auc'])} | {_f(m['average_precision'])} | {m['tenth']['precision']:.2f} | "
        f"{_f(m['brier_skill'])} | {m['expected']:.0f} / {m['positives']} |"
        for name, m in candidates.items()
    ]


def _feature(column: str, run: Any) -> str:
    measure, _, part = column.partition("__")
    label = CONTEXT_LABELS.get(column, column) if column in CONTEXT_DIRECTIONS else BY_NAME[measure].label
    concern = {1: "high", -1: "low", 0: "either"}[direction(column)]
    return (
        f"| {label}{', ' + part.replace('_', ' ') if part else ''} | {group_of(column)} | {concern} | "
        f"{run['typical'][column]:.3g} | {run['scale'][column]:.3g} | {run['coefficients'][column]:.3f} |"
    )


def _settings(settings: dict[str, float]) -> str:
    return ", ".join(f"{k} {v:g}" for k, v in settings.items())


def _decline(metrics: dict[str, Any] | None) -> str:
    if metrics is None:
        return "not seen"
    return f"AUC {_f(metrics['auc'])} ({metrics['positives']} of {metrics['n']})"


def _f(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
