"""The shipped model and the back-test, rebuilt from the published files, within tolerance of what is committed."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.comparing.context import CONTEXT
from features.errors import ModelError
from features.frames import FEATURES_SCHEMA
from features.frameworks import FRAMEWORKS
from features.months import Month
from models.evidence.backtest import BacktestReport, backtest
from models.evidence.evaluate import evaluate
from models.evidence.held_out import held_out
from models.judgements.asof import Variant
from models.judgements.design import Design, build_design
from models.learning.candidates import BASELINE_TO_BEAT, BASELINES, RECIPE, UNFOLLOWED
from models.learning.training import ASKED_FROM, TrainingResult, data_hashes, train_design, until
from models.learning.walkforward import AS_MAILED, FIRST_DAY, WalkForward, walk_forward
from models.record import PublicRecord, read_record
from models.registry.levels import FedJudgement, at_known_level, feed
from models.registry.shipped import shipped_model
from models.registry.versions import FolderObjects, load, save
from models.scorer import inputs
from models.scoring.score_month import score_month
from tests.unit.features.test_frameworks import RENEWED
from tests.unit.flows.published.published import REPORTS

FEW = (RECIPE, UNFOLLOWED, *BASELINES)


@pytest.fixture(scope="module")
def later_data(public_data: Path) -> Path:
    """The published files to 2025 that the shipped model was made of."""
    folder = public_data.parent / "public-data-2025"
    if not folder.is_dir():
        pytest.skip("needs the published files to 2025 in public-data-2025, beside public-data")
    return folder


@pytest.fixture(scope="module")
def record(public_data: Path) -> PublicRecord:
    return read_record(public_data)


@pytest.fixture(scope="module")
def design(record: PublicRecord) -> Design:
    return build_design(record, Variant.OWN_DATA_AT_ONCE)


@pytest.fixture(scope="module")
def walked(design: Design) -> WalkForward:
    return walk_forward(design, FEW, ASKED_FROM)


@pytest.fixture(scope="module")
def rebuilt(later_data: Path) -> tuple[TrainingResult, Design]:
    """Trained as the shipped model was, beside fewer baselines: they cannot change it."""
    later = read_record(later_data)
    design = build_design(later, Variant.OWN_DATA_AT_ONCE)
    return train_design(design, hashes=data_hashes(later), code_version="test", candidates=FEW), design


@pytest.mark.soak
def test_the_shipped_model_is_what_the_published_files_give(rebuilt: tuple[TrainingResult, Design]) -> None:
    shipped, model = shipped_model(), rebuilt[0].model
    assert model.columns == shipped.columns
    assert model.run["data"] == shipped.run["data"], "the published files are not those the shipped model was made of"
    assert model.estimator.coef_ == pytest.approx(shipped.estimator.coef_, abs=1e-3)
    assert model.estimator.cuts_ == pytest.approx(shipped.estimator.cuts_, abs=1e-3)
    assert model.estimator.centre_ == pytest.approx(shipped.estimator.centre_, abs=1e-9)
    assert model.estimator.level_ == pytest.approx(shipped.estimator.level_, abs=1e-3)
    assert model.standing == pytest.approx(shipped.standing, abs=2e-3)
    assert model.track_forecast == pytest.approx(shipped.track_forecast, abs=2e-3)
    assert np.array_equal(model.track_outcome, shipped.track_outcome)
    assert_frame_equal(model.reference, shipped.reference, abs_tol=1e-9)
    assert rebuilt[0].verdict.promoted


@pytest.mark.soak
def test_the_look_comes_out_as_it_was_reported(rebuilt: tuple[TrainingResult, Design]) -> None:
    found = walk_forward(rebuilt[1], FEW, published_from=date(2024, 1, 1))
    kept = held_out()["variants"]["own data at once"]["questions"]
    for question in (FIRST_DAY, AS_MAILED):
        rows = found.rows[question]
        assert (rows.height, rows["below_good"].sum()) == (kept[question]["n"], kept[question]["positives"])
        for name in (RECIPE.name, UNFOLLOWED.name, BASELINE_TO_BEAT):
            p = found.forecasts[question][name].below_good
            assert p.sum() == pytest.approx(kept[question]["forecasts"][name]["expected"], abs=0.1)


@pytest.mark.soak
def test_the_walk_forward_stands_where_it_stood(walked: WalkForward) -> None:
    kept = held_out()["before"]["variants"]["own data at once"]["questions"]
    for question, rows in ((FIRST_DAY, 201), (AS_MAILED, 2203)):
        assert walked.rows[question].height == rows == kept[question]["n"]
        p = walked.forecasts[question][RECIPE.name].below_good
        assert p.sum() == pytest.approx(kept[question]["forecasts"][RECIPE.name]["expected"], abs=0.2)


@pytest.mark.soak
def test_the_number_in_an_alert_is_that_of_the_back_test(walked: WalkForward, design: Design, tmp_path: Path) -> None:
    """History is served: a quarter's councils, by the model of that year as stored, at the level that was fed."""
    cut = date(2022, 1, 1)
    rows = walked.rows[AS_MAILED].with_row_index("at").filter(pl.col("as_of") == date(2022, 7, 1))
    assert rows.height > 20
    result = train_design(until(design, cut), hashes={}, code_version="test", candidates=FEW)
    store = FolderObjects(tmp_path)
    save(store, result.model, result.verdict)
    stored = load(store, result.model.ref.name, result.model.ref.version)
    known = design.asked_before(0).filter(pl.col("published").is_between(cut, date(2022, 6, 30)))
    feed(
        store,
        stored,
        [
            FedJudgement(r["published"], r["la_code"], r["below_good"], r["framework"])
            for r in known.iter_rows(named=True)
        ],
        date(2022, 7, 1),
        "the refresh",
    )
    x = inputs(rows, stored.columns)
    assert np.array_equal(stored.estimator.coef_, walked.models[cut].estimator.coef_)
    model = at_known_level(store, stored, date(2022, 7, 1))
    scores = score_month(model, _as_features(rows), _as_context(rows), Month(2022, 6), date(2022, 7, 1))
    served = {s.la_code: s for s in scores}
    back_test = walked.forecasts[AS_MAILED][RECIPE.name].below_good[rows["at"].to_numpy()]
    compared = 0
    for code, told, missing in zip(rows["la_code"], back_test, x.to_numpy(), strict=True):
        if served[code].not_scored is None:
            assert served[code].probability_below_good == told, code
            compared += 1
        else:
            assert np.isnan(missing).sum() >= 3
    assert compared > 20


