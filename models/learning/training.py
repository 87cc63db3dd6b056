"""From a folder of published files to a trained model with its whole record; the same path for own history."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.errors import ModelError
from models.judgements.asof import Variant
from models.judgements.design import Design, build_design, matrix
from models.learning.candidates import BY_CANDIDATE, CANDIDATES, Candidate
from models.learning.estimators import Floats
from models.learning.fitting import SEED, Fitted, Forecast, fit
from models.learning.metrics import Metrics, measure
from models.learning.promotion import PromotionCheck, Verdict, judge
from models.learning.trained import TrainedModel
from models.learning.uncertainty import LEVEL, Spread, coverage, resampled, widening
from models.learning.walkforward import CHOSEN, SELECTION_RULE, WalkForward, choose, walk_forward
from models.record import PublicRecord, read_record
from models.score import ModelRef

MODEL_NAME = "ilacs-below-good"
TARGET = "the next judgement of the impact of leaders is below good, given an inspection"
#: Libraries whose versions a stored model depends on.
LIBRARIES = ("scikit-learn", "skops", "numpy", "scipy", "polars")
#: Configurations looked at by hand while the list of candidates was drawn up, all on inspections
#: published before 2023. They are tries too, and are counted with those of every run.
EXPLORED_BY_HAND = 170


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
        """A dozen lines: what was trained on what, how it did walking forward, whether it may be promoted."""
        run = self.model.run
        chosen, data = run["walk_forward"]["chosen"], run["training"]
        skill = _f(chosen["brier_skill"])
        lines = [
            f"Model {self.model.ref.name} {self.model.ref.version}",
            f"Target: {run['target']} ({run['variant']})",
            f"Trained on {data['inspections']} inspections published {data['first_published']} to "
            f"{data['last_published']} ({data['sif']} under the single inspection framework)",
            f"Configuration: {run['chosen']} (rule: {run['selection_rule']}; {run['tries']} configurations tried)",
            f"Walk-forward, {chosen['n']} inspections: AUC {_f(chosen['auc'])}, average precision "
            f"{_f(chosen['average_precision'])} (base {chosen['base_rate']:.2f}), Brier skill {skill}",
            f"Interval: {run['interval']['level']:.0%} stated, {run['interval']['coverage']:.0%} of "
            f"{run['interval']['groups']} groups of ten held",
            self.verdict.sentence,
        ]
        return "\n".join(lines)


def train(
    data_dir: Path,
    *,
    code_version: str,
    variant: Variant = Variant.OWN_DATA_AT_ONCE,
    published_before: date | None = None,
    candidates: Sequence[Candidate] = CANDIDATES,
) -> TrainingResult:
    """Read the folder, walk forward, choose by the named rule, fit on everything, judge for promotion.

    `published_before`: use only judgements published before that day. `code_version` is recorded, not read.
    Raises ReferenceDataError for unreadable files and ModelError if there is too little to learn from.
    """
    record = read_record(data_dir)
    return train_design(
        until(build_design(record, variant), published_before),
        hashes=data_hashes(record),
        code_version=code_version,
        candidates=candidates,
    )


def against(result: TrainingResult, incumbent: TrainedModel) -> TrainingResult:
    """The same result, judged against the present model too, on the same splits.

    The incumbent's configuration is walked forward like every other; one that is no longer tried cannot be
    compared, and that alone refuses the promotion. The incumbent's own configuration, trained again on more,
    is held to the baselines only: on the same splits it is the same forecast.
    """
    if result.model.run["chosen"] == incumbent.run["chosen"]:
        same = PromotionCheck("no worse than the incumbent", True, f"the same configuration, {incumbent.run['chosen']}")
        return replace(result, verdict=Verdict(result.verdict.rule, (*result.verdict.checks, same)))
    forecast = result.walk.forecasts.get(str(incumbent.run["chosen"]))
    if forecast is None:
        missing = PromotionCheck(
            "the incumbent's configuration is among those tried", False, str(incumbent.run["chosen"])
        )
        checks = (*result.verdict.checks, missing)
        return replace(result, verdict=Verdict(result.verdict.rule, checks))
    return replace(result, verdict=judge(result.walk, forecast.below_good))


def until(design: Design, published_before: date | None) -> Design:
    """The design with only judgements, and national distributions, public before a day."""
    if published_before is None:
        return design
    return Design(
        design.frame.filter(pl.col("published") < published_before),
        design.variant,
        design.national.filter(pl.col("known_from") < published_before),
    )


def train_design(
    design: Design,
    *,
    hashes: Mapping[str, str],
    code_version: str,
    name: str = MODEL_NAME,
    candidates: Sequence[Candidate] = CANDIDATES,
    walk: WalkForward | None = None,
) -> TrainingResult:
    """Train from a design table, of the published record or of a group's own monthly history."""
    try:
        walked = walk if walk is not None else walk_forward(design, candidates)
    except ValueError as error:
        raise ModelError(f"There are too few judgements to train on: {error}.") from error
    chosen = BY_CANDIDATE.get(best := _choose_now(design, walked, candidates)) or _by_name(candidates, best)
    fitted = fit(chosen, design.frame)
    if fitted.ordinal is None:
        raise ModelError(
            f"“{chosen.name}” has no coefficients, so its shares would not be exact: it cannot be trained."
        )
    spread, checked = _checked_spread(design, walked, chosen)
    own = walked.forecasts[CHOSEN]
    outcome = walked.rows["below_good"].to_numpy()
    verdict = judge(walked)
    run = _run(design, walked, chosen, fitted, checked, hashes, code_version, len(candidates))
    digest = hashlib.sha256(json.dumps(run, sort_keys=True, default=str).encode()).hexdigest()[:8]
    ref = ModelRef(name, f"{run['training']['last_published']}-{digest}")
    model = TrainedModel(
        ref=ref,
        columns=chosen.columns,
        scaler=fitted.scaler,
        ordinal=fitted.ordinal,
        shift=fitted.shift,
        spread=spread,
        track_forecast=own.below_good,
        track_outcome=outcome,
        track_basis=_basis(design, walked),
        reference=design.national,
        run={**run, "name": name, "version": ref.version},
    )
    return TrainingResult(model, walked, verdict)


