"""A whole report of made-up forecasts, figure by figure, word by word and line by line of its pictures.

`UPDATE_GOLDEN=1 pytest tests/unit/models/evidence/test_report.py` writes it anew; read the difference first.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from models.evidence.backtest import BacktestReport
from models.evidence.sections import build_section
from models.judgements.asof import Variant
from models.judgements.design import Design
from models.learning.candidates import BASELINE_TO_BEAT
from models.learning.fitting import Forecast
from models.learning.walkforward import AS_MAILED, EVERY, FIRST_DAY, YEAR_BEFORE, Split, WalkForward

GOLDEN = Path(__file__).with_name("report.json")


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


def _found(report: BacktestReport) -> dict[str, Any]:
    page = report.to_html()
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.S)
    return {
        "figures": json.loads(report.to_json_text()),
        "words": report.to_markdown().splitlines(),
        "page": hashlib.sha256(page.encode()).hexdigest(),
        "pictures": [hashlib.sha256(svg.encode()).hexdigest() for svg in pictures],
    }


def _alike(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(_alike(value, theirs[key]) for key, value in ours.items())
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(_alike, ours, theirs))
    return bool(ours == pytest.approx(theirs, abs=2e-6)) if isinstance(ours, float) else bool(ours == theirs)


def test_the_report_stands_as_it_was_read(report: BacktestReport) -> None:
    found = json.loads(json.dumps(_found(report)))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    kept = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert found["words"] == kept["words"]
    for part, value in found["figures"].items():
        assert _alike(value, kept["figures"][part]), part
    assert (found["pictures"], found["page"]) == (kept["pictures"], kept["page"])


def test_what_cannot_be_asked_has_no_table(design: Design) -> None:
    """One inspection, none below good, nobody good before: the section says what it can and leaves out the rest."""
    rows = design.frame.filter(pl.col("months_before") == 0, ~pl.col("below_good")).head(8)
    asked = dict.fromkeys((FIRST_DAY, YEAR_BEFORE, AS_MAILED), rows) | {EVERY: design.councils.head(40)}
    forecasts = {question: _forecasts(some, 1) for question, some in asked.items()}
    section = build_section(Variant.PUBLISHED_LAG, WalkForward(asked, forecasts, (), {}))
    assert section.tables == ()
    assert section.level.passed in (True, False)
    assert section.coverage.groups >= 1
