"""When figures were known, and that nothing later moves what was known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from models.judgements.asof import Variant, known_to_council, known_to_public, national_distribution, record_measures
from models.judgements.design import neighbours_on, setting_of, wide_as_known
from models.record import PublicRecord
from models.record.figures import COUNTS, RATES
from models.record.identity import lineage
from models.record.judgements import DISAGREEMENTS, JUDGEMENTS
from models.record.places import COUNCILS, DEPRIVATION, NEIGHBOURS

CODES = [str(330 + i) for i in range(12)]


def _record(last_year: int, codes: list[str] = CODES) -> PublicRecord:
    """Twelve councils with workforce and referral figures to a year; each figure depends on council and year only."""
    counts = [
        (code, date(year, *end), count, base + 3.0 * (int(code) % 7) + (year * int(code)) % 5, None, "f")
        for code in codes
        for year in range(2017, last_year + 1)
        for count, base, end in (
            ("inpost_fte", 100.0, (9, 30)),
            ("agency_fte", 20.0, (9, 30)),
            ("referrals_12m", 900.0, (3, 31)),
            ("re_referrals_12m", 180.0, (3, 31)),
        )
    ]
    rates = [(c, date(y, 3, 31), "cp_reviews_in_time_rate", 0.9, None, "l") for c in codes for y in (2022,)]
    near = [(a, b, i + 1, date(2021, 4, 1)) for a in codes for i, b in enumerate(c for c in codes if c != a)]
    return PublicRecord(
        counts=pl.DataFrame(counts, schema=COUNTS, orient="row"),
        rates=pl.DataFrame(rates, schema=RATES, orient="row"),
        population=COUNTS.to_frame(),
        judgements=JUDGEMENTS.to_frame(),
        disagreements=DISAGREEMENTS.to_frame(),
        councils=COUNCILS.to_frame(),
        deprivation=DEPRIVATION.to_frame(),
        neighbours=pl.DataFrame(near, schema=NEIGHBOURS, orient="row"),
        lineage=lineage({}),
        files=(),
        notes=(),
    )


def test_the_two_dates_of_a_figure() -> None:
    frame = pl.DataFrame({"period_end": [date(2022, 9, 30), date(2023, 3, 31)]}).select(
        council=known_to_council(), public=known_to_public()
    )
    assert frame.rows() == [
        (date(2022, 10, 14), date(2023, 3, 1)),
        (date(2023, 4, 14), date(2023, 11, 1)),
    ]


@pytest.mark.parametrize(
    ("variant", "day", "year"),
    [
        (Variant.OWN_DATA_AT_ONCE, date(2022, 10, 13), 2021),
        (Variant.OWN_DATA_AT_ONCE, date(2022, 10, 14), 2022),
        (Variant.PUBLISHED_LAG, date(2023, 2, 28), 2021),
        (Variant.PUBLISHED_LAG, date(2023, 3, 1), 2022),
    ],
)
def test_the_newest_figure_known_is_read_and_none_after(variant: Variant, day: date, year: int) -> None:
    record = _record(2023)
    measures = record_measures(record, variant)
    wide = wide_as_known(record, variant, [day], national_distribution(record))
    mine = measures.filter(pl.col("la_code") == "331", pl.col("measure") == "agency_rate_fte")
    value = mine.filter(pl.col("month") == date(year, 9, 30))["value"].item()
    assert wide.filter(pl.col("la_code") == "331")["agency_rate_fte"].item() == value


def test_a_later_release_moves_nothing_that_was_known() -> None:
    days = [date(2020, 6, 1), date(2021, 3, 2)]
    for variant in Variant:
        early, late = _record(2021), _record(2024)
        before = wide_as_known(early, variant, days, national_distribution(early))
        after = wide_as_known(late, variant, days, national_distribution(late))
        assert before.equals(after)


def test_the_percentile_is_of_the_distribution_public_by_then() -> None:
    record = _record(2023)
    national = national_distribution(record)
    assert national.filter(pl.col("period_end") == date(2022, 9, 30))["known_from"].unique().to_list() == [
        date(2023, 3, 1)
    ]
    assert "201" not in CODES and national["value"].null_count() == 0


def test_figures_published_only_as_a_percentage_fill_what_counts_leave_empty() -> None:
    measures = record_measures(_record(2023), Variant.OWN_DATA_AT_ONCE)
    reviews = measures.filter(pl.col("measure") == "cp_reviews_in_time_rate", pl.col("value").is_not_null())
    assert reviews.select("value", "denominator").unique().rows() == [(0.9, None)]
    assert reviews.height == len(CODES)
    referrals = measures.filter(pl.col("measure") == "re_referral_rate", pl.col("month") == date(2022, 3, 31))
    assert referrals["denominator"].null_count() == 0


def test_neighbours_are_of_the_edition_in_force() -> None:
    record = _record(2023)
    assert neighbours_on(record, date(2018, 1, 1)).height == neighbours_on(record, date(2026, 1, 1)).height > 0
    assert "edition" not in neighbours_on(record, date(2022, 1, 1)).columns


def test_the_same_september_gives_the_same_figures_by_either_road(public_data: Path) -> None:
    """DfE's own rates, recomputed from its counts by the job's functions, are DfE's within rounding."""
    from models.record import read_record

    record = read_record(public_data)
    measures = record_measures(record, Variant.OWN_DATA_AT_ONCE)
    published = pl.read_csv(public_data / "csww_indicators_2017_to_2023.csv", infer_schema=False)
    rates = published.filter(pl.col("old_la_code") == "301", pl.col("time_period") == "2023")
    for name in ("agency_rate_fte", "vacancy_rate_fte", "turnover_rate_fte", "absence_rate_fte"):
        ours = measures.filter(
            pl.col("la_code") == "301", pl.col("measure") == name, pl.col("month") == date(2023, 9, 30)
        )["value"].item()
        assert 100 * ours == pytest.approx(float(rates[name].item()), abs=0.12)


