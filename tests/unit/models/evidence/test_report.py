"""A whole report of made-up forecasts, figure by figure, word by word and line by line of its pictures."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from models.evidence.backtest import BacktestReport
from models.evidence.held_out import shortened
from models.evidence.sections import build_section
from models.judgements.asof import Variant
from models.judgements.design import Design
from models.learning.candidates import BASELINE_TO_BEAT
from models.learning.fitting import Forecast
from models.learning.walkforward import AS_MAILED, EVERY, FIRST_DAY, YEAR_BEFORE, Split, WalkForward
from tests.unit.models.golden import differences


def _forecasts(rows: pl.DataFrame, seed: int) -> dict[str, Forecast]:
    """A model that knows something, a baseline that knows less, and a constant; tied here and there."""
    generator = np.random.default_rng(seed)
    bad = rows["below_good"].fill_null(False).to_numpy().astype(float)
    found = {}
    for name, knows in (("trees", 1.6), (BASELINE_TO_BEAT, 0.7)):
        p = np.round(expit(knows * (bad - 0.4) + generator.normal(size=len(bad))), 2)
        found[name] = Forecast(p, p / 3)
    return {**found, "base rate": Forecast(np.full(len(bad), 0.4), np.full(len(bad), 0.1))}


@pytest.fixture(scope="module")
def report(design: Design) -> BacktestReport:
    judged = design.frame.filter(pl.col("started") >= date(2018, 1, 1))
    rows = {
        FIRST_DAY: judged.filter(pl.col("months_before") == 0).with_columns(level_variance=pl.lit(0.1)),
        YEAR_BEFORE: judged.filter(pl.col("months_before") == 12),
        EVERY: design.councils,
        AS_MAILED: design.councils.filter(pl.col("below_good").is_not_null()),
    }
    forecasts = {question: _forecasts(asked, seed) for seed, (question, asked) in enumerate(rows.items())}
    splits = (Split(date(2018, 1, 1), date(2019, 1, 1), 80, 20, 31),)
    section = build_section(Variant.OWN_DATA_AT_ONCE, WalkForward(rows, forecasts, splits, {}))
    return BacktestReport(
        "Back-test", "What was asked.", "1.2.3", (("a.csv", "00"),), ("A note.",), (("a", "b"),), (section,), 3, 387
    )


def test_the_report_stands_as_it_was_read(report: BacktestReport) -> None:
    page = report.to_html()
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.S)
    figures: dict[str, Any] = json.loads(report.to_json_text())
    found = {
        "words": report.to_markdown().splitlines(),
        "figures": figures,
        "papers": shortened(figures),
        "pictures": [hashlib.sha256(svg.encode()).hexdigest() for svg in pictures],
        "page": hashlib.sha256(page.encode()).hexdigest(),
    }
    assert differences(found, Path(__file__).with_name("report.json")) == []


def test_the_figures_are_a_text_that_a_person_can_read(report: BacktestReport) -> None:
    assert replace(report, title="Ynys Môn").to_json_text().startswith('{\n "title": "Ynys Môn",\n "what":')


def test_what_cannot_be_asked_has_no_table(design: Design) -> None:
    """Eight inspections, none below good: nothing can be ranked, and the level is judged all the same."""
    rows = design.frame.filter(pl.col("months_before") == 0, ~pl.col("below_good")).head(8)
    asked = dict.fromkeys((FIRST_DAY, YEAR_BEFORE, AS_MAILED), rows) | {EVERY: design.councils.head(40)}
    forecasts = {question: _forecasts(some, 1) for question, some in asked.items()}
    section = build_section(Variant.PUBLISHED_LAG, WalkForward(asked, forecasts, (), {}))
    assert section.tables == ()
    assert sum(year.n for year in section.years) == 8 and section.coverage.groups >= 1
