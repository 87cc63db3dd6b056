"""Made-up region -> Annex A workbooks -> the same measures as from the native extract, month by month for a year.

What differs is listed here in full, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pytest

from features.counting.records import RECEIVED, count_caseload, withhold
from features.frames import REASONS, counts_schema
from features.measuring.inputs import build_inputs
from features.measuring.rates import compute_measures
from features.months import Month
from features.registry import ALL_MEASURES, COUNTS, Kind, input_names
from flows.extracts.formats.asked import Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.sample_region import Region, as_canonical, as_sent, generate, region
from flows.sample_region.annex_a import annex_a_workbook

from .examples import asked

LAST = Month(2026, 10)
#: Twelve months that are compared, after five whose closed cases the first workbook carries.
MONTHS, HISTORY = 12, 5

#: Measures that Annex A cannot give, and why.
DIFFERENT_MEASURES = {
    "cp_reviews_in_time_rate": "the workbook says when a review was held, not when the next is due",
    "three_workers_rate": "the workbook names the present worker only",
}
#: Fields that are another than in the native extract, and where they are the same all the same.
DIFFERENT_FIELDS = {
    "case_ref": "a pseudonym of the child's identifier, not of the episode's",
    "allocated_worker_ref": "a pseudonym of the worker's name, not of the staff number",
    "cp_review_due_date": "not carried",
    "worker_changes_12m": "not carried",
    "re_referral": "of referrals of the last six months only: list 3 goes no further back",
    "assessment_start_date": "of assessments not authorised before the month, or begun since the referral, in list 4",
    "assessment_authorised_date": "the same",
    "section_47_start_date": "of enquiries or conferences of the last six months only: list 5 goes no further back",
    "icpc_date": "the same",
    "file_row": "carries its list",
    "team": "a code keyed by the team's name",
}


@dataclass
class _Trip:
    made: Region
    native: list[pl.DataFrame] = field(default_factory=list)
    extracts: list[IngestedExtract] = field(default_factory=list)
    months: list[Month] = field(default_factory=list)


@pytest.fixture(scope="module")
def trip() -> _Trip:
    made = region(1, MONTHS + HISTORY, 5, LAST)
    council = made.councils[0].council
    out, sent = _Trip(made), []
    for frames in generate(made):
        # One case of eight: a tenth of the time and the same questions.
        cases = frames.frames[Kind.CASELOAD].filter(pl.col("case_ref") % 8 == 0)
        sent.append(as_sent(cases, Kind.CASELOAD))
        if len(sent) > HISTORY:
            content = annex_a_workbook(sent[-HISTORY - 1 :], frames.month)
            out.extracts.append(read_form(Form.ANNEX_A, content, asked(frames.month, council)))
            out.native.append(as_canonical(cases, Kind.CASELOAD))
            out.months.append(frames.month)
    return out


def _measures(trip: _Trip, frames: list[pl.DataFrame], absent: tuple[str, ...]) -> pl.DataFrame:
    code = trip.made.councils[0].la_code
    counts, reasons, before = [counts_schema(Kind.CASELOAD).to_frame()], [REASONS.to_frame()], None
    for month, frame in zip(trip.months, frames, strict=True):
        received = pl.DataFrame([(code, month.plus(1).first_day, "")], schema=RECEIVED, orient="row")
        counted = count_caseload(frame, month, before, received)
        kept, why = withhold(counted.counts, Kind.CASELOAD, (), {(code, Kind.CASELOAD, c) for c in absent})
        counts.append(kept)
        reasons += [counted.reasons, why]
        before = counted.state
    inputs, missing = build_inputs(
        {Kind.CASELOAD: pl.concat(counts)},
        trip.made.register,
        trip.months[0],
        LAST,
        LAST.plus(2).first_day,
        count_reasons=pl.concat(reasons),
    )
    own = {i for c in COUNTS if c.extract is Kind.CASELOAD for i in input_names(c)}
    names = [m.name for m in ALL_MEASURES if own & set(m.inputs)]
    return compute_measures(inputs, missing).filter(pl.col("measure").is_in(names)).sort("month", "measure")


def test_the_measures_are_the_same_but_for_the_listed(trip: _Trip) -> None:
    native = _measures(trip, trip.native, ())
    annex = _measures(trip, [e.frame for e in trip.extracts], trip.extracts[-1].absent_columns)
    listed = pl.col("measure").is_in(list(DIFFERENT_MEASURES))
    assert annex.filter(~listed).equals(native.filter(~listed))
    assert annex.filter(listed)["value"].null_count() == annex.filter(listed).height
    assert annex.filter(listed)["reason"].unique().to_list() == ["the extract has no such column"]
    last = native.filter(pl.col("month") == LAST.last_day, ~listed)
    assert last["value"].null_count() == 0
    assert "unallocated_rate" in last["measure"]


def test_the_fields_are_the_same_but_for_the_listed(trip: _Trip) -> None:
    for native, extract in zip(trip.native, trip.extracts, strict=True):
        same = [c for c in native.columns if c not in DIFFERENT_FIELDS]
        assert extract.frame.select(same).sort(same).equals(native.select(same).sort(same))
        sizes = [f.group_by("team").len().sort("len")["len"].to_list() for f in (extract.frame, native)]
        assert sizes[0] == sizes[1]
        assert extract.problems.is_empty()


def test_where_the_lists_reach_the_listed_fields_are_the_same_too(trip: _Trip) -> None:
    for month, native, extract in zip(trip.months, trip.native, trip.extracts, strict=True):
        since = month.plus(-HISTORY).first_day
        within = {
            "re_referral": pl.col("referral_date") >= since,
            "section_47_start_date": pl.col("section_47_start_date") >= since,
            "icpc_date": pl.col("icpc_date") >= since,
            "assessment_start_date": pl.col("assessment_authorised_date").is_null()
            | (pl.col("assessment_authorised_date") >= month.first_day),
        }
        for name, where in within.items():
            ours, theirs = (
                f.filter(where.fill_null(False)).select("referral_date", name).sort("referral_date", name)
                for f in (extract.frame, native)
            )
            if name == "assessment_start_date":
                ours, theirs = (f.drop_nulls() for f in (ours, theirs))
            assert ours.equals(theirs), name


def test_every_worker_and_every_child_is_one_from_month_to_month(trip: _Trip) -> None:
    for native, extract in zip(trip.native, trip.extracts, strict=True):
        assert extract.frame["allocated_worker_ref"].n_unique() == native["allocated_worker_ref"].n_unique()
        assert extract.frame["case_ref"].n_unique() == native["case_ref"].n_unique() == native.height
