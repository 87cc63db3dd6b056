"""The model card. It is written from the run record and the held-out results, so it cannot differ from the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from features.registry import BY_NAME
from models.evidence.held_out import held_out
from models.judgements.asof import Variant
from models.judgements.design import CONTEXT_DIRECTIONS, direction, group_of
from models.learning.candidates import BASELINE_TO_BEAT, RECIPE, UNFOLLOWED
from models.learning.promotion import Verdict
from models.learning.trained import TrainedModel
from models.learning.walkforward import AS_MAILED, FIRST_DAY, QUESTIONS, YEAR_BEFORE
from models.scoring.wording import CONTEXT_LABELS

INTENDED_USE = (
    "To order councils for a closer look, and to tell a director how councils with such figures were judged when "
    "inspectors came. It speaks of a judgement given an inspection; it does not say when inspectors will come."
)
NOT_FOR = (
    "Ranking workers, teams or children; publishing; deciding an intervention without looking; predicting a grade. "
    "A score is an offer of help, not a verdict."
)
LIMITS = (
    "It was trained on yearly published figures; a monthly extract gives the same measures, but whether movements "
    "within a year carry more or less has not been tested on judgements.",
    "Training inspections are few: one to three per council. Intervals are wide, and differences of a few points "
    "between models are not evidence.",
    "Inspections under the single inspection framework (2013 to 2017) train the coefficients; they are another "
    "framework, and no result is claimed for them.",
    "Published figures are read as they stand in the latest release; later corrections were not known at the time.",
    "The level is known to the day of the last judgement that was fed in. Between that day and the next inspection it "
    "can move, and a number mailed before it fell is too high afterwards.",
    "Reviews of child protection plans in time are shown and not read: the monthly figure is not the published one.",
    "The previous judgement is used, shown apart and never presented as the council's doing. Deprivation is not read; "
    "how the model does by deprivation is audited.",
)


def card_json(model: TrainedModel, verdict: Verdict) -> dict[str, Any]:
    """The card as plain values."""
    return {
        "name": model.ref.name,
        "version": model.ref.version,
        "intended_use": INTENDED_USE,
        "not_for": NOT_FOR,
        "ten_lines": list(ten_lines(model)),
        "limits": list(LIMITS),
        "promotion": {**asdict(verdict), "promoted": verdict.promoted},
        "held_out": held_out(),
        "run": dict(model.run),
    }


def ten_lines(model: TrainedModel) -> tuple[str, ...]:
    """What the model can and cannot do, in ten lines, each from a recorded figure."""
    kept = held_out()
    asked = kept["variants"][str(Variant.OWN_DATA_AT_ONCE)]["questions"]
    earlier = kept["before"]["variants"][str(Variant.OWN_DATA_AT_ONCE)]["questions"]
    first, mailed = asked[FIRST_DAY], asked[AS_MAILED]
    mine, told = first["forecasts"][RECIPE.name], mailed["forecasts"][RECIPE.name]
    level = model.run["level"]
    return (
        f"It says how councils with such figures were judged when inspectors came. On {first['n']} judgements made "
        "after the recipe was written down it ordered them with AUC "
        f"{mine['auc']:.2f}; deprivation with the previous judgement reached {_auc(first, BASELINE_TO_BEAT)}; 0.5 is "
        "chance.",
        f"Asked a year before the inspection it reached {_auc(asked[YEAR_BEFORE], RECIPE.name)} on them, and asked of "
        f"every council every quarter, as it is mailed, {_auc(mailed, RECIPE.name)}.",
        "On the record to 2023 it is no better than that baseline as mailed: AUC "
        f"{_auc(earlier[AS_MAILED], RECIPE.name)} against {_auc(earlier[AS_MAILED], BASELINE_TO_BEAT)}. Two good years "
        "are not a law.",
        f"It expected {mine['expected']:.0f} below good on the first day and {first['positives']} came; with its level "
        f"not followed it would have expected {first['forecasts'][UNFOLLOWED.name]['expected']:.0f}.",
        f"As mailed it expected {told['expected']:.0f} of {mailed['n']} and {mailed['positives']} came: it was asked "
        "before the level fell, and nothing it reads foretells a fall.",
        f"Today's level rests on {level['judgements']} judgements to {level['to']}: of any ten councils in England "
        f"about {model.of_ten(0.5).any_ten} were judged below good at their next inspection.",
        "“Of ten councils with figures like this, about n” is the served number itself, at that level; the counts "
        "beside it are evidence from the back-test, at the levels of those years.",
        "It says little about “inadequate” (AUC "
        f"{_auc(earlier['inadequate, on the first day'], RECIPE.name)} on the record to 2023), and nothing about when "
        "inspectors come.",
        "It reads the council's own workforce, timeliness and demand figures and the previous judgement of leaders. "
        "What it does not read it cannot see: practice, leadership in the room, what children say.",
        f"{model.run['tries']} configurations were tried before this one was fixed; its order of councils is near the "
        "ceiling of these figures, and a better number on old judgements would mostly be luck.",
    )


def card_text(model: TrainedModel, verdict: Verdict) -> str:
    """The card in Markdown."""
    run = model.run
    training, level, held = run["training"], run["level"], run["coverage"]
    lines = [
        f"# Model card: {model.ref.name} {model.ref.version}",
        "",
        f"**Predicts** {run['target']}; and, by the same ordinal model, that it is inadequate.",
        "",
        f"**For.** {INTENDED_USE}",
        "",
        f"**Not for.** {NOT_FOR}",
        "",
        "## What it can and cannot do",
        "",
        *(f"{i}. {line}" for i, line in enumerate(ten_lines(model), start=1)),
        "",
        "## Judgements made after the recipe was written down",
        "",
        f"{held_out()['what']} One look, reported as it came.",
        "",
        *held_out_table(),
        "",
        "## The record it was trained on, walked forward",
        "",
        f"{model.track_basis[0].upper()}{model.track_basis[1:]}. Each year's model was trained on judgements published "
        "before that year; every forecast but “level not followed” follows the level.",
        "",
        *walked_table(run["walk_forward"]),
        "",
        f"“Inadequate” on the first day: AUC {_f(run['inadequate']['auc'])}. “A council good at the time declines”: "
        f"{_decline(run['decline'])}.",
        "",
        "| Begun in | inspections | expected below good | seen |",
        "|---|---|---|---|",
        *(
            f"| {y['year']} | {y['n']} | {y['expected']:.1f} ± {y['standard_error']:.1f} | {y['observed']} |"
            for y in run["years"]
        ),
        "",
        f"Randomised intervals: {held['level']:.0%} stated, {held['held']:.0%} of {held['groups']} groups held "
        f"(p {held['p_value']:.2f}). {run['tries']} configurations were tried; {run['fits']} models were fitted here.",
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
        f"{training['counting']} of them setting the level; each as it was known "
        f"{', '.join(str(m) for m in training['months_before'])} months before its first day. Variant: "
        f"{run['variant']}. Level: {level['mean']:+.2f} ± {level['sd']:.2f} log-odds against the average of those "
        "judgements.",
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


def held_out_table() -> list[str]:
    """The held-out results by question: the model beside the baseline, own data at once and published lag."""
    lines = [
        "| Question | Data | Model: AUC | Deprivation with previous judgement | Brier skill | Expected / seen |",
        "|---|---|---|---|---|---|",
    ]
    for variant, found in held_out()["variants"].items():
        for question in QUESTIONS:
            asked = found["questions"][question]
            mine = asked["forecasts"][RECIPE.name]
            low, high = mine["auc_interval"]
            lines.append(
                f"| {question} | {variant} | {mine['auc']:.2f} [{low:.2f}, {high:.2f}] | "
                f"{_auc(asked, BASELINE_TO_BEAT)} | "
                f"{mine['brier_skill']:.2f} | {mine['expected']:.0f} / {asked['positives']} of {asked['n']} |"
            )
    return lines


def walked_table(walked: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """AUC and Brier skill of every forecast, by question."""
    lines = [
        "| Forecast | " + " | ".join(f"{q}: AUC, Brier skill, expected / seen" for q in walked) + " |",
        "|---|" + "---|" * len(walked),
    ]
    for name in next(iter(walked.values())):
        cells = [
            f"{_f(found[name]['auc'])}, {_f(found[name]['brier_skill'])}, {found[name]['expected']:.0f} / "
            f"{found[name]['positives']}"
            for found in walked.values()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _auc(asked: Mapping[str, Any], forecast: str) -> str:
    return f"{asked['forecasts'][forecast]['auc']:.2f}"


def _feature(column: str, run: Any) -> str:
    measure, _, part = column.partition("__")
    label = CONTEXT_LABELS.get(column, column) if column in CONTEXT_DIRECTIONS else BY_NAME[measure].label
    concern = {1: "high", -1: "low", 0: "either"}[direction(column)]
    return (
        f"| {label}{', ' + part.replace('_', ' ') if part else ''} | {group_of(column)} | {concern} | "
        f"{run['typical'][column]:.3g} | {run['scale'][column]:.3g} | {run['coefficients'][column]:.3f} |"
    )


def _settings(settings: Mapping[str, float]) -> str:
    return ", ".join(f"{k} {v:g}" for k, v in settings.items())


def _decline(metrics: Mapping[str, Any] | None) -> str:
    if metrics is None:
        return "not seen"
    return f"AUC {_f(metrics['auc'])} ({metrics['positives']} of {metrics['n']})"


def _f(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
