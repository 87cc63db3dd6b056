"""The shipped model and the back-test, rebuilt from the published files, within tolerance of what is committed."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from models.evidence.backtest import BacktestReport, backtest
from models.evidence.evaluate import evaluate
from models.judgements.asof import Variant
from models.learning.candidates import BASELINES, BY_CANDIDATE, CANDIDATES, DEFAULT, OWN_ONLY
from models.learning.training import TrainingResult, train
from models.learning.walkforward import CHOSEN
from models.registry.shipped import shipped_model

#: Minutes of training: `make soak`.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

FEW = (*BASELINES, BY_CANDIDATE[OWN_ONLY], BY_CANDIDATE[DEFAULT])


@pytest.fixture(scope="module")
def rebuilt(public_data: Path) -> TrainingResult:
    """Trained as the shipped model was; candidates that may not be promoted cannot change it and are left out."""
    eligible = tuple(c for c in CANDIDATES if c.eligible)
    return train(public_data, code_version="test", candidates=(*BASELINES, *eligible))


@pytest.fixture(scope="module")
def report(public_data: Path, tmp_path_factory: pytest.TempPathFactory) -> BacktestReport:
    """A back-test of the baselines and the two main models, own data at once."""
    out = tmp_path_factory.mktemp("backtest")
    found = backtest(public_data, out, code_version="test", variants=(Variant.OWN_DATA_AT_ONCE,), candidates=FEW)
    assert {p.name for p in out.iterdir()} == {"backtest.html", "backtest.json", "backtest.md"}
    return found


def test_the_shipped_model_is_what_the_published_files_give(rebuilt: TrainingResult) -> None:
    shipped, model = shipped_model(), rebuilt.model
    assert model.columns == shipped.columns
    assert model.run["data"] == shipped.run["data"], "the published files are not those the shipped model was made of"
    assert model.ordinal.coef_ == pytest.approx(shipped.ordinal.coef_, abs=1e-3)
    assert model.ordinal.cuts_ == pytest.approx(shipped.ordinal.cuts_, abs=1e-3)
    assert model.scaler.centre_ == pytest.approx(shipped.scaler.centre_, abs=1e-9)
    assert model.shift == pytest.approx(shipped.shift, abs=1e-3)
    assert model.track_forecast == pytest.approx(shipped.track_forecast, abs=2e-3)
    assert np.array_equal(model.track_outcome, shipped.track_outcome)
    assert_frame_equal(model.reference, shipped.reference, abs_tol=1e-9)


def test_its_record_is_what_the_card_says(rebuilt: TrainingResult) -> None:
    ours, theirs = rebuilt.model.run["walk_forward"], shipped_model().run["walk_forward"]
    for target in ("chosen", "inadequate", "decline"):
        assert ours[target]["auc"] == pytest.approx(theirs[target]["auc"], abs=0.005)
        assert ours[target]["brier_skill"] == pytest.approx(theirs[target]["brier_skill"], abs=0.005)
    assert rebuilt.verdict.promoted


def test_the_walk_forward_stands_where_it_stood(rebuilt: TrainingResult) -> None:
    chosen = rebuilt.model.run["walk_forward"]["chosen"]
    assert (chosen["n"], chosen["positives"]) == (201, 84)
    assert chosen["auc"] == pytest.approx(0.757, abs=0.01)
    assert chosen["average_precision"] == pytest.approx(0.703, abs=0.01)
    assert chosen["brier_skill"] == pytest.approx(0.178, abs=0.01)


def test_the_back_test_tells_what_it_found(report: BacktestReport) -> None:
    (variant,) = report.variants
    table = variant.section.table("below good")
    assert table is not None
    default, baseline = table.row(DEFAULT), table.row("deprivation and previous judgement")
    assert default.metrics.auc == pytest.approx(0.765, abs=0.01)
    assert baseline.metrics.auc == pytest.approx(0.722, abs=0.01)
    assert default.auc_gain is not None and default.auc_gain[1] < default.auc_gain[0] < default.auc_gain[2]
    low, high = default.intervals["auc"]
    assert low < 0.765 < high
    overall = variant.section.table("overall effectiveness below good")
    assert overall is not None and overall.row(CHOSEN).metrics.auc == pytest.approx(0.789, abs=0.015)
    assert variant.timing.auc_time_alone is not None and variant.timing.auc_time_alone > 0.8
    assert variant.timing.auc_score_for_timing is not None and variant.timing.auc_score_for_timing < 0.65
    assert sum(s.n for s in variant.section.stages) == 201
    for by in ("deprivation", "region", "type"):
        assert sum(s.n for s in variant.section.audit if s.by == by) == 201


def test_the_page_needs_nothing_from_outside_and_fits_a_telephone(report: BacktestReport) -> None:
    page = report.to_html()
    fetched = re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"|url\((?!#)[^)]*\)|@import", page)
    assert fetched == []
    assert 'name="viewport"' in page and 'lang="en-GB"' in page
    assert page.count("<svg ") == 6 == page.count('role="img"')
    assert page == report.to_html()


def test_text_and_markdown_carry_every_table(report: BacktestReport) -> None:
    text, markdown = report.to_text(), report.to_markdown()
    for table in report.variants[0].section.tables:
        assert table.target.name in text
        assert f"### {table.target.name.capitalize()}" in markdown
    assert "Timing, apart" in text and "Feasibility study" in text
    assert markdown.count("| base rate |") >= 4


def test_a_held_out_year_is_scored_by_a_model_that_had_not_seen_it(public_data: Path) -> None:
    found = evaluate(
        public_data,
        date(2023, 1, 1),
        code_version="test",
        variants=(Variant.OWN_DATA_AT_ONCE,),
        candidates=FEW,
    )
    assert (found.inspections, found.first_published.year, found.last_published.year) == (43, 2023, 2023)
    (one,) = found.variants
    assert one.trained_on == 331
    table = one.section.table("below good")
    assert table is not None and table.row(CHOSEN).metrics.auc == pytest.approx(0.78, abs=0.02)
    assert found.to_json()["variants"][0]["tables"][0]["n"] == 43
    assert "43 judgements published 2023-01-13 to 2023-12-15" in found.to_text()
