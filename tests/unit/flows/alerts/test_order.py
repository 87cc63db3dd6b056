from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.councils import Register
from flows.alerts.order import MonthsOutOfOrder, require_order, success_name
from flows.alerts.publish import previous_alerts
from flows.store.local import LocalStore
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, score

BYRE = replace(ASHCOMBE, la_code="992", name="Byre")
REGISTER = Register((ASHCOMBE, BYRE))


def ordered(folder: Path, decided: dict[int, list[str]], finished: tuple[int, ...] = ()) -> None:
    """`decided`: how many months ago -> the councils with an alert of that month; `finished`: runs that ended."""
    store = LocalStore(folder)
    for back, codes in decided.items():
        for code in codes:
            council = REGISTER.by_code[code]
            one = alert(score(0.3, MONTH.plus(-back), la_code=code), council=council)
            store.create(f"alerts/{one.month}/{council.folder}.json", one.to_bytes())
    for back in finished:
        store.create(success_name(MONTH.plus(-back)), b"{}")
    earlier = previous_alerts(store, MONTH, {c.folder for c in REGISTER.councils})
    require_order(store, REGISTER, REGISTER.councils, MONTH, earlier)


def test_a_group_may_begin_with_any_month_and_go_on_month_by_month(tmp_path: Path) -> None:
    ordered(tmp_path / "first", {})
    ordered(tmp_path / "second", {1: ["991", "992"]})
    ordered(tmp_path / "joined", {1: ["991"], 2: ["991"]})


def test_a_month_that_nobody_ran_comes_first(tmp_path: Path) -> None:
    with pytest.raises(MonthsOutOfOrder, match="September 2026.*`holdfast run --month 2026-09`"):
        ordered(tmp_path, {2: ["991", "992"]})


def test_a_month_that_was_broken_off_comes_first(tmp_path: Path) -> None:
    with pytest.raises(MonthsOutOfOrder, match=r"Byre \(992\) has no alert of it"):
        ordered(tmp_path, {2: ["991", "992"], 1: ["991"]})


def test_a_council_that_a_finished_run_could_not_decide_stops_nobody(tmp_path: Path) -> None:
    ordered(tmp_path, {2: ["991", "992"], 1: ["991"]}, finished=(1,))


@given(st.lists(st.sampled_from([[], ["991"], ["992"], ["991", "992"]]), min_size=1, max_size=6))
def test_no_month_is_decided_over_a_gap(tmp_path_factory: pytest.TempPathFactory, months: list[list[str]]) -> None:
    """Newest first. Refused exactly if some council's nearest alert is not of the month before."""
    nearest = [next((back for back, codes in enumerate(months) if code in codes), 0) for code in ("991", "992")]
    decided = {back + 1: codes for back, codes in enumerate(months)}
    if any(nearest):
        with pytest.raises(MonthsOutOfOrder):
            ordered(tmp_path_factory.mktemp("order"), decided)
    else:
        ordered(tmp_path_factory.mktemp("order"), decided)
