"""Trains a model, with its full record, from published files alone or together with a group's own history."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from features.errors import ModelError
from features.frameworks import counting_frameworks, framework_named, frameworks_sharing_level
from models.judgements.asof import Variant
from models.judgements.design import Design
from models.judgements.labels import MONTHS_BEFORE
from models.learning.candidates import CANDIDATES, SEED, Candidate
from models.learning.fitting import Fitted, fit
from models.learning.metrics import measure_forecasts
from models.learning.promotion import PromotionCheck, Verdict, judge
from models.learning.trained import TRACK_AT_LEAST, TrainedModel
from models.learning.tries import tried
from models.learning.uncertainty import by_year, coverage
from models.learning.walkforward import FIRST_DAY, QUESTIONS, WalkForward, standing_on, walk_forward
from models.record import PublicRecord
from models.score import MODEL_NAME, ModelRef

TARGET = "the next judgement of the impact of leaders is below good, given an inspection"
#: Libraries whose versions a stored model depends on.
LIBRARIES = ("scikit-learn", "skops", "numpy", "scipy", "polars")
#: The first day on which the back-test asks: ILACS began then.
ASKED_FROM = date(2018, 1, 1)
#: Measures that DfE publishes in another sense (RevCP): ours has no place among its figures, and no model reads it.
RANKED_OTHERWISE = ("cp_reviews_in_time_rate",)


@dataclass(frozen=True)
class TrainingResult:
    """A model, the walk-forward it comes from, and whether the rule would promote it."""

    model: TrainedModel
    walk: WalkForward
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """The run record as plain values."""
        return {**self.model.run, "promotion": asdict(self.verdict)}

    def to_text(self) -> str:
        """A dozen lines: what was trained on which data, how it did walking forward, and whether it may be promoted."""
        run = self.model.run
        data, level = run["training"], run["level"]
        lines = [
            f"Model {self.model.ref.name} {self.model.ref.version}",
            f"Target: {run['target']} ({run['variant']})",
            f"Trained on {data['inspections']} inspections published {data['first_published']} to "
            f"{data['last_published']} ({data['counting']} of them set the level)",
            f"Level: {level['mean']:+.2f} log-odds from {level['judgements']} judgements to {level['to']}",
        ]
        for question, found in run["walk_forward"].items():
            m = found[run["chosen"]]
            lines.append(
                f"Walk-forward, {question}: {m['n']} rows, AUC {_f(m['auc'])}, Brier skill {_f(m['brier_skill'])}, "
                f"{m['expected']:.0f} expected, {m['positives']} below good"
            )
        held = run["coverage"]
        lines += [
            f"Interval: {held['level']:.0%} stated, {held['held']:.0%} of {held['groups']} groups held "
            f"(p {held['p_value']:.2f})",
            self.verdict.sentence,
        ]
        return "\n".join(lines)


def against(result: TrainingResult, incumbent: TrainedModel) -> TrainingResult:
    """The same result, also compared with the present model on the same inspections.

    If the recipe is the same and only the data have grown, it is compared with the baselines alone: on the same splits
    both make the same forecast. A model whose recipe is no longer tried cannot be walked forward; the verdict then says
    so.
    """
    if incumbent.run["chosen"] == result.model.run["chosen"]:
        check = PromotionCheck("no worse than the incumbent", True, f"the same recipe, {incumbent.run['chosen']}")
    elif (forecast := result.walk.forecasts[FIRST_DAY].get(str(incumbent.run["chosen"]))) is not None:
        return replace(result, verdict=judge(result.walk, forecast.below_good))
    else:
        check = PromotionCheck("the incumbent's recipe is among those tried", False, str(incumbent.run["chosen"]))
    return replace(result, verdict=Verdict(result.verdict.rule, (*result.verdict.checks, check)))


def until(design: Design, published_before: date | None) -> Design:
    """The design with only judgements and national distributions that were public before a day."""
    if published_before is None:
        return design
    later = (pl.col("published") >= published_before).fill_null(False)
    outcome = ("framework", "published", "started", "grade", "below_good", "inadequate")
    return replace(
        design,
        frame=design.frame.filter(pl.col("published") < published_before),
        national=design.national.filter(pl.col("known_from") < published_before),
        councils=design.councils.filter(pl.col("as_of") <= published_before).with_columns(
            pl.when(~later).then(pl.col(name)).alias(name) for name in outcome
        ),
    )


def train_design(
    design: Design,
    *,
    hashes: Mapping[str, str],
    code_version: str,
    candidates: Sequence[Candidate] = CANDIDATES,
    walk: WalkForward | None = None,
) -> TrainingResult:
    """Train from a design table: of the published record, or of it with a group's own monthly history."""
    recipe = candidates[0]
    try:
        walked = walk if walk is not None else walk_forward(design, candidates, ASKED_FROM)
    except ValueError as error:
        raise ModelError(f"There are too few judgements to train on: {error}.") from error
    fitted = fit(recipe, design.taught_before(date.max))
    after = design.frame["published"].max()
    assert isinstance(after, date)
    standing = standing_on(fitted, design, date.max)
    if not standing:
        raise ModelError("The record holds no council to rank others among: its quarterly rows are empty.")
    reference = design.national.filter(~pl.col("measure").is_in(list(RANKED_OTHERWISE)))
    verdict = judge(walked)
    run = _run(design, walked, fitted, hashes, code_version, candidates)
    run["reference"] = {
        "figures": reference.height,
        "sha256": hashlib.sha256(reference.write_csv().encode()).hexdigest(),
        "councils": len(standing),
    }
    digest = hashlib.sha256(json.dumps(run, sort_keys=True, default=str).encode()).hexdigest()[:8]
    ref = ModelRef(MODEL_NAME, f"{after}-{digest}")
    first = walked.rows[FIRST_DAY]
    kept = _track_of(first, fitted.level_of)
    track = first.filter(pl.Series(kept))
    model = TrainedModel(
        ref=ref,
        estimator=fitted.estimator,
        standing=standing,
        track_forecast=walked.forecasts[FIRST_DAY][recipe.name].below_good[kept],
        track_outcome=track["below_good"].to_numpy(),
        track_basis=_basis(design.variant, track),
        reference=reference,
        run={**run, "name": MODEL_NAME, "version": ref.version},
        framework=fitted.level_of,
    )
    return TrainingResult(model, walked, verdict)