def test_the_national_distribution_leaves_out_the_tiny_the_twice_counted_and_those_not_begun() -> None:
    """201 and 420 are tiny; 314 and 318 send one workforce return; 838 began in April 2019."""
    national = national_distribution(_record(2019, [*CODES, "201", "420", "314", "318", "838"]))

    def councils(measure: str, end: date) -> int:
        return national.filter(measure=measure, period_end=end).height

    assert councils("agency_rate_fte", date(2018, 9, 30)) == len(CODES) + 1
    assert councils("agency_rate_fte", date(2019, 9, 30)) == len(CODES) + 2
    assert councils("re_referral_rate", date(2019, 3, 31)) == len(CODES) + 2
    values = national.filter(measure="agency_rate_fte", period_end=date(2019, 9, 30))["value"].to_list()
    assert values == sorted(values)


def test_children_are_those_of_the_middle_of_the_year_before_and_first_of_the_earliest_known() -> None:
    children = [
        ("330", date(year, 6, 30), "population_0_17", n, None, "p") for year, n in ((2018, 10_000.4), (2020, 20_000.0))
    ]
    unknown = ("330", date(2021, 6, 30), "population_0_17", None, "z", "p")
    record = replace(_record(2021), population=pl.DataFrame([*children, unknown], schema=COUNTS, orient="row"))
    measures = record_measures(record, Variant.OWN_DATA_AT_ONCE)
    found = {
        row["month"].year: (row["numerator"], row["denominator"])
        for row in measures.filter(la_code="330", measure="referral_rate_per_10k").iter_rows(named=True)
        if row["value"] is not None
    }
    assert {year: n for year, (_, n) in found.items()} == {
        2017: 10_000, 2018: 10_000, 2019: 10_000, 2020: 10_000, 2021: 20_000,
    }  # fmt: skip


