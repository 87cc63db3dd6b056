"""A month against the council's own past, and its files against each other."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from expectations.accepted import Accepted
from expectations.batch import PROFILE, Batch, CheckHistory, Severity
from expectations.passing.check import check_batches
from expectations.passing.dynamic_pass import DynamicPass, run_dynamic
from expectations.suites import plausible
from expectations.suites.rows import prepare, with_workers
from features.months import Month
from features.registry import COUNTS, Kind
from tests.unit.expectations.examples import (
    OCTOBER,
    batch_of,
    check_batch,
    checks_of,
    counts,
    large_rows,
    record_rows,
    sound_rows,
)

MONTHS = [OCTOBER.plus(-back) for back in range(6, 0, -1)]


def _profile(month: Month, kind: Kind, rows: int, filled: dict[str, int], content: int) -> pl.DataFrame:
    return pl.DataFrame(
        [("901", month.last_day, str(kind), column, rows, n, content) for column, n in filled.items()],
        schema=PROFILE,
        orient="row",
    )


def _compare(history: CheckHistory, *councils: str) -> DynamicPass:
    """October of sound councils against a past, without the static rules."""
    batch = batch_of({la_code: record_rows() for la_code in councils or ("901",)})
    return _dynamic(batch, history)


def _dynamic(batch: Batch, history: CheckHistory) -> DynamicPass:
    prepared = {kind: p for kind in batch.frames if (p := prepare(kind, [batch])) is not None}
    if Kind.CASELOAD in prepared:
        prepared[Kind.CASELOAD] = with_workers(prepared[Kind.CASELOAD], prepared.get(Kind.WORKFORCE))
    return run_dynamic([batch], prepared, history, ())


def _past(rows: int = 100, fte: int = 100) -> pl.DataFrame:
    parts = [_profile(m, Kind.WORKFORCE, rows, {"fte": fte}, content) for content, m in enumerate(MONTHS)]
    parts += [_profile(m, Kind.CASELOAD, 100, {"referral_date": 100}, content) for content, m in enumerate(MONTHS)]
    return pl.concat(parts)


@pytest.mark.parametrize(("now", "jumps"), [(20_000, False), (17_100, False), (16_900, True), (26_000, True)])
def test_a_jump_beyond_the_share_is_a_query(now: int, jumps: bool) -> None:
    values = {m: {"inpost_fte": 20_000} for m in MONTHS} | {OCTOBER: {"inpost_fte": now}}
    history = CheckHistory({Kind.WORKFORCE: counts(Kind.WORKFORCE, values)})
    compared = _compare(history)
    assert [f.check for f in compared.findings] == ["workforce.inpost_fte.jump"] * jumps
    for finding in compared.findings:
        assert finding.severity is Severity.QUERY
        assert f"inpost_fte comes to {now // 100}; " in finding.message
        assert "the middle value was 200" in finding.message
    assert not compared.not_used


def test_a_council_that_always_swings_is_not_asked_about_a_swing() -> None:
    swings = [20_000, 12_000, 24_000, 14_000, 28_000, 16_000]
    values = {m: {"inpost_fte": v} for m, v in zip(MONTHS, swings, strict=True)} | {OCTOBER: {"inpost_fte": 27_000}}
    history = CheckHistory({Kind.WORKFORCE: counts(Kind.WORKFORCE, values)})
    assert _compare(history).findings == ()


def test_two_earlier_months_are_no_past() -> None:
    values = {m: {"inpost_fte": 20_000} for m in MONTHS[-2:]} | {OCTOBER: {"inpost_fte": 1}}
    history = CheckHistory({Kind.WORKFORCE: counts(Kind.WORKFORCE, values)})
    compared = _compare(history)
    assert compared.findings == ()
    assert "workforce.*.jump" in compared.not_run["check"].to_list()


def test_later_months_and_months_more_than_a_year_back_are_not_looked_at() -> None:
    far = {OCTOBER.plus(-13 - k): {"inpost_fte": 100} for k in range(6)}
    later = {OCTOBER.plus(1 + k): {"inpost_fte": 100} for k in range(6)}
    values = far | later | {m: {"inpost_fte": 20_000} for m in MONTHS} | {OCTOBER: {"inpost_fte": 20_000}}
    history = CheckHistory({Kind.WORKFORCE: counts(Kind.WORKFORCE, values)})
    assert _compare(history).findings == ()


def test_of_two_submissions_of_a_month_the_one_known_last_counts() -> None:
    values = {m: {"inpost_fte": 20_000} for m in [*MONTHS, OCTOBER]}
    newest = counts(Kind.WORKFORCE, values)
    stale = newest.with_columns(pl.col("known_from").dt.offset_by("-3d"), inpost_fte=pl.lit(1, pl.Int64))
    history = CheckHistory({Kind.WORKFORCE: pl.concat([newest, stale])})
    assert _compare(history).findings == ()


@pytest.mark.parametrize(("usual", "used"), [(100, True), (199, True), (201, False), (49, False)])
def test_a_file_cut_short_or_doubled_is_not_used(usual: int, used: bool) -> None:
    batch = batch_of({"901": large_rows(), "902": record_rows()})
    compared = _dynamic(batch, CheckHistory(profiles=_past(usual, usual)))
    assert compared.not_used == (frozenset() if used else {(OCTOBER.last_day, "901", Kind.WORKFORCE)})
    assert [f.check for f in compared.findings] == ([] if used else ["workforce.file.size"])
    for finding in compared.findings:
        assert f"The file has 100 rows, usually {usual}" in finding.message


def test_a_column_that_is_suddenly_empty_is_a_query() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE]:
        worker["team"] = None
    past = pl.concat([_profile(m, Kind.WORKFORCE, 100, {"team": 98}, content) for content, m in enumerate(MONTHS)])
    (finding,) = _dynamic(batch_of({"901": rows}), CheckHistory(profiles=past)).findings
    assert finding.check == "workforce.team.empty_jump"
    assert finding.message.startswith("team is empty in 100% of rows, usually 2%.")


def test_last_months_file_under_a_new_date_is_not_used() -> None:
    before = large_rows()
    for row in [*before[Kind.WORKFORCE], *before[Kind.CASELOAD]]:
        row["reference_date"] = date(2026, 9, 30)
    september = check_batch(batch_of({"901": before, "902": before}, Month(2026, 9)))
    changed = large_rows()
    changed[Kind.WORKFORCE][7]["working_days_lost"] = 55
    changed[Kind.CASELOAD][7]["last_visit_date"] = date(2026, 10, 21)
    outcome = check_batch(batch_of({"901": large_rows(), "902": changed}), CheckHistory(profiles=september.profile))
    assert outcome.quarantined == {("901", Kind.WORKFORCE), ("901", Kind.CASELOAD)}
    assert "those of September 2026, sent again" in outcome.of_council("901")["message"][0]
    assert checks_of(outcome.failures, "902") == set()


def test_a_month_is_compared_with_months_of_the_same_call() -> None:
    months = [batch_of({"901": large_rows()}, m) for m in (Month(2026, 9), OCTOBER)]
    first, second = check_batches(months)
    assert "workforce.file.sent_twice" not in checks_of(first.failures, "901")
    assert "workforce.file.sent_twice" in checks_of(second.failures, "901")


@pytest.mark.parametrize(("last", "unchanged"), [(1_000, True), (1_100, False)])
def test_an_establishment_nobody_touches_is_mentioned(last: int, unchanged: bool) -> None:
    values = {m: {"vacancy_fte": 1_000, "agency_fte": 500} for m in MONTHS}
    values |= {OCTOBER: {"vacancy_fte": last, "agency_fte": 500}}
    history = CheckHistory({Kind.ESTABLISHMENT: counts(Kind.ESTABLISHMENT, values)})
    assert [f.check for f in _compare(history).findings] == ["establishment.file.unchanged"] * unchanged


@pytest.mark.parametrize(
    ("kind", "row", "column", "value", "check", "says"),
    [
        (Kind.ESTABLISHMENT, 0, "agency_fte", 350, "establishment.agency_fte.workforce", "agency_fte is 3.5, and the"),
        (
            Kind.ESTABLISHMENT,
            0,
            "agency_headcount",
            4,
            "establishment.agency_headcount.workforce",
            "has 1 agency worker",
        ),
        (Kind.WORKFORCE, 1, "cases", 40, "workforce.cases.caseload", "hold 43 cases, and the caseload extract has 5"),
    ],
)
def test_files_that_contradict_each_other(kind: Kind, row: int, column: str, value: int, check: str, says: str) -> None:
    rows = record_rows()
    rows[kind][row][column] = value
    (finding,) = _dynamic(batch_of({"901": rows, "902": record_rows()}), CheckHistory()).findings
    assert (finding.check, finding.la_code, finding.severity) == (check, "901", Severity.QUERY)
    assert says in finding.message


def test_a_return_row_of_another_size_than_the_extracts_beside_it_is_an_error_and_its_figure_is_withheld() -> None:
    near, far = sound_rows(), sound_rows()
    for rows, agency in ((near, 900), (far, 12_500)):
        rows[Kind.RETURN][0] |= {"agency_fte": agency, "agency_headcount": None, "inpost_fte": None}
        rows[Kind.RETURN][0] |= {"inpost_headcount": None}
    done = _dynamic(batch_of({"901": far, "902": near}), CheckHistory())
    (finding,) = [f for f in done.findings if f.extract is Kind.RETURN]
    assert (finding.check, finding.la_code, finding.severity) == ("return.agency_fte.workforce", "901", Severity.ERROR)
    assert finding.message.startswith("agency_fte of the return is 125, and the workforce extract has 1 FTE of agency")
    assert (OCTOBER.last_day, "901", Kind.RETURN, "agency_fte") in done.withheld


def test_a_size_cannot_be_accepted() -> None:
    accepted = Accepted("workforce.file.*", "901", "workforce", "*", "Known.", "data team lead", OCTOBER)
    outcome = check_batch(batch_of({"901": large_rows()}), CheckHistory(profiles=_past(300, 300)), (accepted,))
    assert ("901", Kind.WORKFORCE) in outcome.quarantined
    assert not outcome.failures["accepted"].any()


def test_every_watched_count_is_one() -> None:
    assert {w.count for w in plausible.WATCHED} <= {c.name for c in COUNTS}
