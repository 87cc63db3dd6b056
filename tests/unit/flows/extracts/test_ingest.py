"""A council's file becomes a canonical extract; whatever is wrong with it is a sentence or a problem row."""

from __future__ import annotations

import io
import re
from datetime import date
from hashlib import sha256

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.batch import PROBLEMS
from features.errors import ExtractError, HeaderMismatch, SettingsError, UnreadableExtract, WrongCouncilOrMonth
from features.measuring.returns import CELL_REASONS
from features.months import Month
from features.registry import EXTRACTS, Kind, Missing
from flows.extracts.ingest import IngestedExtract, _by_key
from flows.extracts.pseudonyms import pseudonyms, team_codes

from .conftest import ESTABLISHMENT, JOINT, KEY, RECEIVED, WORKFORCE, as_csv, ingest, rows_of, typed_rows, workbook


def _facts(extract: IngestedExtract) -> list[tuple[object, ...]]:
    return extract.frame.sort("file_row").drop("worker_ref").rows()


def test_the_canonical_extract() -> None:
    extract = ingest(WORKFORCE)
    assert extract.frame.schema == EXTRACTS[Kind.WORKFORCE].schema
    last = date(2026, 10, 31)
    north, south = team_codes(pl.Series(["north ", "South"]), la_code="370", key=KEY)
    assert north != south
    assert _facts(extract) == [
        ("370", last, False, "5", 80, date(2020, 1, 6), None, None, None, 14, 15, False, north, 2),
        ("370", last, True, "3", 100, date(2025, 3, 3), None, None, None, 0, 0, True, south, 3),
        ("370", last, False, "4", 0, date(2019, 9, 2), date(2026, 10, 16), "1", "3", 0, 20, False, north, 4),
    ]
    assert extract.frame["worker_ref"].is_sorted()
    assert set(extract.frame["worker_ref"]) == set(
        pseudonyms(pl.Series(["W1", "W2", "W3"]), la_code="370", key=KEY).to_list()
    )
    assert extract.problems.schema == PROBLEMS
    assert extract.problems.is_empty()
    assert extract.reasons.schema == CELL_REASONS
    assert extract.sha256 == sha256(WORKFORCE.encode()).hexdigest()
    assert extract.received == RECEIVED
    assert extract.absent_columns == ()
    assert extract.notes == ()


def test_absent_optional_columns_are_null_and_listed() -> None:
    rows = [r[:9] + r[10:12] for r in rows_of()]
    extract = ingest(as_csv(rows))
    assert extract.absent_columns == ("leaver_destination", "absent_at_reference_date", "team")
    assert extract.frame["team"].null_count() == 3
    assert extract.frame.schema == EXTRACTS[Kind.WORKFORCE].schema


def test_headers_used_and_columns_not_read_are_told() -> None:
    rows = [[*r, extra] for r, extra in zip(rows_of(), ["Grade", "MarkerOne", "MarkerTwo", ""], strict=True)]
    rows[0][5] = "FTE 30"
    extract = ingest(as_csv(rows))
    assert extract.headers["fte"] == "FTE 30"
    assert extract.notes == (
        "Columns that were not read, as no field has that name: “Grade” in column 15 (O).",
        "Nothing that was not read is kept. If it holds people's names, leave it out of the next file.",
    )
    assert "Marker" not in repr(extract)


def test_cells_that_cannot_be_read_are_null_and_problems_without_values() -> None:
    rows = rows_of()
    rows[1][5], rows[2][3], rows[3][7] = "MarkerFte", "MarkerFlag", "MarkerDate"
    extract = ingest(as_csv(rows))
    assert extract.problems.rows() == [
        ("370", "workforce", 2, "fte", "not_a_number"),
        ("370", "workforce", 3, "agency_worker", "not_a_flag"),
        ("370", "workforce", 4, "role_end_date", "not_a_date"),
    ]
    assert "Marker" not in repr(extract)


def test_symbols_in_a_councils_own_row_are_reasons() -> None:
    extract = ingest(ESTABLISHMENT.replace("12.5", "x").replace(",8,", ",C,"), kind=Kind.ESTABLISHMENT)
    assert extract.problems.is_empty()
    assert extract.reasons.rows() == [
        ("370", date(2026, 10, 31), "agency_fte", str(Missing.CONFIDENTIAL)),
        ("370", date(2026, 10, 31), "vacancy_fte", str(Missing.NOT_AVAILABLE)),
    ]


@pytest.mark.parametrize(
    "code",
    ["314 / 318", "314/318", "318 / 314", "314-318", "314, 318", "314", "318", "314.0", "314 and 318", "314 & 318"],
)
def test_a_joint_return_may_give_either_code_or_both(code: str) -> None:
    cell = f'"{code}"'
    extract = ingest(ESTABLISHMENT.replace("370", cell), kind=Kind.ESTABLISHMENT, council=JOINT)
    assert extract.frame["la_code"].to_list() == ["314 / 318"]
    assert extract.problems.is_empty()


