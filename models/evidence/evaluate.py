"""The held-out evaluation: trained on what was public before a day, asked about every judgement from it on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.errors import ModelError
from models.evidence.markup import evaluation_markdown
from models.evidence.sections import Section, build_section
from models.evidence.text import evaluation_text
from models.judgements.asof import Variant
from models.judgements.design import Design, build_design, matrix
from models.learning.candidates import BY_CANDIDATE, CANDIDATES, DEFAULT, Candidate
from models.learning.fitting import fit
from models.learning.training import EXPLORED_BY_HAND, until, walked_deviation
from models.learning.uncertainty import resampled, widening
from models.learning.walkforward import CHOSEN, FOLLOWED, SELECTION_RULE, choose, follow, forecast_all, walk_forward
from models.record import PublicRecord, read_record
from models.record.judgements import SIF


@dataclass(frozen=True)
class VariantEvaluation:
    """One variant: what was chosen before the day, and how it did from it on."""

    section: Section
    chosen: str
    trained_on: int
    trained_on_sif: int


@dataclass(frozen=True)
class EvaluationReport:
    """The table of a held-out evaluation."""

    code_version: str
    published_from: date
    first_published: date
    last_published: date
    inspections: int
    files: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    variants: tuple[VariantEvaluation, ...]
    candidates: int

    def to_text(self) -> str:
        """The table for a terminal."""
        return evaluation_text(self)

    def to_markdown(self) -> str:
        """The table with every row."""
        return evaluation_markdown(self)

    def to_json(self) -> dict[str, Any]:
        """Every figure, as plain values."""
        return {
            "code_version": self.code_version,
            "published_from": str(self.published_from),
            "first_published": str(self.first_published),
            "last_published": str(self.last_published),
            "inspections": self.inspections,
            "files": dict(self.files),
            "notes": list(self.notes),
            "selection_rule": SELECTION_RULE,
            "candidates": self.candidates,
            "explored_by_hand": EXPLORED_BY_HAND,
            "variants": [
                {
                    **v.section.to_json(),
                    "chosen": v.chosen,
                    "trained_on": v.trained_on,
                    "trained_on_sif": v.trained_on_sif,
                }
                for v in self.variants
            ],
        }

    def to_json_text(self) -> str:
        """`to_json` as indented text."""
        return json.dumps(self.to_json(), indent=1, ensure_ascii=False)


def evaluate(
    data_dir: Path,
    published_from: date,
    *,
    code_version: str,
    variants: Sequence[Variant] = tuple(Variant),
    candidates: Sequence[Candidate] = CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> EvaluationReport:
    """Choose and train on judgements published before a day; score every one published from it on.

    The choice is made by SELECTION_RULE on the walk-forward of earlier years. Features of a tested inspection
    are what was known on its first day. The row “level followed” is the same model, its level moved by the
    judgements published between the day and each inspection.
    Raises ModelError if there is nothing to test, or too little to train on.
    """
    progress("reading the published files")
    record = read_record(data_dir)
    found = []
    tested = pl.DataFrame()
    for variant in variants:
        progress(f"{variant}: training on what was public before {published_from}")
        one, tested = _variant(record, variant, published_from, candidates)
        found.append(one)
    first, last = tested["published"].min(), tested["published"].max()
    assert isinstance(first, date) and isinstance(last, date)
    return EvaluationReport(
        code_version=code_version,
        published_from=published_from,
        first_published=first,
        last_published=last,
        inspections=tested.height,
        files=tuple((f.name, f.sha256) for f in record.files if f.layouts),
        notes=record.notes,
        variants=tuple(found),
        candidates=len(candidates),
    )


def _variant(
    record: PublicRecord, variant: Variant, published_from: date, candidates: Sequence[Candidate]
) -> tuple[VariantEvaluation, pl.DataFrame]:
    whole = build_design(record, variant)
    before = until(whole, published_from)
    tested = whole.frame.filter(pl.col("published") >= published_from, pl.col("framework") != SIF)
    if tested.is_empty():
        raise ModelError(
            f"No judgement in these files was published on or after {published_from}. "
            "Use files of a later release, or an earlier day."
        )
    try:
        walked = walk_forward(before, candidates)
    except ValueError as error:
        raise ModelError(f"There are too few judgements before {published_from} to train on: {error}.") from error
    chosen = choose(candidates, [walked.rows], {n: [f] for n, f in walked.forecasts.items()}, published_from)
    forecasts = forecast_all(candidates, before.frame, tested)
    forecasts[CHOSEN] = forecasts[chosen]
    forecasts[FOLLOWED] = follow(tested, forecasts[chosen])
    factor, deviation = _deviation(before, tested, walked_deviation(before, walked, BY_CANDIDATE[DEFAULT]))
    section = build_section(variant, tested, forecasts, (forecasts[DEFAULT].below_good, deviation), factor)
    sif = before.frame.filter(pl.col("framework") == SIF).height
    return VariantEvaluation(section, chosen, before.frame.height, sif), tested


def _deviation(
    before: Design, tested: pl.DataFrame, earlier: tuple[np.ndarray[Any, Any], ...]
) -> tuple[float, np.ndarray[Any, np.dtype[np.float64]]]:
    """The widening found on earlier years, and the deviations of the tested forecasts."""
    p, deviation, y = earlier
    model = fit(BY_CANDIDATE[DEFAULT], before.frame)
    if model.ordinal is None:
        raise ModelError("The default configuration has no coefficients and so no interval.")
    spread = resampled(model.candidate, model.scaler, before.frame)
    values = matrix(tested, model.candidate.columns)
    missing = (~np.isfinite(values)).astype(np.float64)
    of_tested = spread.deviation(model.scaler.transform(values), missing, model.ordinal.coef_)
    return widening(y, p, deviation), of_tested
