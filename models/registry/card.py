"""The model card. It is written from the run record and the held-out results, so it cannot differ from the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from features.registry import BY_NAME
from models.evidence.held_out import LOOKED_AT, held_out
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
NO_REASONS = (
    "It cannot say exactly how much each figure adds to its number, so no reasons are given; approximate ones would be "
    "told as causes."
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
        "held_out": held_out() if _looked_at(model.run) else None,
        "run": dict(model.run),
    }


def ten_lines(model: TrainedModel) -> tuple[str, ...]:
    """What the model can and cannot do, in ten lines (fewer before a look), each from a recorded figure."""
    if not _looked_at(model.run):
        return (*_before_a_look(model.run), *_of_the_level(model), _tries(model.run))
    kept = held_out()
    asked = kept["variants"][str(Variant.OWN_DATA_AT_ONCE)]["questions"]
    earlier = kept["before"]["variants"][str(Variant.OWN_DATA_AT_ONCE)]["questions"]
    first, mailed = asked[FIRST_DAY], asked[AS_MAILED]
    mine, told = first["forecasts"][RECIPE.name], mailed["forecasts"][RECIPE.name]
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
        *_of_the_level(model),
        "It says little about “inadequate” (AUC "
        f"{_auc(earlier['inadequate, on the first day'], RECIPE.name)} on the record to 2023), and nothing about when "
        "inspectors come.",
        "It reads the council's own workforce, timeliness and demand figures and the previous judgement of leaders. "
        "What it does not read it cannot see: practice, leadership in the room, what children say.",
        f"{_tries(model.run)[:-1]}; its order of councils is near the ceiling of these figures, and a better number on "
        "old judgements would mostly be luck.",
    )


def _looked_at(run: Mapping[str, Any]) -> bool:
    return (run["chosen"], run["estimator"]) == LOOKED_AT


def _before_a_look(run: Mapping[str, Any]) -> tuple[str, ...]:
    """Of a model that no later judgement has tried: how it did on the record it was chosen on."""
    first, mailed = (run["walk_forward"][question] for question in (FIRST_DAY, AS_MAILED))
    mine, told = first[run["chosen"]], mailed[run["chosen"]]
    beside, told_beside = (found.get(BASELINE_TO_BEAT, {}).get("auc") for found in (first, mailed))
    lines = (
        "It says how councils with such figures were judged when inspectors came. It has not been tried on judgements "
        "made after it was written down; these are figures of the record it was chosen on, walked forward.",
        f"On the first day of {mine['n']} inspections it ordered them with AUC {_f(mine['auc'])}; deprivation with the "
        f"previous judgement reached {_f(beside)}; 0.5 is chance. As it is mailed: {_f(told['auc'])} against "
        f"{_f(told_beside)}.",
        f"It expected {mine['expected']:.0f} below good on the first day and {mine['positives']} came; as mailed "
        f"{told['expected']:.0f} of {told['n']}, and {told['positives']} came.",
    )
    return lines if "coefficients" in run else (*lines, NO_REASONS)


def _of_the_level(model: TrainedModel) -> tuple[str, str]:
    level = model.run["level"]
    return (
        f"Today's level rests on {level['judgements']} judgements to {level['to']}: of any ten councils in England "
        f"about {model.of_ten(0.5).any_ten} were judged below good at their next inspection.",
        "“Of ten councils with figures like this, about n” is the served number itself, at that level; the counts "
        "beside it are evidence from the back-test, at the levels of those years.",
    )


def _tries(run: Mapping[str, Any]) -> str:
    return f"{run['tries']} configurations were tried before this one was fixed."


def card_text(model: TrainedModel, verdict: Verdict) -> str:
    run = model.run
    training, level, held = run["training"], run["level"], run["coverage"]
    lines = [
        f"# Model card: {model.ref.name} {model.ref.version}",
        "",
        f"**Predicts** {run['target']}; and, by the same model, that it is inadequate.",
        "",
        f"**For.** {INTENDED_USE}",
        "",
        f"**Not for.** {NOT_FOR}",
        "",
        "## What it can and cannot do",
        "",
        *(f"{i}. {line}" for i, line in enumerate(ten_lines(model), start=1)),
        "",
        *(_look() if _looked_at(run) else ()),
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
        "A share is coefficient × (figure − typical) / spread, on the log-odds scale; a missing figure has share 0."
        if "coefficients" in run
        else NO_REASONS,
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


def _look() -> list[str]:
    """The held-out results by question: the model beside three baselines, own data at once and published lag."""
    lines = [
        "## Judgements made after the recipe was written down",
        "",
        f"{held_out()['what']} One look, reported as it came.",
        "",
        "| Question | Data | Model: AUC | Deprivation with previous judgement | Agency rate | Base rate | "
        "Brier skill | Expected / seen |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for variant, found in held_out()["variants"].items():
        for question in QUESTIONS:
            asked = found["questions"][question]
            mine = asked["forecasts"][RECIPE.name]
            low, high = mine["auc_interval"]
            lines.append(
                f"| {question} | {variant} | {mine['auc']:.2f} [{low:.2f}, {high:.2f}] | "
                f"{_auc(asked, BASELINE_TO_BEAT)} | {_auc(asked, 'agency rate')} | {_auc(asked, 'base rate')} | "
                f"{mine['brier_skill']:.2f} | {mine['expected']:.0f} / {asked['positives']} of {asked['n']} |"
            )
    return [*lines, ""]


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
    coefficient = f"{run['coefficients'][column]:.3f}" if "coefficients" in run else "–"
    return (
        f"| {label}{', ' + part.replace('_', ' ') if part else ''} | {group_of(column)} | {concern} | "
        f"{run['typical'][column]:.3g} | {run['scale'][column]:.3g} | {coefficient} |"
    )


def _settings(settings: Mapping[str, Any]) -> str:
    known = {k: v for k, v in settings.items() if v is not None}
    return ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in known.items())


def _decline(metrics: Mapping[str, Any] | None) -> str:
    if metrics is None:
        return "not seen"
    return f"AUC {_f(metrics['auc'])} ({metrics['positives']} of {metrics['n']})"


def _f(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
