"""Published figures: whose they are, of which period, from which release, and what is taken of each layout."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from models.record.figures import _period_end, counts, population, published_percentages
from models.record.tables import RecordTable

_PLACE = ("time_period", "geographic_level", "old_la_code", "new_la_code", "la_name", "region_name")
_SECTION_47 = ("section47", "icpc", "duration_0-10_days", "duration_11-15_days")
_WORKFORCE = ("inpost_fte", "leavers_fte", "agency_fte", "vacancy_fte", "case_holders_fte", "cases",
              "working_days_lost_fte")  # fmt: skip
_LAIT = ("short desc", "la and regions", "years", "values", "la number")


def _table(headers: tuple[str, ...], *rows: tuple[str | None, ...], file: str = "a.csv") -> RecordTable:
    cells = pl.DataFrame(list(rows), schema=dict.fromkeys(headers, pl.String()), orient="row")
    return RecordTable(file, None, headers, cells)


def _of(
    headers: tuple[str, ...], code: str, year: str, *values: str | None, level: str = "Local authority"
) -> tuple[str | None, ...]:
    return (year, level, code, f"E{code}", "Somewhere", "North East", *values, *("1",) * (len(headers) - len(values)))


def _cases(*rows: tuple[str, str, str | None], file: str = "a.csv") -> RecordTable:
    headers = ("at31_episodes", "started_episodes")
    return _table((*_PLACE, *headers), *(_of(headers, code, year, value) for code, year, value in rows), file=file)


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("2023", 2023),
        ("202223", 2023),
        ("2022-23", 2023),
        ("2022/23", 2023),
        (" 2023 ", 2023),
        ("199900", 1900),
        ("23", None),
        ("2022-2023", None),
        ("x", None),
    ],
)
def test_a_period_ends_in_the_year_it_is_named_by(written: str, year: int | None) -> None:
    found = pl.DataFrame({"y": [written]}).select(_period_end("y", (3, 31))).item()
    assert found == (None if year is None else date(year, 3, 31))


def test_workforce_counts_end_in_september_and_those_of_children_in_march() -> None:
    work = _table((*_PLACE, *_WORKFORCE), _of(_WORKFORCE, "841", "2023", "95.5", "9"), file="work.csv")
    found, notes = counts([work, _cases(("841", "2023", "700"))])
    rows = [row for row in found.rows() if row[2] in ("inpost_fte", "leavers_fte", "open_cases")]
    assert rows == [
        ("841", date(2023, 3, 31), "open_cases", 700.0, None, "a.csv"),
        ("841", date(2023, 9, 30), "inpost_fte", 95.5, None, "work.csv"),
        ("841", date(2023, 9, 30), "leavers_fte", 9.0, None, "work.csv"),
    ]
    assert notes == [] and counts([])[0].is_empty()


def test_only_rows_of_councils_with_a_code_and_a_period_are_figures() -> None:
    headers = ("at31_episodes", "started_episodes")
    region = _of(headers, "841", "2023", "9999", level="Regional")
    found, _ = counts(
        [
            _table(
                (*_PLACE, *headers),
                region,
                _of(headers, " 314  /318", "2023", "5"),
                _of(headers, "842", "soon", "6"),
                ("2023", "Local authority", None, *("x",) * 5),
            )
        ]
    )
    assert found.select("la_code", "value").rows() == [("314 / 318", 5.0)]


def test_of_several_releases_the_newest_with_a_number_is_used_and_of_equals_the_first_file() -> None:
    old = _cases(("841", "2021", "1"), ("841", "2022", "2"), ("840", "2022", "8"), file="old.csv")
    new = _cases(("841", "2021", "10"), ("841", "2022", "z"), ("841", "2023", "x"), file="new.csv")
    same = _cases(("840", "2022", "9"), ("841", "2023", "c"), file="again.csv")
    for tables in ([old, new, same], [same, new, old]):
        found, _ = counts(tables)
        assert found.select("la_code", "period_end", "value", "source").rows() == [
            ("840", date(2022, 3, 31), 9.0, "again.csv"),
            ("841", date(2021, 3, 31), 10.0, "new.csv"),
            ("841", date(2022, 3, 31), 2.0, "old.csv"),
            ("841", date(2023, 3, 31), None, "again.csv"),
        ]


def test_conferences_in_time_are_those_of_both_columns() -> None:
    rows = (("40", "30", "12", "9"), ("40", "30", "z", "9"), ("40", "30", "12", "c"), ("40", "30", "x", "?"))
    asked = [_of(_SECTION_47, str(840 + i), "2023", *row) for i, row in enumerate(rows)]
    found, notes = counts([_table((*_PLACE, *_SECTION_47), *asked)])
    in_time = found.filter(pl.col("count") == "icpcs_in_time_12m").select("value", "reason").rows()
    assert [(value, reason and reason[:2]) for value, reason in in_time] == [
        (21.0, None),
        (None, "z:"),
        (None, "c:"),
        (None, "x:"),
    ]
    assert sorted(found["count"].unique()) == ["icpcs_12m", "icpcs_in_time_12m", "section_47s_12m"]
    assert notes == ["a.csv: unknown symbol “?” read as missing"]


def test_children_are_those_to_17_in_the_middle_of_the_year() -> None:
    headers = ("age_group", "population_estimate")
    rows = [
        _of(headers, "841", "2022", age, n) for age, n in (("0 to 17 years", "20,000"), ("0 to 24 years", "30,000"))
    ]
    found = population([_table((*_PLACE, *headers), *rows), _cases(("841", "2022", "7"))])
    assert found.rows() == [("841", date(2022, 6, 30), "population_0_17", 20000.0, None, "a.csv")]


def test_percentages_that_are_published_alone_become_fractions() -> None:
    lait = _table(
        _LAIT,
        ("CP_conf_15days", "Darlington", "2022-23", "75", "841"),
        ("RevCP", "Darlington", "2022-23", "x", "841"),
        ("Continue_Assess_Comp", "England", "2022-23", "84", "970x"),
        ("Something else", "Darlington", "2022-23", "84", "841"),
        ("RevCP", "Darlington", "some time", "90", "841"),
        file="lait.csv",
    )
    found = published_percentages([_cases(("841", "2022", "7")), lait])
    assert found.select("la_code", "period_end", "measure", "value", "source").rows() == [
        ("841", date(2023, 3, 31), "cp_reviews_in_time_rate", None, "lait.csv"),
        ("841", date(2023, 3, 31), "icpc_in_time_rate", 0.75, "lait.csv"),
    ]
    assert [r is None for r in found["reason"]] == [False, True]
    assert published_percentages([]).is_empty()