@pytest.mark.parametrize("code", ["319", "314 / 319", "3140", "Kingston", "31"])
def test_another_councils_code_is_refused(code: str) -> None:
    with pytest.raises(WrongCouncilOrMonth, match="1 of 1 rows"):
        ingest(ESTABLISHMENT.replace("370", code), kind=Kind.ESTABLISHMENT, council=JOINT)


def test_another_councils_rows_are_counted_and_numbered_not_quoted() -> None:
    rows = rows_of()
    rows[2][0] = "Markerland"
    with pytest.raises(WrongCouncilOrMonth, match=r"1 of 3 rows have something else .* la_code \(row 3\)") as refused:
        ingest(as_csv(rows))
    assert "Marker" not in str(refused.value)


def test_a_row_without_a_council_belongs_to_the_folder_and_is_a_problem() -> None:
    rows = rows_of()
    rows[2][0] = ""
    extract = ingest(as_csv(rows))
    assert extract.frame["la_code"].to_list() == ["370"] * 3
    assert extract.problems.rows() == [("370", "workforce", 3, "la_code", "empty")]


def test_another_months_rows_are_refused() -> None:
    with pytest.raises(WrongCouncilOrMonth, match=r"3 of 3 rows have a reference_date outside September 2026"):
        ingest(WORKFORCE, month=Month(2026, 9))


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("", "every cell is empty"),
        ("31/10/26", "the cell in row 2 has a year of two digits"),
        ("October 2026", "the cell in row 2 is a month without its day"),
        ("#REF!", "the cell in row 2 is an Excel error such as #N/A or #REF!"),
        ("month end", "the cell in row 2 is no date"),
    ],
)
def test_why_no_reference_date_can_be_read_is_said(day: str, why: str) -> None:
    with pytest.raises(WrongCouncilOrMonth, match=re.escape(f"no row has a readable reference_date ({why})")):
        ingest(WORKFORCE.replace("2026-10-31", day))


def test_columns_separated_by_something_unknown_are_said_to_be() -> None:
    with pytest.raises(HeaderMismatch, match="separated by something else than a comma"):
        ingest(WORKFORCE.replace(",", " ¦ "))


def test_a_day_within_the_month_is_its_last_day_and_noted() -> None:
    extract = ingest(WORKFORCE.replace("370,2026-10-31,W2", "370,30/10/2026,W2"))
    assert extract.frame["reference_date"].unique().to_list() == [date(2026, 10, 31)]
    assert extract.notes == ("reference_date was taken as 2026-10-31 in row 3.",)


@pytest.mark.parametrize("total", ["Total", "TOTALS", "Grand total", "Sub-total:"])
@pytest.mark.parametrize("place", [0, 2])
def test_a_row_of_totals_is_nobody(total: str, place: int) -> None:
    row = [""] * 14
    row[place], row[5], row[10] = total, "1.8", "14"
    extract = ingest(WORKFORCE + as_csv([row]))
    assert _facts(extract) == _facts(ingest(WORKFORCE))
    assert extract.notes == ("Left out as totals: row 5.",)
    with pytest.raises(UnreadableExtract, match="no other rows"):
        ingest(as_csv([rows_of()[0], row]))


def test_a_team_called_total_is_a_team() -> None:
    assert ingest(WORKFORCE.replace("South", "Total")).frame.height == 3


def test_a_worker_has_one_pseudonym_in_both_extracts() -> None:
    caseload = as_csv(
        [
            [
                "la_code",
                "reference_date",
                "case_ref",
                "allocated_worker_ref",
                "case_status",
                "referral_date",
                "closed_date",
            ],
            ["370", "2026-10-31", "C1", "W2", "a", "2026-01-05", ""],
            ["370", "2026-10-31", "C2", "Unallocated", "b", "2026-01-06", ""],
        ]
    )
    cases, workers = ingest(caseload, kind=Kind.CASELOAD).frame, ingest(WORKFORCE).frame
    allocated = cases.sort("file_row")["allocated_worker_ref"].to_list()
    assert allocated == [workers.filter(pl.col("file_row") == 3)["worker_ref"][0], None]


def test_a_short_key_is_a_setting_to_correct_not_a_fault_of_the_file() -> None:
    with pytest.raises(SettingsError):
        ingest(WORKFORCE, key=b"short")


def test_every_format_gives_the_same_extract() -> None:
    parquet = io.BytesIO()
    pl.read_csv(WORKFORCE.encode(), try_parse_dates=True).write_parquet(parquet)
    plain = ingest(WORKFORCE).frame
    for content in (parquet.getvalue(), workbook({"Sheet1": typed_rows()}), WORKFORCE.replace(",", ";").encode()):
        assert ingest(content).frame.equals(plain)