def _choose_now(design: Design, walked: WalkForward, candidates: Sequence[Candidate]) -> str:
    after = design.frame["published"].max()
    assert isinstance(after, date)
    day = date(after.year + 1, 1, 1)
    return choose(candidates, [walked.rows], {n: [f] for n, f in walked.forecasts.items()}, day)


def _by_name(candidates: Sequence[Candidate], name: str) -> Candidate:
    return next(c for c in candidates if c.name == name)


def _checked_spread(design: Design, walked: WalkForward, chosen: Candidate) -> tuple[Spread, dict[str, Any]]:
    """The interval's resampled coefficients, and its coverage in the walk-forward, as stated and as widened."""
    p, deviation, y = walked_deviation(design, walked, chosen)
    factor = widening(y, p, deviation)
    whole = fit(chosen, design.frame)
    spread = resampled(chosen, whole.scaler, design.frame)
    stated, groups = coverage(y, p, deviation)
    widened, _ = coverage(y, p, deviation * factor)
    checked = {"level": LEVEL, "coverage_before": stated, "widening": factor, "coverage": widened, "groups": groups}
    return Spread(spread.coef, spread.cut, factor), checked


def walked_deviation(design: Design, walked: WalkForward, chosen: Candidate) -> tuple[Floats, Floats, Floats]:
    """Walk-forward forecasts of one candidate, their unwidened deviations, and the outcomes, by publication."""
    forecasts, deviations, order = [], [], []
    starts = walked.rows["started"].dt.year().to_numpy()
    for split in walked.splits:
        training = design.frame.filter(pl.col("published") < split.cut)
        at = np.flatnonzero(starts == split.cut.year)
        test = walked.rows[at]
        fitted = fit(chosen, training)
        if fitted.ordinal is None:
            raise ModelError(f"“{chosen.name}” has no coefficients and so no interval.")
        spread = resampled(chosen, fitted.scaler, training)
        values = matrix(test, chosen.columns)
        missing = (~np.isfinite(values)).astype(np.float64)
        deviations.append(spread.deviation(fitted.scaler.transform(values), missing, fitted.ordinal.coef_))
        forecasts.append(fitted.forecast(test).below_good)
        order.append(at)
    back = np.argsort(np.concatenate(order))
    outcomes = walked.rows["below_good"].to_numpy().astype(np.float64)
    return np.concatenate(forecasts)[back], np.concatenate(deviations)[back], outcomes


