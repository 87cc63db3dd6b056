"""A September of DfE's published file as an edition, and what the reconciliation says of a few rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from expectations.fates import Fate
from features.councils import Council, Register
from features.errors import ReferenceDataError
from features.frames import MEASURES_SCHEMA
from features.measuring.reconcile import PUBLISHED, RECONCILED
from features.measuring.returns import CELL_REASONS
from features.months import Month
from features.registry import RETURN, Kind
from flows.extracts.formats.dfe.workforce_file import PublishedWorkforce
from flows.month import published_returns
from flows.month.published_returns import (
    Reconciliation,
    read_published_file,
    read_record_beside,
    reconcile_published,
    record_measures_beside,
    take_in_published,
)
from flows.store import LocalStore
from flows.store.editions import History
from models.judgements.asof import Variant
from models.record import PublicRecord
from tests.unit.expectations.examples import frame_of, sound_rows

SEPTEMBER = Month(2023, 9)
DAY = date(2023, 9, 30)


def of(*rows: tuple[str, str, float | None, float | None, bool | None]) -> Reconciliation:
    table = pl.DataFrame(
        [
            (
                la,
                DAY,
                measure,
                ours,
                theirs,
                None if ours is None or theirs is None else ours - theirs,
                None,
                None,
                ok,
                None,
            )
            for la, measure, ours, theirs, ok in rows
        ],
        schema=RECONCILED,
        orient="row",
    )
    reasons = pl.DataFrame([("302", DAY, "agency_fte", "u")], schema=CELL_REASONS, orient="row")
    return Reconciliation("csww.csv", SEPTEMBER, table, reasons, {"301": "Barking", "302": "Barnet"})


def test_the_largest_difference_is_named_and_what_rounding_does_not_explain() -> None:
    text = of(
        ("301", "agency_rate_fte", 0.2, 0.21, True),
        ("301", "vacancy_rate_fte", 0.1, 0.15, False),
        ("301", "caseload_fte", 15.0, 15.1, True),
        ("302", "agency_rate_fte", None, 0.3, None),
    ).to_text()
    lines = text.splitlines()
    assert lines[0] == "Reconciliation of September 2023 with csww.csv: our rate less DfE’s."
    assert "largest difference -1.00 percentage points (Barking), 0 beyond rounding" in text
    assert "largest difference -0.10 (Barking), 0 beyond rounding" in text
    assert "  Beyond rounding: Barking (301), vacancy rate: ours 10.0%, DfE 15.0%" in lines
    assert "  Not a number: agency_fte, u: Barnet" in lines
    assert "    Barking: 3 of 3 compared; vacancy rate -5.00 percentage points, caseload per worker -0.10" in lines
    assert "    Barnet: nothing to compare" in lines


def test_without_a_difference_it_says_so() -> None:
    text = of(("301", "agency_rate_fte", 0.2, 0.2, True)).to_text()
    assert "  Every difference lies within what the rounding of the published figures explains." in text.splitlines()


def test_of_two_rates_in_per_cent_the_one_that_differs_most_is_named() -> None:
    """Not the largest number, but the one furthest from DfE's, on either side."""
    text = of(
        ("301", "agency_rate_fte", 0.5, 0.49, True),
        ("301", "vacancy_rate_fte", 0.1, 0.15, True),
        ("302", "agency_rate_fte", 0.3, 0.31, True),
        ("302", "vacancy_rate_fte", 0.3, 0.301, True),
    ).to_text()
    assert "    Barking: 2 of 2 compared; vacancy rate -5.00 percentage points" in text.splitlines()
    assert "    Barnet: 2 of 2 compared; agency rate -1.00 percentage points" in text.splitlines()
    assert "2 councils, largest difference -5.00 percentage points (Barking)" in text


def test_the_table_for_a_spreadsheet_has_the_names_of_the_councils() -> None:
    lines = of(("301", "agency_rate_fte", 0.2, 0.2, True)).to_csv().splitlines()
    assert lines[0].endswith(",council") and lines[1].endswith(",Barking")


def returns(day: date, **changed: Any) -> pl.DataFrame:
    row = sound_rows()[Kind.RETURN][0] | {"reference_date": day}
    later = row | {"icpcs_12m": None, "icpcs_in_time_12m": None} | changed
    return pl.concat([frame_of(Kind.RETURN, [row], "301"), frame_of(Kind.RETURN, [later], "302")])


def published(**changed: Any) -> PublishedWorkforce:
    """Two Septembers of two councils."""
    days = (date(2022, 9, 30), DAY)
    frame = pl.concat([returns(day, **changed) for day in days])
    rows = [("301", DAY, "agency_rate_fte", 0.117, 0.0005)]
    councils = pl.DataFrame({"la_code": ["301", "302"], "name": ["Barking", "Barnet"]}).with_columns(
        first=pl.lit(days[0]), last=pl.lit(DAY)
    )
    return PublishedWorkforce(
        "csww.csv",
        "f" * 64,
        "2023",
        frame,
        pl.DataFrame([("302", DAY, "icpcs_12m", "x")], schema=CELL_REASONS, orient="row"),
        pl.DataFrame(rows, schema=PUBLISHED, orient="row"),
        pl.DataFrame(schema={"month": pl.Date()}),
        councils,
    )


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(LocalStore(tmp_path))


