"""The written rules of the stages, each with the least that meets it and with one sign fewer."""

from __future__ import annotations

from typing import Any

import pytest

from models.scoring.stages import is_lasting, is_sign, stage_of


def _row(measure: str, **columns: Any) -> dict[str, Any]:
    return {"measure": measure, "value": 0.2, "small_base": False} | columns


def _worst(measure: str, **columns: Any) -> dict[str, Any]:
    low = measure in ("assessments_in_time_rate", "icpc_in_time_rate", "starters_rate_fte")
    return _row(measure, national_percentile=0.05 if low else 0.95, **columns)


FLOW = _worst("assessments_in_time_rate")
FLOW_2 = _worst("icpc_in_time_rate")
STAFF = _worst("agency_rate_fte", change_12m=0.02)
STAFF_2 = _row("caseload_fte", own_z=2.5)
DEMAND = [_worst("re_referral_rate"), _row("referral_rate_per_10k", xmr_toward="concern")]
VACANT = _worst("vacancy_rate_fte")
UNCOVERED = _row("vacancy_agency_cover_rate_fte", value=0.3)


@pytest.mark.parametrize(
    ("rows", "judged", "number"),
    [
        ([], None, 0),
        ([STAFF, STAFF_2], 3, 0),
        ([FLOW], 2, 0),
        ([FLOW, FLOW_2], 2, 1),
        ([FLOW, _row("extracts_missing_rate", own_z=3.0)], 2, 1),
        ([FLOW, STAFF], 2, 1),
        ([FLOW, STAFF_2, _row("absence_rate_fte", own_z=2.0)], 2, 1),
        ([FLOW, STAFF, STAFF_2], 2, 2),
        ([*DEMAND, FLOW, STAFF], 2, 3),
        ([*DEMAND, STAFF, STAFF_2], 2, 0),
        ([*DEMAND, FLOW, STAFF, VACANT, UNCOVERED], 3, 3),
        ([*DEMAND, FLOW, STAFF, VACANT, UNCOVERED], 4, 4),
        ([*DEMAND, FLOW, STAFF, VACANT], 4, 3),
        ([*DEMAND, FLOW, STAFF, UNCOVERED], 4, 3),
        ([*DEMAND, FLOW, STAFF, VACANT, UNCOVERED | {"value": 0.5}], 4, 3),
        ([*DEMAND, FLOW, _worst("starters_rate_fte"), UNCOVERED], 4, 4),
        ([DEMAND[0], FLOW, STAFF], 2, 1),
        ([*DEMAND, FLOW], 2, 0),
        ([STAFF_2, STAFF, FLOW | {"value": None}], 2, 0),
    ],
)
def test_the_furthest_stage_whose_rule_holds(rows: list[dict[str, Any]], judged: int | None, number: int) -> None:
    stage = stage_of(rows, judged)
    assert stage.number == number
    assert bool(stage.why) == (number > 0)


def test_a_sign_has_a_side_and_a_base() -> None:
    assert is_sign(_row("agency_rate_fte", own_z=2.0))
    assert not is_sign(_row("agency_rate_fte", own_z=-2.0))
    assert is_sign(_row("starters_rate_fte", own_z=-2.0))
    assert not is_sign(_row("agency_rate_fte", own_z=5.0, small_base=True))
    assert not is_sign(_row("agency_cover_rate_fte", national_percentile=0.99))
    assert not is_sign(_row("agency_rate_fte", xmr_toward="improvement"))
    assert not is_sign(_row("agency_rate_fte", own_z=1.99))
    for place, high, low in ((0.9, True, False), (0.89, False, False), (0.11, False, False), (0.1, False, True)):
        assert is_sign(_row("agency_rate_fte", national_percentile=place)) is high
        assert is_sign(_row("starters_rate_fte", national_percentile=place)) is low


def test_lasting_means_worst_tenth_and_no_better() -> None:
    assert is_lasting(_worst("agency_rate_fte", change_12m=0.0))
    assert not is_lasting(_worst("agency_rate_fte", change_12m=-0.05))
    assert not is_lasting(_worst("agency_rate_fte"))


def test_the_same_thing_counted_in_people_is_no_second_sign() -> None:
    twin = _worst("agency_rate_headcount", change_12m=0.02)
    assert stage_of([FLOW, STAFF, twin], 2).number == 1
