"""What the reconciliation with DfE's published rates says of a few rows."""

from __future__ import annotations

from datetime import date

import polars as pl

from features.measuring.reconcile import RECONCILED
from features.measuring.returns import CELL_REASONS
from features.months import Month
from flows.month.published_returns import Reconciliation

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