def _basis(design: Design, walked: WalkForward) -> str:
    first = min(s.test_first_start for s in walked.splits).year
    last = max(s.cut for s in walked.splits).year
    return (
        f"walk-forward back-test of {walked.rows.height} ILACS inspections begun {first} to {last}, {design.variant}, "
        "given an inspection"
    )


def data_hashes(record: PublicRecord) -> dict[str, str]:
    """File name -> SHA-256 of every published file that was used."""
    return {f.name: f.sha256 for f in record.files if f.layouts}


def _run(
    design: Design,
    walked: WalkForward,
    chosen: Candidate,
    fitted: Fitted,
    checked: dict[str, Any],
    hashes: Mapping[str, str],
    code_version: str,
    candidates: int,
) -> dict[str, Any]:
    frame = design.frame
    assert fitted.ordinal is not None
    return {
        "target": TARGET,
        "variant": str(design.variant),
        "chosen": chosen.name,
        "estimator": str(chosen.kind),
        "settings": dict(chosen.settings),
        "columns": list(chosen.columns),
        "coefficients": {c: round(float(v), 6) for c, v in zip(chosen.columns, fitted.ordinal.coef_, strict=True)},
        "typical": {c: round(float(v), 6) for c, v in zip(chosen.columns, fitted.scaler.centre_, strict=True)},
        "scale": {c: round(float(v), 6) for c, v in zip(chosen.columns, fitted.scaler.scale_, strict=True)},
        "shift": [round(s, 6) for s in fitted.shift],
        "training": {
            "inspections": frame.height,
            "sif": frame.filter(pl.col("framework") == "SIF").height,
            "councils": frame["la_code"].n_unique(),
            "first_published": str(frame["published"].min()),
            "last_published": str(frame["published"].max()),
        },
        "selection_rule": SELECTION_RULE,
        "tries": candidates + EXPLORED_BY_HAND,
        "explored_by_hand": EXPLORED_BY_HAND,
        "fits": walked.fits,
        "seed": SEED,
        "splits": [{k: str(v) if isinstance(v, date) else v for k, v in asdict(s).items()} for s in walked.splits],
        "walk_forward": {
            "chosen": metrics_json(walked.rows["below_good"].to_numpy(), walked.forecasts[CHOSEN].below_good),
            "inadequate": metrics_json(walked.rows["inadequate"].to_numpy(), walked.forecasts[CHOSEN].inadequate),
            "decline": _decline(walked),
        },
        "candidates": {
            n: metrics_json(walked.rows["below_good"].to_numpy(), f.below_good) for n, f in walked.forecasts.items()
        },
        "interval": checked,
        "reference": {
            "figures": design.national.height,
            "sha256": hashlib.sha256(design.national.write_csv().encode()).hexdigest(),
        },
        "data": dict(hashes),
        "code_version": code_version,
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
    }


def _decline(walked: WalkForward) -> dict[str, Any] | None:
    good = walked.rows["good_before"].fill_null(False).to_numpy()
    if not good.any():
        return None
    y: NDArray[np.bool_] = walked.rows["below_good"].to_numpy()[good]
    forecast: Forecast = walked.forecasts[CHOSEN]
    return metrics_json(y, forecast.below_good[good])


def metrics_json(y: NDArray[np.bool_], p: Floats) -> dict[str, Any]:
    """Metrics as plain values, rounded for a record."""
    metrics: Metrics = measure(y, p)
    return {k: _rounded(v) for k, v in asdict(metrics).items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value


def _f(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"
