"""Bytes become a table of text, or a sentence that names council, month and file."""

from __future__ import annotations

import codecs
import io
import time
import tracemalloc
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ExtractError, UnreadableExtract
from features.registry import Kind
from flows.extracts.reading.table import Limits, RawTable
from flows.extracts.reading.tables import read_table

from ..conftest import WHERE, WORKFORCE


def _read(content: bytes, kind: Kind = Kind.WORKFORCE, limits: Limits | None = None) -> RawTable:
    return read_table(content, kind=kind, where=WHERE, limits=limits)


def _refused(content: bytes, kind: Kind = Kind.WORKFORCE, limits: Limits | None = None) -> str:
    with pytest.raises(UnreadableExtract) as refused:
        _read(content, kind, limits)
    text = str(refused.value)
    assert text.startswith("Barnsley (370), October 2026, workforce.csv")
    assert text.endswith(".")
    return text


def _cells(table: RawTable) -> list[tuple[str | None, ...]]:
    return table.cells.drop("file_row").rows()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "^", "~"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_in_the_encodings_and_separators_of_the_field(delimiter: str, encoding: str, end: str) -> None:
    text = end.join(["ref,team,n", "007,Café Ü,1", " x ,,2", ""]).replace(",", delimiter)
    table = _read(text.encode(encoding))
    assert table.headers == ("ref", "team", "n")
    assert _cells(table) == [("007", "Café Ü", "1"), ("x", None, "2")]
    assert table.cells["file_row"].to_list() == [2, 3]


def test_cp1252_is_noted() -> None:
    assert "cp1252" in _read("a,b\né,1\n".encode("cp1252")).notes[0]
    assert _read("a,b\né,1\n".encode()).notes == ()


def test_quoted_values_may_hold_separators_quotes_and_line_breaks() -> None:
    table = _read(b'ref,team\n"1","North, ""old""\nteam"\n2,b\n')
    assert _cells(table) == [("1", 'North, "old"\nteam'), ("2", "b")]
    assert table.cells["file_row"].to_list() == [2, 3]


def test_blank_rows_are_dropped_and_still_counted() -> None:
    table = _read(b"a,b\n1,2\n,\n\n , \n3,4\n,,\n")
    assert table.cells["file_row"].to_list() == [2, 6]


def test_trailing_separators_are_no_columns() -> None:
    table = _read(b"a,b,,\n1,2,,\n3,4,,\n")
    assert table.headers == ("a", "b")


def test_null_markers_are_blank_and_words_are_not() -> None:
    assert _cells(_read(b"a,b,c\nNULL,nan,n/a\n-,None,x\n")) == [(None, None, "n/a"), ("-", None, "x")]


def test_the_quick_way_and_the_careful_way_agree() -> None:
    quick = _read(WORKFORCE.encode())
    careful = _read(WORKFORCE.replace("la_code", '"la_code"', 1).encode())
    assert careful.cells.equals(quick.cells)
    assert careful.headers == quick.headers


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,b\n,\n,\n", "no rows"),
        (b"\n1,2\n", "no rows"),
        (b"a,b,c\n1,2,3\n4,5", "breaks off"),
        (b'a,b,c\n1,2,3\n4,"5,6\n', "quotation mark"),
        (b'a,b\n"x"y,1\n', "quotation mark"),
        (b"a,b,c\n1,2,3\n1,2\n3,4,5,6\n7,8,9\n", "rows 3 and 4"),
        (b"\x00\x01\x02\x03", "not text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not text"),
        (b"a,b\n\x81\x8d,1\n", "line 2 holds a character that neither UTF-8 nor Windows text has"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "16 bits and is damaged or cut off"),
        (codecs.BOM_UTF16_LE, "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "password"),
        (b"PK\x03\x04" + b"\x00" * 40, "incomplete or damaged"),
        (b"PAR1" + b"\x00" * 40, "damaged"),
        (b"PAR1", "damaged"),
    ],
)
def test_files_that_are_no_table_are_refused_in_a_sentence(content: bytes, says: str) -> None:
    assert says in _refused(content)


def test_ten_million_rows_are_refused_quickly_and_in_little_memory() -> None:
    junk = b"a,b\n" + b"1,2\n" * 10_000_000
    tracemalloc.start()
    began = time.perf_counter()
    assert "more than 20,000 rows" in _refused(junk)
    took, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 5
    assert peak < 3 * len(junk)


def test_ten_million_quoted_rows_are_refused_before_they_are_read() -> None:
    junk = b'a,b\n"1",2\n' + b"1,2\n" * 10_000_000
    began = time.perf_counter()
    assert "more than 20,000 rows" in _refused(junk)
    assert time.perf_counter() - began < 5


