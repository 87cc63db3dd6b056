from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.comparing.panel import as_of, compute_features
from features.frames import FEATURES_SCHEMA, MEASURES_SCHEMA, NATIONAL
from features.months import Month, month_range
from features.registry import Missing

NOBODY = pl.DataFrame(schema={"la_code": pl.String, "neighbour": pl.String})
NOTHING_PUBLISHED = NATIONAL.to_frame()
LAST = Month(2026, 10)


def rows(
    la_code: str, values: dict[Month, float | None], measure: str = "agency_rate_fte", size: float = 200.0
) -> list[dict[str, object]]:
    return [
        {
            "la_code": la_code,
            "month": month.last_day,
            "measure": measure,
            "value": value,
            "numerator": None if value is None else value * size,
            "denominator": size,
            "reason": str(Missing.NOT_REPORTED) if value is None else None,
            "known_from": month.plus(1).first_day,
        }
        for month, value in values.items()
    ]


def frame(*lists: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame([row for one in lists for row in one], schema=MEASURES_SCHEMA)


def monthly(values: list[float | None], last: Month = LAST) -> dict[Month, float | None]:
    return dict(zip(month_range(last.plus(1 - len(values)), last), values, strict=True))


def last_row(measures: pl.DataFrame, neighbours: pl.DataFrame = NOBODY, la_code: str = "201") -> dict[str, object]:
    found = compute_features(measures, neighbours, NOTHING_PUBLISHED, [LAST])
    assert found.schema == FEATURES_SCHEMA
    return found.filter(pl.col("la_code") == la_code).row(0, named=True)


def test_changes_are_against_the_same_council_so_many_months_earlier() -> None:
    values = [0.10] + [0.5] * 11 + [0.12] + [0.5] * 5 + [0.14] + [0.5] * 2 + [None, 0.5, 0.5, 0.20]
    row = last_row(frame(rows("201", monthly(values)), rows("202", monthly([0.9] * 25))))
    assert row["change_24m"] == pytest.approx(0.10)
    assert row["change_12m"] == pytest.approx(0.08)
    assert row["change_6m"] == pytest.approx(0.06)
    assert row["change_3m"] is None


def test_a_return_once_a_year_has_yearly_changes_and_a_past_of_five_years() -> None:
    septembers = {Month(y, 9): v for y, v in zip(range(2021, 2027), [0.10, 0.12, 0.11, 0.13, None, 0.20], strict=True)}
    found = compute_features(frame(rows("201", septembers)), NOBODY, NOTHING_PUBLISHED, [Month(2026, 9)])
    row = found.row(0, named=True)
    assert (row["change_3m"], row["change_6m"], row["change_12m"]) == (None, None, None)
    assert row["change_24m"] == pytest.approx(0.07)
    assert row["own_mean"] == pytest.approx(0.115)
    assert row["own_z"] == pytest.approx((0.20 - 0.115) / 0.0129099, rel=1e-4)


def test_own_past_needs_twelve_of_the_twenty_four_months_before() -> None:
    past = [0.10, 0.14] * 6
    row = last_row(frame(rows("201", monthly([*past, 0.20]))))
    assert row["own_mean"] == pytest.approx(0.12)
    assert row["own_z"] == pytest.approx(0.08 / (0.02 * (12 / 11) ** 0.5))
    assert last_row(frame(rows("201", monthly([*past[1:], 0.20]))))["own_z"] is None
    far = last_row(frame(rows("201", monthly([*[0.9] * 12, *past, *past, 0.20]))))
    assert far["own_mean"] == pytest.approx(0.12)


def test_a_past_without_movement_does_not_make_a_move_infinitely_unusual() -> None:
    row = last_row(frame(rows("201", monthly([0.10] * 12 + [0.11]), size=200.0)))
    assert row["own_z"] == pytest.approx(0.01 / (1 / 200)), "one person in 200 is the smallest unit of a move"


def test_median_of_the_neighbours_that_reported_the_same_month() -> None:
    neighbours = pl.DataFrame({"la_code": ["201"] * 5, "neighbour": ["202", "203", "204", "205", "999"]})
    now = {LAST.plus(-1): 0.9}
    measures = frame(
        rows("201", {LAST: 0.20}),
        *(
            rows(la, now | {LAST: v})
            for la, v in zip(("202", "203", "204", "205"), (0.10, 0.14, 0.13, None), strict=True)
        ),
    )
    row = last_row(measures, neighbours)
    assert (row["neighbours_median"], row["neighbours_reported"]) == (pytest.approx(0.13), 3)
    assert row["vs_neighbours"] == pytest.approx(0.07)
    with_four = frame(rows("201", {LAST: 0.20}), *(rows(f"20{k}", {LAST: k / 100}) for k in (2, 3, 4, 5)))
    assert last_row(with_four, neighbours)["neighbours_median"] == pytest.approx(0.035)
    with_two = frame(rows("201", {LAST: 0.20}), *(rows(f"20{k}", {LAST: k / 100}) for k in (2, 3)))
    few = last_row(with_two, neighbours)
    assert (few["neighbours_median"], few["neighbours_reported"], few["vs_neighbours"]) == (None, 2, None)


def test_a_neighbour_that_reports_jointly_is_found_by_either_code_and_counted_once() -> None:
    neighbours = pl.DataFrame({"la_code": ["201"] * 4, "neighbour": ["314", "318", "202", "203"]})
    joint = frame(*(rows(la, {LAST: v}) for la, v in (("201", 0.2), ("314 / 318", 0.1), ("202", 0.3), ("203", 0.4))))
    row = last_row(joint, neighbours)
    assert (row["neighbours_reported"], row["neighbours_median"]) == (3, pytest.approx(0.3))


def test_small_base_and_shrunk() -> None:
    row = last_row(frame(rows("201", {LAST: 0.5}, size=10.0), *(rows(f"3{k}", {LAST: 0.2}) for k in range(10, 20))))
    assert row["small_base"] is True
    assert isinstance(row["shrunk"], float) and 0.2 < row["shrunk"] < 0.5
    assert last_row(frame(rows("201", {LAST: 0.5}, size=20.0)))["small_base"] is False


def test_charts_of_stocks_take_the_value_and_of_sums_the_months_own_point() -> None:
    months = [*([0.10, 0.12] * 6), 0.30]
    stock = frame(rows("201", monthly(months)))
    row = last_row(stock)
    assert (row["xmr_signal"], row["xmr_toward"], row["xmr_value"]) == ("point", "concern", 0.30)
    assert row["xmr_mean"] == pytest.approx(0.11)
    assert row["xmr_upper"] == pytest.approx(0.11 + 2.66 * 0.02)
    summed = frame(rows("201", monthly(months), measure="turnover_rate_fte"))
    assert last_row(summed)["xmr_value"] is None
    points = summed.select("la_code", "month", "measure", pl.lit(0.12).alias("point"))
    own = compute_features(summed, NOBODY, NOTHING_PUBLISHED, [LAST], points=points).row(0, named=True)
    assert (own["xmr_value"], own["xmr_signal"], own["value"]) == (0.12, None, 0.30)


def test_limits_stay_where_a_rate_can_be() -> None:
    row = last_row(frame(rows("201", monthly([0.01, 0.05] * 6 + [0.02]))))
    assert row["xmr_lower"] == 0.0
    high = last_row(frame(rows("201", monthly([0.99, 0.95] * 6 + [0.98]), measure="cp_reviews_in_time_rate")))
    assert high["xmr_upper"] == 1.0


def test_a_row_without_value_keeps_its_reason_and_still_shows_the_neighbours() -> None:
    neighbours = pl.DataFrame({"la_code": ["201"] * 3, "neighbour": ["202", "203", "204"]})
    measures = frame(rows("201", {LAST: None}), *(rows(f"20{k}", {LAST: 0.2}) for k in (2, 3, 4)))
    row = last_row(measures, neighbours)
    assert (row["value"], row["reason"]) == (None, str(Missing.NOT_REPORTED))
    assert (row["neighbours_median"], row["vs_neighbours"], row["shrunk"]) == (pytest.approx(0.2), None, None)


def test_one_month_alone_is_what_all_months_together_say_of_it() -> None:
    measures = frame(
        *(rows(la, monthly([(k * 7 % 10) / 10 for k in range(40)])) for la in ("201", "202", "203", "204"))
    )
    neighbours = pl.DataFrame({"la_code": ["201"] * 3, "neighbour": ["202", "203", "204"]})
    together = compute_features(measures, neighbours, NOTHING_PUBLISHED)
    alone = compute_features(measures, neighbours, NOTHING_PUBLISHED, [LAST.plus(-3), LAST])
    wanted = [LAST.plus(-3).last_day, LAST.last_day]
    assert alone.equals(together.filter(pl.col("month").is_in(wanted)))


def test_no_measures_no_features() -> None:
    nothing = compute_features(MEASURES_SCHEMA.to_frame(), NOBODY, NOTHING_PUBLISHED)
    assert nothing.schema == FEATURES_SCHEMA and nothing.is_empty()
    assert compute_features(frame(rows("201", {LAST: 0.1})), NOBODY, NOTHING_PUBLISHED, []).is_empty()


class TestAsOf:
    def test_the_version_known_last_by_the_day(self) -> None:
        first, again = rows("201", {LAST: 0.1})[0], rows("201", {LAST: 0.2})[0]
        again["known_from"] = date(2026, 12, 24)
        both = frame([again, first])
        assert as_of(both, date(2026, 12, 23))["value"].to_list() == [0.1]
        assert as_of(both, date(2026, 12, 24))["value"].to_list() == [0.2]
        assert as_of(both, date(2026, 10, 31)).is_empty()

    def test_a_month_of_which_nothing_was_received_is_known_to_be_empty_once_it_is_over(self) -> None:
        row = rows("201", {LAST: None})[0]
        row["known_from"] = None
        assert as_of(frame([row]), date(2026, 10, 30)).is_empty()
        assert as_of(frame([row]), date(2026, 10, 31)).height == 1

    def test_the_percentile_is_of_the_distribution_known_on_the_day(self) -> None:
        national = pl.DataFrame(
            [
                ("agency_rate_fte", date(2025, 9, 30), date(2026, 2, 19), 0.1),
                ("agency_rate_fte", date(2026, 9, 30), date(2027, 2, 18), 0.3),
            ],
            schema=NATIONAL,
            orient="row",
        )
        measures = frame(rows("201", {LAST: 0.2}))
        by_row = compute_features(measures, NOBODY, national)
        later = compute_features(measures, NOBODY, national, as_of_day=date(2027, 3, 1))
        assert by_row["national_percentile"].to_list() == [1.0]
        assert later["national_percentile"].to_list() == [0.0]


@given(
    st.lists(st.one_of(st.none(), st.floats(0.01, 0.9)), min_size=40, max_size=40),
    st.integers(1, 39),
)
def test_a_measure_that_begins_anew_is_compared_with_nothing_before(values: list[float | None], at: int) -> None:
    """After a confirmed break all is as if the months began there; before it, and elsewhere, nothing moves."""
    values[at] = None
    months = monthly(values)
    here = [m for m in months if m >= list(months)[at]]
    other = rows("202", monthly([0.1 + i / 100 for i in range(40)]))
    broken = pl.DataFrame(
        [("201", here[0].last_day, "agency_rate_fte", 1.0)],
        schema=["la_code", "month", "measure", "here"],
        orient="row",
    )
    whole = compute_features(frame(rows("201", months), other), NOBODY, NOTHING_PUBLISHED, list(months), breaks=broken)
    plain = compute_features(frame(rows("201", months), other), NOBODY, NOTHING_PUBLISHED, list(months))
    alone = compute_features(
        frame(rows("201", {m: v for m, v in months.items() if m >= here[0]})), NOBODY, NOTHING_PUBLISHED, here
    )
    since, before = pl.col("month") >= here[0].last_day, pl.col("month") < here[0].last_day
    assert whole.filter(since, la_code="201").equals(alone)
    assert whole.filter(before, la_code="201").equals(plain.filter(before, la_code="201"))
    assert whole.filter(la_code="202").equals(plain.filter(la_code="202"))
