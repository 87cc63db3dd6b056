"""When figures were known, and that nothing later moves what was known."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from models.judgements.asof import Variant, known_to_council, known_to_public, national_distribution, record_measures
from models.judgements.design import neighbours_on, wide_as_known
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
