"""What the comparisons do to a month: held, broken off, accepted, or nothing because the file is not used anyway."""

from __future__ import annotations

from datetime import date

import pytest

from expectations.accepted import Accepted
from expectations.batch import CheckHistory, Effect, doubted
from expectations.passing.dynamic_pass import run_dynamic
from expectations.suites.rows import prepare
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import (
    LAST,
    OCTOBER,
    Row,
    batch_of,
    check_batch,
    counts,
    dated,
    large_rows,
    record_rows,
    worker,
)

SEPTEMBER = Month(2026, 9)
WORKFORCE = Kind.WORKFORCE


def _workers(first: int, last: int, **changes: object) -> list[Row]:
    return [worker(ref, "5", 100, 1) | changes for ref in range(first, last + 1)]


def _followed(again: int) -> tuple[dict[str, dict[Kind, list[Row]]], CheckHistory]:
    """Two councils of 100 workers, of whom so many are there again in October."""
    then = {la: {WORKFORCE: _workers(1, 100, reference_date=date(2026, 9, 30))} for la in ("901", "902")}
    before = batch_of(then, SEPTEMBER).frames[WORKFORCE]
    now = {la: {WORKFORCE: _workers(101 - again, 200 - again, team="South")} for la in then}
    return now, CheckHistory(records={WORKFORCE: before})


@pytest.mark.parametrize("gone", [frozenset(), frozenset({(LAST, "901", WORKFORCE)})])
def test_nobody_answers_for_a_file_that_is_not_used_anyway(gone: frozenset[tuple[date, str, Kind]]) -> None:
    now, history = _followed(60)
    batch = batch_of(now)
    prepared = prepare(WORKFORCE, [batch])
    assert prepared is not None
    found = run_dynamic([batch], {WORKFORCE: prepared}, history, (), gone)
    effects = {f.la_code: f.effect for f in found.findings if f.check == "workforce.worker_ref.gone"}
    assert effects == {"901": Effect.NONE if gone else Effect.HELD, "902": Effect.HELD}


@pytest.mark.parametrize(
    ("again", "what", "accepted"), [(40, "reissued", Effect.BROKEN_OFF), (60, "gone", Effect.NONE)]
)
def test_accepted_references_stay_new_and_accepted_people_hold_nothing(again: int, what: str, accepted: Effect) -> None:
    now, history = _followed(again)
    check = f"workforce.worker_ref.{what}"
    entry = Accepted(check, "901", "workforce", "*", "Known.", "data team lead", OCTOBER)
    outcome = check_batch(batch_of(now), history, (entry,))
    found = outcome.failures.filter(check=check).sort("la_code").select("accepted", "effect").rows()
    open_effect = Effect.BROKEN_OFF if what == "reissued" else Effect.HELD
    assert found == [(True, str(accepted)), (False, str(open_effect))]
    both = {("901", WORKFORCE), ("902", WORKFORCE)}
    assert outcome.reissued == (both if what == "reissued" else set())
    assert set(doubted(outcome.failures)) == (set() if what == "reissued" else {"902"})


def test_a_single_comparison_is_made_and_its_page_says_how_grave_it_would_be() -> None:
    values = {OCTOBER.plus(-back): {"vacancy_fte": 3_000} for back in range(4)}
    history = CheckHistory({Kind.ESTABLISHMENT: counts(Kind.ESTABLISHMENT, values)})
    rows = {Kind.ESTABLISHMENT: record_rows()[Kind.ESTABLISHMENT]}
    assert check_batch(batch_of({"901": rows}), history).suites[-1].name == "all extracts, dynamic"
    months = [batch_of({"901": dated(large_rows(), m)}, m) for m in (SEPTEMBER, OCTOBER)]
    from expectations.passing.check import check_batches

    suite = check_batches(months)[0].suites[-1]
    grave = {
        one["expectation_config"]["meta"]["check"].partition(".")[2]: one["expectation_config"]["severity"]
        for one in suite.results
    }
    assert {family: grave[family] for family in ("repeat", "stale", "identity", "gone", "agreement")} == {
        "repeat": "critical",
        "stale": "critical",
        "identity": "warning",
        "gone": "warning",
        "agreement": "warning",
    }