@st.composite
def _mangled(draw: st.DrawFn) -> tuple[bytes, set[tuple[int, int]]]:
    """The sample file as a careless export might give it, and the cells that were made unreadable."""
    rows = rows_of()
    day = draw(st.sampled_from(["iso", "uk", "time", "serial", "mixed"]))
    for row in rows[1:]:
        for c in (1, 6, 7):
            if row[c]:
                row[c] = _written(
                    date.fromisoformat(row[c]), draw(st.sampled_from(["iso", "uk", "time"])) if day == "mixed" else day
                )
        row[3] = draw(st.sampled_from({"0": ["0", "No", "N", "false", "0.0"], "1": ["1", "Yes", "y", "TRUE"]}[row[3]]))
        row[4] = draw(st.sampled_from([row[4], f"{row[4]}.0", f"0{row[4]}"]))
        row[5] = draw(st.sampled_from([row[5], f" {row[5]} "]))
        row[10] = draw(st.sampled_from([row[10], f"{row[10]}.0"]))
    broken = draw(st.sets(st.tuples(st.integers(1, 3), st.sampled_from([3, 4, 5, 6, 8, 10, 11])), max_size=3))
    for r, c in broken:
        rows[r][c] = "?unreadable?"
    synonyms = {f.name: (f.name, *f.synonyms) for f in EXTRACTS[Kind.WORKFORCE].fields}
    rows[0] = [
        draw(st.sampled_from(synonyms[h])).upper().replace("_", draw(st.sampled_from([" ", "_"]))) for h in rows[0]
    ]
    order = draw(st.permutations(range(len(rows[0]))))
    blank_rows = draw(st.integers(0, 2))
    text = as_csv([[row[i] for i in order] for row in rows]) + "," * 13 * bool(blank_rows) + "\n" * blank_rows
    text += draw(st.sampled_from(["", "Total" + "," * 13 + "\n"]))
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    content = (
        text.replace(",", delimiter).replace("\n", end).encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252"])))
    )
    return content, broken


def _written(day: date, notation: str) -> str:
    return {
        "iso": day.isoformat(),
        "uk": day.strftime("%d/%m/%Y"),
        "time": f"{day} 00:00:00",
        "serial": str((day - date(1899, 12, 30)).days),
    }[notation]


_FIELDS = [f.name for f in EXTRACTS[Kind.WORKFORCE].fields]


@given(_mangled())
def test_a_mangled_file_gives_the_right_answer_or_says_which_cells_it_could_not_read(
    given_file: tuple[bytes, set[tuple[int, int]]],
) -> None:
    content, broken = given_file
    extract = ingest(content)
    names = [h for h in rows_of()[0]]
    expected = ingest(WORKFORCE).frame
    for r, c in broken:
        expected = expected.with_columns(pl.when(pl.col("file_row") != r + 1).then(pl.col(names[c])).alias(names[c]))
    assert extract.frame.equals(expected)
    found = set(extract.problems.select("file_row", "column").rows())
    assert found == {(r + 1, names[c]) for r, c in broken}


@given(st.integers(0, len(WORKFORCE)), st.binary(max_size=6))
def test_damage_anywhere_is_a_sentence_or_a_readable_extract(at: int, junk: bytes) -> None:
    content = WORKFORCE.encode()
    try:
        extract = ingest(content[:at] + junk + content[at + len(junk) :])
    except ExtractError as refused:
        assert str(refused).startswith("Barnsley (370), October 2026, workforce.csv")
    else:
        assert extract.frame.schema == EXTRACTS[Kind.WORKFORCE].schema


@given(st.integers(0, len(WORKFORCE)))
def test_a_truncated_file_never_loses_a_worker_in_silence(length: int) -> None:
    """A cut within the last row is found unless it falls inside its last value."""
    try:
        extract = ingest(WORKFORCE[:length])
    except ExtractError:
        return
    whole_rows = WORKFORCE[:length].rstrip("\n").count("\n")
    assert extract.frame.height == whole_rows
    assert extract.frame.drop("team").equals(
        ingest(WORKFORCE).frame.filter(pl.col("file_row") <= whole_rows + 1).drop("team")
    )


@pytest.mark.parametrize("rows", [[2, 3, 4, 5], [4, 2, 5, 3]])
def test_rows_of_one_key_stand_in_the_files_order(rows: list[int]) -> None:
    frame = pl.DataFrame({"case_ref": [7, None, 7, 3], "file_row": rows})

    assert _by_key(frame, ["case_ref"]).equals(frame.sort("case_ref", "file_row", nulls_last=True))
