"""The held-out evaluation: forecasts judgements published from a day on, with the model run as it would have been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from features.errors import ModelError
from features.frameworks import counting_frameworks
from models.evidence.backtest import BacktestReport
from models.evidence.sections import build_section
from models.judgements.asof import Variant
from models.judgements.design import Design, build_design
from models.learning.candidates import CANDIDATES, Candidate
from models.learning.tries import tried
from models.learning.walkforward import FIRST_DAY, WalkForward, walk_forward
from models.record import read_record


def evaluate(
    data_dir: Path,
    published_from: date,
    *,
    code_version: str,
    frozen: bool = False,
    variants: Sequence[Variant] = tuple(Variant),
    candidates: Sequence[Candidate] = CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> BacktestReport:
    """Forecast every judgement published from a day on, with what was known when each question was asked.

    The model is refitted each January on what was public, and its level follows each judgement from its publication. It
    is compared with the same model fitted once, on what was public before the day, of which only the level moves. With
    `frozen`, everything is shown for that model instead.
    Raises ModelError if there is nothing to test, or too little to train on.
    """
    progress("reading the published files")
    record = read_record(data_dir)
    sections, tested = [], pl.DataFrame()
    for variant in variants:
        progress(f"{variant}: forecasting judgements published from {published_from} on")
        design = build_design(record, variant)
        walked = _walked(design, published_from, candidates, frozen)
        if not frozen:
            walked = _beside(walked, _walked(design, published_from, candidates[:1], True), published_from)
        tested = walked.rows[FIRST_DAY]
        sections.append(build_section(variant, walked))
    first, last = tested["published"].min(), tested["published"].max()
    how = (
        f"fitted once, on what was public before {published_from}"
        if frozen
        else "fitted again each January on what was public"
    )
    return BacktestReport(
        title="Held-out evaluation",
        what=f"{tested.height} judgements published {first!s} to {last!s}, by a model {how}; its level follows "
        "judgements from their publication.",
        code_version=code_version,
        files=tuple((f.name, f.sha256) for f in record.files if f.layouts),
        notes=record.notes,
        disagreements=(),
        sections=tuple(sections),
        candidates=len(candidates),
        tries=tried(),
    )


def _beside(walked: WalkForward, frozen: WalkForward, day: date) -> WalkForward:
    """The walk-forward, with the model that was fitted once added as another forecast of the same rows."""
    name = f"{walked.served}, fitted once before {day}"
    forecasts = {
        question: {**found, name: frozen.forecasts[question][walked.served]}
        for question, found in walked.forecasts.items()
    }
    return replace(walked, forecasts=forecasts)


def _walked(design: Design, published_from: date, candidates: Sequence[Candidate], frozen: bool) -> WalkForward:
    judged = design.asked_before(0).filter(pl.col("framework").is_in(counting_frameworks()))
    if judged.filter(pl.col("published") >= published_from).is_empty():
        raise ModelError(
            f"No judgement in these files was published on or after {published_from}. "
            "Use files of a later release, or an earlier day."
        )
    try:
        return walk_forward(
            design, candidates, published_from=published_from, frozen=published_from if frozen else None
        )
    except ValueError as error:
        raise ModelError(f"There are too few judgements before {published_from} to train on: {error}.") from error