def _as_features(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows' figures as the monthly job has them: long, with their places in England."""
    found = []
    for row in rows.iter_rows(named=True):
        for column in RECIPE.columns:
            measure, _, part = column.partition("__")
            if part:
                found.append(
                    dict.fromkeys(FEATURES_SCHEMA)
                    | {
                        "la_code": row["la_code"],
                        "month": date(2022, 6, 30),
                        "measure": measure,
                        "value": row[measure],
                        "national_percentile": row[column],
                        "known_from": date(2022, 6, 30),
                    }
                )
    return pl.DataFrame(found, schema=FEATURES_SCHEMA)


def _as_context(rows: pl.DataFrame) -> pl.DataFrame:
    known = rows.select(
        "la_code",
        pl.col("as_of"),
        previous_judgement="previous_judgement",
        previous_words=pl.lit("as it was given"),
        imd_score="imd_score",
    )
    return known.with_columns(
        pl.lit(None, dtype).alias(n) for n, dtype in CONTEXT.items() if n not in known.columns
    ).select(list(CONTEXT))


@pytest.fixture(scope="module")
def report(public_data: Path, tmp_path_factory: pytest.TempPathFactory) -> BacktestReport:
    """A back-test of the model and its baselines, own data at once."""
    out = tmp_path_factory.mktemp("backtest")
    found = backtest(public_data, out, code_version="test", variants=(Variant.OWN_DATA_AT_ONCE,), candidates=FEW)
    assert {p.name for p in out.iterdir()} == {"backtest.html", "backtest.json", "backtest.md"}
    return found


@pytest.mark.soak
def test_the_back_test_tells_what_it_found(report: BacktestReport) -> None:
    (section,) = report.sections
    first = section.table(FIRST_DAY)
    assert first.row(RECIPE.name).metrics.auc == pytest.approx(0.728, abs=0.01)
    assert first.row(BASELINE_TO_BEAT).metrics.auc == pytest.approx(0.707, abs=0.01)
    low, high = first.row(RECIPE.name).intervals["auc"]
    assert low < 0.728 < high
    assert section.level.passed and "worst" in section.level.figures
    assert section.timing.auc_time_alone is not None and section.timing.auc_time_alone > 0.8
    assert section.timing.auc_score_for_timing is not None and section.timing.auc_score_for_timing < 0.65
    for by in ("deprivation", "region", "type"):
        assert sum(s.n for s in section.audit if s.by == by) == 201


@pytest.mark.soak
def test_the_page_needs_nothing_from_outside_and_fits_a_telephone(report: BacktestReport) -> None:
    page = report.to_html()
    fetched = re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"|url\((?!#)[^)]*\)|@import", page)
    assert fetched == []
    assert 'name="viewport"' in page and 'lang="en-GB"' in page
    assert page.count("<svg ") == 4 == page.count('role="img"')
    assert page == report.to_html()