def test_more_bytes_than_any_extract_has_are_refused() -> None:
    assert "more than 1 MB" in _refused(b"a,b\n" + b"1,2\n" * 400_000, limits=Limits(max_bytes=1_000_000))


def test_more_columns_than_any_table_has_are_refused() -> None:
    header = ",".join(f"c{i}" for i in range(500))
    assert "more than 200 columns" in _refused(f"{header}\n{header}\n".encode())


def _parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def test_parquet_types_become_the_text_a_person_would_write() -> None:
    frame = pl.DataFrame(
        {
            "ref": ["007", "8"],
            "n": [5, None],
            "share": [0.8, 1.0],
            "day": [date(2026, 10, 31), None],
            "at": pl.Series(["2026-10-31 00:00", "2026-10-31 14:30"]).str.to_datetime("%Y-%m-%d %H:%M"),
            "flag": [True, False],
            "kind": pl.Series(["a", "b"], dtype=pl.Categorical()),
        }
    )
    assert _cells(_read(_parquet(frame))) == [
        ("007", "5", "0.8", "2026-10-31", "2026-10-31 00:00:00", "true", "a"),
        ("8", None, "1.0", None, "2026-10-31 14:30:00", "false", "b"),
    ]


def test_parquet_times_with_a_zone_are_taken_in_london() -> None:
    midnight_in_june = datetime(2026, 6, 30, 23, 0, tzinfo=UTC)
    frame = pl.DataFrame({"at": pl.Series([midnight_in_june], dtype=pl.Datetime("us", "UTC")), "x": ["1"]})
    assert _cells(_read(_parquet(frame)))[0][0] == "2026-07-01 00:00:00"


def test_parquet_with_nested_columns_or_too_many_rows_is_refused() -> None:
    assert "column 2 holds lists" in _refused(_parquet(pl.DataFrame({"a": ["x"], "b": [[1, 2]]})))
    many = _parquet(pl.select(a=pl.repeat("x", 10_000_000)))
    assert len(many) < 1_000_000
    assert "too many" in _refused(many)


def test_a_truncated_parquet_file_is_refused() -> None:
    whole = _parquet(pl.DataFrame({"a": ["x"] * 100}))
    assert "damaged" in _refused(whole[: len(whole) // 2])


def test_a_message_never_repeats_what_is_in_the_file() -> None:
    for content in (b"a,b\nMarkerOne,2\nMarkerTwo", b'a,b\n"MarkerOne"x,2\n', b"MarkerOne,b\nMarkerTwo\n1,2,3\n"):
        assert "Marker" not in _refused(content)


@given(
    st.binary(max_size=300)
    | st.binary(max_size=80).map(lambda b: b"PK\x03\x04" + b)
    | st.binary(max_size=80).map(lambda b: b"PAR1" + b)
)
def test_any_bytes_give_a_table_or_a_sentence(content: bytes) -> None:
    try:
        table = _read(content)
    except ExtractError as refused:
        assert str(refused).startswith("Barnsley")
    else:
        assert table.cells.width == len(table.headers) + 1
        assert table.cells["file_row"].is_sorted()


#: Without quotation marks, marks of text, what lines are drawn with, and spaces and hyphens of other kinds.
_plain = st.text(
    st.characters(codec="cp1252", exclude_categories=["Cc"], exclude_characters="\"'=-_+*~.|–—\u00a0\u00ad"), max_size=8
)


@given(
    st.lists(st.tuples(_plain, _plain, _plain), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"]),
    st.booleans(),
)
def test_what_is_written_is_read_whatever_the_notation(
    rows: list[tuple[str, str, str]], delimiter: str, encoding: str, quoted: bool
) -> None:
    def cell(text: str) -> str:
        return f'"{text}"' if quoted or any(d in text for d in (",", ";", "\t")) else text

    text = "".join(delimiter.join(row) + "\n" for row in [("a", "b", "c"), *(tuple(map(cell, r)) for r in rows)])
    markers = {"", "NULL", "null", "None", "NaN", "nan", "NaT", "<NA>"}
    wanted = [tuple(c.strip() if c.strip() not in markers else None for c in row) for row in rows]
    wanted = [row for row in wanted if any(c is not None for c in row)]
    try:
        content = text.encode(encoding)
        # Bytes that are valid in both encodings are read as UTF-8.
        if encoding == "cp1252" and content != text.encode():
            content.decode("utf-8")
            return
    except UnicodeDecodeError:
        pass
    if not wanted:
        with pytest.raises(UnreadableExtract):
            _read(content)
        return
    assert _cells(_read(content)) == wanted


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError, TimeoutError])
def test_a_stop_from_outside_is_not_taken_for_a_damaged_file(
    monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise stop

    monkeypatch.setattr(pl, "read_csv", stopped)
    with pytest.raises(stop):
        _read(WORKFORCE.encode())