def test_halves_of_a_post_count_and_a_reason_stands_where_a_count_is_missing() -> None:
    rows = [
        ("330", date(2021, 9, 30), "inpost_fte", 90.55, None, "f"),
        ("330", date(2021, 9, 30), "agency_fte", 9.45, None, "f"),
        ("331", date(2021, 9, 30), "inpost_fte", 90.0, None, "f"),
        ("331", date(2021, 9, 30), "agency_fte", None, "c: confidential in the published file", "f"),
        ("331", date(2021, 9, 30), "no such count", 5.0, None, "f"),
    ]
    record = replace(_record(2021), counts=pl.DataFrame(rows, schema=COUNTS, orient="row"))
    measures = record_measures(record, Variant.PUBLISHED_LAG).filter(measure="agency_rate_fte")
    first, second = measures.sort("la_code").iter_rows(named=True)
    assert first["value"] == pytest.approx(9.45 / 100, abs=1e-4) and first["known_from"] == date(2022, 3, 1)
    assert second["value"] is None and second["reason"].startswith("c:")


def test_a_percentage_counts_only_where_the_counts_say_nothing() -> None:
    rates = [
        ("330", date(2021, 3, 31), "re_referral_rate", 0.99, None, "l"),
        ("999", date(2021, 3, 31), "re_referral_rate", 0.5, None, "l"),
        ("330", date(2021, 3, 31), "icpc_in_time_rate", 0.8, None, "l"),
    ]
    record = replace(_record(2021), rates=pl.DataFrame(rates, schema=RATES, orient="row"))
    measures = record_measures(record, Variant.OWN_DATA_AT_ONCE)
    at = measures.filter(month=date(2021, 3, 31))
    assert at.filter(la_code="999").select("measure", "value", "known_from").rows() == [
        ("re_referral_rate", 0.5, date(2021, 4, 14))
    ]
    assert at.filter(la_code="330", measure="icpc_in_time_rate")["value"].to_list() == [0.8]
    (counted,) = at.filter(la_code="330", measure="re_referral_rate").iter_rows(named=True)
    assert counted["value"] != 0.99 and counted["denominator"] is not None
    assert measures.height == measures.unique(["la_code", "month", "measure"]).height


@pytest.mark.parametrize(("day", "known"), [(date(2021, 11, 30), True), (date(2021, 12, 1), False)])
def test_a_figure_is_used_for_twenty_six_months(day: date, known: bool) -> None:
    record = _record(2019)
    wide = wide_as_known(record, Variant.OWN_DATA_AT_ONCE, [day], national_distribution(record))
    assert (wide.filter(la_code="331")["agency_rate_fte"].drop_nulls().len() == 1) is known


def test_neighbours_are_those_of_the_newest_edition_that_had_begun() -> None:
    near = [("330", code, 1, day) for code, day in (("331", date(2021, 4, 1)), ("332", date(2025, 5, 1)))]
    record = replace(_record(2017), neighbours=pl.DataFrame(near, schema=NEIGHBOURS, orient="row"))
    for day, neighbour in (
        (date(2020, 1, 1), "331"),
        (date(2021, 4, 1), "331"),
        (date(2025, 4, 30), "331"),
        (date(2025, 5, 1), "332"),
    ):
        assert neighbours_on(record, day)["neighbour"].to_list() == [neighbour]
    assert neighbours_on(replace(record, neighbours=NEIGHBOURS.to_frame()), date(2021, 4, 1)).is_empty()


def test_a_setting_is_handed_on_by_those_who_share_children_and_the_newest_is_used() -> None:
    deprived = [("835", 2015, 10.0), ("835", 2019, 15.0), ("942", 2019, 30.0), ("942", 2025, 25.0)]
    children = [
        ("330", date(2020, 6, 30), "population_0_17", 7.0, None, "p"),
        ("330", date(2021, 6, 30), "population_0_17", 9.0, None, "p"),
    ]
    record = replace(
        _record(2017),
        deprivation=pl.DataFrame(deprived, schema=DEPRIVATION, orient="row"),
        population=pl.DataFrame(children, schema=COUNTS, orient="row"),
        # 835 lost all of its children to 838, and none to 839.
        lineage=lineage({"835": 60.0, "838": 70.0}),
    )
    codes = pl.DataFrame({"la_code": ["835", "838", "839", "942", "909", "943", "330"]})
    found = codes.select("la_code", **setting_of(record))
    assert found["imd_score"].to_list() == [15.0, 15.0, None, 25.0, 25.0, 25.0, None]
    assert found["population_0_17"].to_list() == [None] * 6 + [9.0]
