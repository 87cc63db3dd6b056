"""The made-up region through SSD tables and back: the same measures, but for what is listed here with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time

import polars as pl
import pytest

from expectations.batch import PROBLEMS
from features.councils import Register
from features.counting.records import RECEIVED, count, withhold
from features.frames import REASONS
from features.measuring.inputs import build_inputs
from features.measuring.rates import compute_measures
from features.months import Month, month_range
from features.registry import Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.reading.table import Limits
from flows.sample_region import as_sent, generate, region
from flows.sample_region.councils import SampleForm
from flows.sample_region.formats import encode
from flows.sample_region.ssd import MARKER, ssd_tables

from ...conftest import KEY

_LAST = Month(2026, 10)
_MONTHS = 13

#: Column of the caseload extract -> when it differs from the native extract, and why. Everything else is equal.
EXPLAINED = {
    "team": (
        pl.col("allocated_worker_ref").is_null(),
        "the team is the allocated worker's (invo_professional_team); a case without a worker has none in the SSD",
    ),
    "case_status": (
        (pl.col("case_status") == "d") & pl.col("assessment_start_date").is_null(),
        "referred in the last days and neither assessed nor planned for yet: the SSD has no table that says so",
    ),
}

#: Measures of the workforce extract that the SSD cannot give: it has no agency flag, no role, no dates of coming and
#: leaving, no absence. Every other one of the two extracts is there, `caseload_fte` included.
LOST = {
    "absence_rate_fte",
    "absent_share_headcount",
    "manager_agency_rate_headcount",
    "manager_turnover_rate_headcount",
    "net_change_rate_fte",
    "new_in_post_share_headcount",
    "practitioners_per_manager",
    "senior_manager_turnover_rate_headcount",
    "starters_rate_fte",
    "turnover_rate_3m_annualised",
    "turnover_rate_fte",
    "turnover_rate_headcount",
}


@dataclass(frozen=True)
class _Both:
    """One council's months, read from native extracts and from SSD tables."""

    register: Register
    native: Mapping[tuple[Month, Kind], IngestedExtract]
    ssd: Mapping[tuple[Month, Kind], IngestedExtract]
    seconds: float
    """Processor time it usually took to read one extract of the SSD, whatever else the machine does."""


@pytest.fixture(scope="module")
def both() -> _Both:
    made = region(2, _MONTHS, 7, _LAST)
    council = min(made.councils, key=lambda c: c.inpost_fte)
    native: dict[tuple[Month, Kind], IngestedExtract] = {}
    ssd: dict[tuple[Month, Kind], IngestedExtract] = {}
    took: list[float] = []
    for frames in generate(made):
        month = frames.month
        own = {k: as_sent(f.filter(pl.col("la_code") == council.la_code), k) for k, f in frames.frames.items()}
        when = datetime.combine(month.last_day, datetime.min.time(), tzinfo=UTC) + timedelta(days=4)
        tables = ssd_tables(own[Kind.CASELOAD], own[Kind.WORKFORCE], month, ending="parquet")
        for kind in (Kind.CASELOAD, Kind.WORKFORCE):
            native[month, kind] = read_form(
                Form.NATIVE,
                encode(own[kind], kind, SampleForm.PARQUET),
                Asked(f"{kind}.parquet", kind, council.council, month, KEY, when, Limits()),
            )
            began = process_time()
            ssd[month, kind] = read_form(
                Form.SSD, tables, Asked("ssd", kind, council.council, month, KEY, when, Limits())
            )
            took.append(process_time() - began)
    return _Both(Register((council.council,)), native, ssd, median(took))


def _measures(extracts: Mapping[tuple[Month, Kind], IngestedExtract], register: Register) -> pl.DataFrame:
    counts: dict[Kind, list[pl.DataFrame]] = {Kind.CASELOAD: [], Kind.WORKFORCE: []}
    reasons = [REASONS.to_frame()]
    for kind, parts in counts.items():
        state = None
        for month in month_range(_LAST.plus(1 - _MONTHS), _LAST):
            extract = extracts[month, kind]
            received = pl.DataFrame(
                [(extract.la_code, extract.received.date(), extract.sha256)], schema=RECEIVED, orient="row"
            )
            counted = count(kind, extract.frame, month, state, received)
            state = counted.state
            absent = [(extract.la_code, kind, c) for c in extract.absent_columns]
            kept, why = withhold(counted.counts, kind, (), absent)
            parts.append(kept)
            reasons += [counted.reasons, why]
    together = {kind: pl.concat(parts) for kind, parts in counts.items()}
    inputs, missing = build_inputs(
        together,
        register,
        _LAST.plus(1 - _MONTHS),
        _LAST,
        _LAST.plus(1).last_day,
        count_reasons=pl.concat(reasons),
    )
    return compute_measures(inputs, missing).select("month", "measure", "value", "numerator", "denominator")


def test_every_column_is_equal_but_for_the_explained_cells(both: _Both) -> None:
    differing: set[str] = set()
    for month in month_range(_LAST.plus(1 - _MONTHS), _LAST):
        native = both.native[month, Kind.CASELOAD].frame.sort("case_ref")
        ssd = both.ssd[month, Kind.CASELOAD].frame.sort("case_ref")
        assert ssd["case_ref"].equals(native["case_ref"])
        for column in native.columns:
            other = native.with_columns(ssd[column].alias("ssd")).filter(pl.col(column).ne_missing(pl.col("ssd")))
            if other.is_empty():
                continue
            assert column in EXPLAINED, (month, column, other.height)
            assert other.filter(~EXPLAINED[column][0]).is_empty(), (month, column)
            differing.add(column)
    assert differing == set(EXPLAINED)


def test_the_measures_are_the_same(both: _Both) -> None:
    native, ssd = _measures(both.native, both.register), _measures(both.ssd, both.register)
    given = ssd.filter(pl.col("value").is_not_null())
    joined = given.join(native, on=["month", "measure"], how="left", suffix="_native", validate="1:1")
    assert joined.filter(pl.col("value").ne_missing(pl.col("value_native"))).is_empty()
    assert joined.filter(pl.col("denominator").ne_missing(pl.col("denominator_native"))).is_empty()
    last = pl.col("month") == _LAST.last_day
    native_last = set(native.filter(last, pl.col("value").is_not_null())["measure"])
    lost = native_last - set(given.filter(last)["measure"])
    assert lost == LOST
    assert "caseload_fte" in set(given.filter(last)["measure"])


def test_nothing_is_a_problem_and_no_marker_survives(both: _Both) -> None:
    for extract in both.ssd.values():
        assert extract.problems.equals(PROBLEMS.to_frame())
        assert MARKER not in " ".join(extract.notes)
        assert MARKER not in extract.frame.write_csv()


def test_a_councils_month_is_read_in_under_a_second(both: _Both) -> None:
    assert both.seconds < 1.0