@pytest.mark.soak
def test_markdown_and_page_carry_every_table(report: BacktestReport) -> None:
    markdown, page = report.to_markdown(), report.to_html()
    for table in report.sections[0].tables:
        assert f"### {table.question.capitalize()}" in markdown
        assert f"{table.question.capitalize()}: {table.positives} of {table.n}" in page
    assert markdown.count("| base rate |") >= 4
    assert "| flagged at random, 20% |" in markdown


@pytest.mark.soak
def test_a_held_out_year_is_scored_as_it_would_have_been_operated(public_data: Path) -> None:
    found = evaluate(
        public_data, date(2023, 1, 1), code_version="test", variants=(Variant.OWN_DATA_AT_ONCE,), candidates=FEW
    )
    (section,) = found.sections
    table = section.table(FIRST_DAY)
    assert (table.n, table.positives) == (43, 18)
    assert {s.cut.year for s in section.splits} >= {2022, 2023}
    assert table.row("the model, fitted once before 2023-01-01").metrics.auc == pytest.approx(
        table.row(RECIPE.name).metrics.auc or 0, abs=0.03
    )
    assert "43 judgements published 2023-01-13 to 2023-12-15" in found.to_markdown()


@pytest.mark.soak
def test_a_made_up_framework_of_2027_is_evaluated_by_its_declaration_alone(
    public_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in public_data.glob("*.*"):
        (tmp_path / path.name).symlink_to(path)
    councils = ("kent", "essex", "darlington", "dorset", "derby", "bury", "leeds", "york", "bolton", "barnet")
    grades = ("urgent improvement", "good", "strong", "attention needed", "good")
    rows = [f",{name},20/07/2027,renewed,24/05/2027,,{grades[i % 5]},,," for i, name in enumerate(councils)]
    (tmp_path / "renewed.csv").write_text("\n".join([REPORTS, *rows, ""]))
    later = date(2027, 4, 1)
    with pytest.raises(ModelError, match="No judgement"):
        evaluate(tmp_path, later, code_version="test", variants=(Variant.OWN_DATA_AT_ONCE,), candidates=FEW)
    monkeypatch.setattr("features.frameworks.FRAMEWORKS", (*FRAMEWORKS, RENEWED))
    found = evaluate(tmp_path, later, code_version="test", variants=(Variant.OWN_DATA_AT_ONCE,), candidates=FEW)
    table = found.sections[0].table(FIRST_DAY)
    assert (table.n, table.positives) == (10, 4)
    assert "10 judgements published 2027-07-20 to 2027-07-20" in found.to_markdown()