def _track_of(rows: pl.DataFrame, level: str) -> np.ndarray:
    """Which rows are the track record: those of the level's frameworks, or all while these are too few."""
    mine = rows["framework"].is_in(frameworks_sharing_level(level)).to_numpy()
    return mine if mine.sum() >= TRACK_AT_LEAST else np.ones(rows.height, dtype=np.bool_)


def _basis(variant: Variant, rows: pl.DataFrame) -> str:
    first, last = rows["started"].min(), rows["started"].max()
    assert isinstance(first, date) and isinstance(last, date)
    under = " and ".join(dict.fromkeys(framework_named(name).level_of for name in rows["framework"]))
    return (
        f"walk-forward back-test of {rows.height} {under} inspections begun {first.year} to {last.year}, "
        f"{variant}, given an inspection"
    )


def data_hashes(record: PublicRecord) -> dict[str, str]:
    """File name -> SHA-256 of every published file that was used."""
    return {f.name: f.sha256 for f in record.files if f.layouts}


def _run(
    design: Design,
    walked: WalkForward,
    fitted: Fitted,
    hashes: Mapping[str, str],
    code_version: str,
    candidates: Sequence[Candidate],
) -> dict[str, Any]:
    recipe, model = fitted.candidate, fitted.estimator
    estimator, settings = model.called
    whole = design.asked_before(0)
    rows = walked.rows[FIRST_DAY]
    forecast = walked.forecasts[FIRST_DAY][recipe.name]
    good = rows["good_before"].fill_null(False).to_numpy()
    return {
        "target": TARGET,
        "variant": str(design.variant),
        "chosen": recipe.name,
        "estimator": estimator,
        "settings": settings,
        "columns": list(recipe.columns),
        **{name: _named(recipe.columns, values) for name, values in model.figures.items()},
        "level": {
            "mean": round(model.level.mean, 6),
            "sd": round(model.level.variance**0.5, 6),
            "judgements": model.level.judgements,
            "to": str(model.level.to),
        },
        "training": {
            "inspections": whole.height,
            "counting": whole.filter(pl.col("framework").is_in(counting_frameworks())).height,
            "councils": whole["la_code"].n_unique(),
            "first_published": str(whole["published"].min()),
            "last_published": str(whole["published"].max()),
            "months_before": list(MONTHS_BEFORE),
        },
        "tries": tried(),
        "fits": walked.fits,
        "seed": SEED,
        "splits": [{k: str(v) if isinstance(v, date) else v for k, v in asdict(s).items()} for s in walked.splits],
        "walk_forward": {
            question: {
                c.name: metrics_json(
                    walked.rows[question]["below_good"].to_numpy(), walked.forecasts[question][c.name].below_good
                )
                for c in candidates
            }
            for question in QUESTIONS
            if walked.rows[question].height
        },
        "inadequate": metrics_json(rows["inadequate"].to_numpy(), forecast.inadequate),
        "decline": metrics_json(rows["below_good"].to_numpy()[good], forecast.below_good[good]) if good.any() else None,
        "years": [{**asdict(y), "z": round(y.z, 3)} for y in by_year(rows, forecast.below_good)],
        "coverage": asdict(coverage(rows, forecast.below_good)),
        "data": dict(hashes),
        "code_version": code_version,
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
    }


def _named(columns: Sequence[str], values: np.ndarray) -> dict[str, float]:
    return {c: round(float(v), 6) for c, v in zip(columns, values, strict=True)}


def metrics_json(y: np.ndarray, p: np.ndarray) -> dict[str, Any]:
    """Metrics as plain values, rounded for the record."""
    return {k: _rounded(v) for k, v in asdict(measure_forecasts(y, p)).items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value


def _f(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"