def test_every_september_up_to_the_last_is_an_edition_that_is_known_at_once(history: History) -> None:
    taken, batches = take_in_published(history, published(), SEPTEMBER, ())
    assert [str(t.manifest.month) for t in taken] == [str(b.month) for b in batches] == ["2022-09", "2023-09"]
    made = taken[1].manifest
    assert (made.edition, made.known_to, made.fingerprint) == (1, DAY, "f" * 16)
    assert [(e.la_code, e.kind, e.outcome, e.rows, e.reason) for e in made.extracts] == [
        ("301", Kind.RETURN, Fate.ACCEPTED, 1, None),
        ("302", Kind.RETURN, Fate.ACCEPTED, 1, None),
    ]
    assert {(e.due, e.received, e.first_received, e.name) for e in made.extracts} == {(DAY, DAY, DAY, "csww.csv")}
    assert history.table(made, "return", RETURN.schema)["la_code"].to_list() == ["301", "302"]
    assert history.table(made, "cell-reasons", CELL_REASONS).rows() == [("302", DAY, "icpcs_12m", "x")]
    assert made.checks["rows"] == 2.0 and made.checks["errors"] == 0.0 and made.checks["checks"] > 0

    earlier, _ = take_in_published(history, published(), Month(2022, 9), ())
    assert [str(t.manifest.month) for t in earlier] == ["2022-09"]
    assert take_in_published(history, published(), Month(2021, 9), ()) == ([], [])


def test_the_same_file_again_makes_no_edition_and_another_one_does(history: History) -> None:
    take_in_published(history, published(), SEPTEMBER, ())
    again, _ = take_in_published(History(history.store), published(), SEPTEMBER, ())
    assert [t.manifest.edition for t in again] == [1, 1]
    other, _ = take_in_published(History(history.store), replace(published(), sha256="e" * 64), SEPTEMBER, ())
    assert [t.manifest.edition for t in other] == [2, 2]


def test_an_edition_of_which_a_table_is_lost_is_made_again(history: History) -> None:
    (taken, *_), _ = take_in_published(history, published(), Month(2022, 9), ())
    assert taken.manifest.tables is not None
    history.store.delete(f"{taken.manifest.prefix}{taken.manifest.tables['failures'].file}")
    (again,), _ = take_in_published(History(history.store), published(), Month(2022, 9), ())
    assert again.manifest.edition == 2


def test_a_figure_that_cannot_be_is_withheld_and_not_stored(history: History) -> None:
    """More child protection conferences in time than were held."""
    wrong = published(icpcs_12m=100, icpcs_in_time_12m=160)
    taken, _ = take_in_published(history, wrong, SEPTEMBER, ())
    good, bad = taken[1].manifest.extracts
    assert not good.withheld and bad.withheld
    kept = history.table(taken[1].manifest, "return", RETURN.schema)
    assert all(kept[name][1] is None for name in bad.withheld)
    assert all(kept[name][0] is not None for name in bad.withheld)
    assert taken[1].manifest.checks["errors"] > 0 and taken[1].manifest.checks["failures"] > 0


def test_our_rates_are_made_from_the_published_figures_of_that_september() -> None:
    found = reconcile_published(published(), SEPTEMBER)
    row = found.rows.row(by_predicate=(pl.col("la_code") == "301"), named=True)
    assert row["value"] == pytest.approx(2000 / (2000 + 15050))
    assert (row["month"], row["explained"]) == (DAY, True)
    assert found.names == {"301": "Barking", "302": "Barnet"}
    assert found.reasons.rows() == [("302", DAY, "icpcs_12m", "x")]


def test_a_file_or_a_folder_that_is_not_there_is_said_or_passed_over(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="There is no file"):
        read_published_file(tmp_path / "csww.csv")
    assert read_record_beside(tmp_path) is None


def test_only_what_the_workforce_file_lacks_is_taken_from_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    known = date(2023, 4, 14)
    given = [
        ("301", "re_referral_rate", 0.2, known),
        ("301", "agency_rate_fte", 0.3, known),  # in the file itself
        ("301", "icpc_in_time_rate", None, known),
        ("314", "re_referral_rate", 0.25, known),
        ("318", "re_referral_rate", 0.26, known),  # the second member of a joint return
        ("399", "re_referral_rate", 0.4, known),  # nobody of the group
        ("302", "re_referral_rate", 0.5, date(2023, 11, 21)),  # not known yet
        ("302", "cp_reviews_in_time_rate", 0.6, date(2023, 11, 20)),
    ]
    rows = [
        {"la_code": c, "month": date(2023, 3, 31), "measure": m, "value": v, "known_from": k} for c, m, v, k in given
    ]
    frame = pl.DataFrame([{n: row.get(n) for n in MEASURES_SCHEMA} for row in rows], schema=MEASURES_SCHEMA)

    def measures(record: Any, variant: Variant) -> pl.DataFrame:
        assert (record, variant) == ("the record", Variant.OWN_DATA_AT_ONCE)
        return frame

    monkeypatch.setattr(published_returns, "record_measures", measures)
    group = Register(tuple(Council(c, c, Month(2020, 1)) for c in ("301", "302", "314 / 318")))
    found = record_measures_beside(cast(PublicRecord, "the record"), group, date(2023, 11, 20))
    assert found.schema == MEASURES_SCHEMA
    assert found.select("la_code", "measure", "value").rows() == [
        ("301", "re_referral_rate", 0.2),
        ("302", "cp_reviews_in_time_rate", 0.6),
        ("314 / 318", "re_referral_rate", 0.25),
    ]
