"""DfE's published files through the same flow. Skipped where the published files are not on the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from features.months import Month
from flows.alerts.state import Band
from flows.cli.demo import settings_for
from flows.month.published_returns import read_published_file, reconcile_published
from flows.orchestration.embedded import quiet_flows
from flows.orchestration.outcome import RunOutcome

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

FILES = {
    "csww_indicators_2017_to_2023.csv": Month(2023, 9),
    "csww_headline_measures_2017_to_2022.csv": Month(2022, 9),
}
FEW = ("Barnsley", "Sutton", "Suffolk", "Leeds")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
            patch.delenv(name)
        for name, value in settings_for(folder).items():
            patch.setenv(name, value)
        yield folder


def run(path: Path, month: Month) -> RunOutcome:
    from flows.monthly import monthly, result_of
    from flows.settings.run_form import RunRequest

    with quiet_flows():
        return result_of(monthly(RunRequest(month=str(month), returns=str(path)), return_state=True))


def test_a_few_councils_are_scored_from_the_published_file(public_data: Path, folder: Path, tmp_path: Path) -> None:
    rows = (public_data / "csww_indicators_2017_to_2023.csv").read_text(encoding="utf-8-sig").splitlines(keepends=True)
    kept = [r for r in rows[1:] if "Local authority" not in r or any(n in r for n in FEW)]
    (tmp_path / "few.csv").write_text("".join([rows[0], *kept]), encoding="utf-8")
    outcome = run(tmp_path / "few.csv", Month(2023, 9))
    assert sorted(c.name for c in outcome.councils) == sorted(FEW)
    assert not [c.name for c in outcome.councils if c.band is Band.NOT_SCORED]
    assert outcome.mail.sent_now == 0, "a run on published figures has nobody to write to"
    assert len(list((folder / "store/published/alerts/2023-09").glob("*.json"))) == len(FEW)
    assert (folder / "store/published/reconciliation/2023-09.csv").exists()


@pytest.mark.soak
def test_every_council_of_england_is_scored_from_the_published_file(public_data: Path, folder: Path) -> None:
    outcome = run(public_data / "csww_indicators_2017_to_2023.csv", Month(2023, 9))
    unscored = {c.name: c.why_not_scored for c in outcome.councils if c.band is Band.NOT_SCORED}
    assert len(outcome.councils) == 151
    assert set(unscored) <= {"Isles of Scilly", "City of London"}, unscored
    assert outcome.mail.sent_now == 0, "a run on published figures has nobody to write to"
    alerts = list((folder / "store/published/alerts/2023-09").glob("*.json"))
    assert len(alerts) == 151
    assert (folder / "store/published/reconciliation/2023-09.csv").exists()


@pytest.mark.soak
def test_the_file_with_the_older_headers_runs_too(public_data: Path, folder: Path) -> None:
    outcome = run(public_data / "csww_headline_measures_2017_to_2022.csv", Month(2022, 9))
    assert sum(c.band is not Band.NOT_SCORED for c in outcome.councils) > 140


@pytest.mark.parametrize(("name", "month"), FILES.items())
def test_our_rates_are_dfes_within_rounding(public_data: Path, name: str, month: Month) -> None:
    found = reconcile_published(read_published_file(public_data / name), month)
    compared = found.rows.drop_nulls("difference")
    assert compared.height > 1_200
    assert compared.filter(~pl.col("explained")).is_empty()


def test_no_published_symbol_became_a_number(public_data: Path) -> None:
    path = public_data / "csww_indicators_2017_to_2023.csv"
    raw = pl.read_csv(path, infer_schema=False).filter(pl.col("geographic_level") == "Local authority")
    published = read_published_file(path)
    for column in ("agency_fte", "working_days_lost_fte", "agency_cover_fte", "vacancy_fte"):
        symbols = raw.filter(pl.col(column).is_in(["c", "u", "x", "z", "low", ":"]))
        key = symbols.select(
            la_code="old_la_code",
            reference_date=pl.date(pl.col("time_period").cast(pl.Int32), 9, 30),
        )
        ours = published.returns.join(key, on=["la_code", "reference_date"], how="semi")
        assert ours.height == symbols.height, column
        assert ours[column].null_count() == ours.height, column


def test_the_reconciliation_names_what_was_no_number(public_data: Path) -> None:
    text = reconcile_published(
        read_published_file(public_data / "csww_indicators_2017_to_2023.csv"), Month(2023, 9)
    ).to_text()
    assert "Not a number: agency_fte, u: low reliability in the published file: Sutton" in text
    assert "0 beyond rounding" in text
