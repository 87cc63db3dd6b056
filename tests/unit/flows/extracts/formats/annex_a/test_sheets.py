"""Finding the lists: by name and by header, below titles, and never by a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import HeaderMismatch, UnreadableExtract
from flows.extracts.reading.where import rows_in_words

from .examples import Sheets, book, by_child, read, small


def _renamed(sheets: Sheets, **names: str) -> Sheets:
    return {names.get(name.replace(" ", "_"), name): rows for name, rows in sheets.items()}


def test_names_drift_and_the_figures_stay() -> None:
    drifted = _renamed(
        small(),
        List_3="Referrals",
        List_4="4 - Assessments",
        List_5="S47s & ICPCs",
        List_6="CIN",
        List_7="CP",
        List_8="CLA",
    )
    assert read(drifted).frame.equals(read(small()).frame)


def test_sheets_without_telling_names_are_known_by_their_headers() -> None:
    anonymous = {f"Sheet{i}": rows for i, rows in enumerate(small().values(), start=1)}
    extract = read(anonymous)
    assert extract.frame.equals(read(small()).frame)
    assert "list 6 (Children in Need) read from sheet 4, header in row 1" in "\n".join(extract.notes)


def test_the_order_of_sheets_and_columns_does_not_matter() -> None:
    turned = {name: [row[::-1] for row in rows] for name, rows in reversed(small().items())}
    assert read(turned).frame.equals(read(small()).frame)


def test_titles_and_blank_rows_above_the_header_are_passed_over() -> None:
    below = {name: [["Annex A, made 3 November"], [], [None, "List"], *rows] for name, rows in small().items()}
    extract = read(below)
    assert extract.frame.drop("file_row").equals(read(small()).frame.drop("file_row"))
    assert "header in row 4" in extract.notes[0]
    assert set(extract.frame["file_row"] - read(small()).frame["file_row"]) == {3}


def test_the_mapping_used_is_reported() -> None:
    sheets = small()
    sheets["List 6"][0][3] = "Date closed"
    extract = read(sheets)
    assert "“CIN Closure Date” from “Date closed”" in "\n".join(extract.notes)
    assert extract.headers["list 6 closed"] == "Date closed"


@pytest.mark.parametrize("second", ["CIN", "Sheet9"])
def test_two_sheets_of_one_list_are_refused(second: str) -> None:
    sheets = small()
    sheets[second] = sheets["List 6"]
    with pytest.raises(HeaderMismatch, match=r"are both Annex A list 6 \(Children in Need\). Keep the one"):
        read(sheets)


def test_a_second_sheet_that_is_hidden_is_not_read_and_said() -> None:
    sheets = small() | {"Old CIN": small()["List 6"]}
    extract = read(book(sheets, hidden=["Old CIN"]))
    assert extract.frame.equals(read(small()).frame)
    assert "Hidden and not read: sheet 7." in extract.notes


def test_hidden_rows_and_columns_are_read_and_said_with_the_list() -> None:
    sheets = small()
    extract = read(book(sheets, unseen={"List 6": ({3}, {0, 3}), "List 3": ({2, 3}, ())}))
    assert extract.frame.equals(read(sheets).frame)
    six, three = "Annex A list 6 (Children in Need), sheet “List 6”: ", "Annex A list 3 (Referrals), sheet “List 3”: "
    assert [note for note in extract.notes if "all the same" in note] == [
        f"{three}2 rows are hidden and were read all the same (rows 2 and 3).",
        f"{six}1 row is hidden and was read all the same (row 3).",
        f"{six}Hidden columns were read all the same: A, D.",
    ]


@given(st.sampled_from(sorted(small())), st.data())
def test_what_is_said_of_hidden_rows_is_what_is_hidden_of_the_list(name: str, data: st.DataObject) -> None:
    sheets = small()
    titles = data.draw(st.integers(0, 3))
    sheets[name] = [*[["A title"]] * titles, *sheets[name]]
    filled = range(titles + 2, len(sheets[name]) + 1)
    rows = data.draw(st.sets(st.integers(1, len(sheets[name]) + 5)))
    notes = [n for n in read(book(sheets, unseen={name: (rows, ())})).notes if "all the same" in n]
    ours = sorted(rows & set(filled))
    assert [n.rpartition("(")[2] for n in notes] == ([f"{rows_in_words(ours)})."] if ours else [])


def test_a_hidden_column_that_is_not_read_is_not_said_to_be_read() -> None:
    sheets = small()
    sheets["List 6"] = [[*row, "Gender" if i == 0 else "b"] for i, row in enumerate(sheets["List 6"])]
    extract = read(book(sheets, unseen={"List 6": ((), {len(sheets["List 6"][0]) - 1})}))
    assert not any("Hidden" in note for note in extract.notes)


def test_a_hidden_list_is_missing_and_the_note_says_where_it_is() -> None:
    extract = read(book(small(), hidden=["List 4"]))
    assert {"assessment_start_date", "assessment_authorised_date"} <= set(extract.absent_columns)
    assert any("By name there is Annex A list 4 (Assessments) among them; unhide" in note for note in extract.notes)


def test_a_sheet_that_is_no_list_is_said_by_its_place_and_not_by_its_name() -> None:
    sheets = {"About Marker Smith": [["Please", "read", "this", "first"]]} | small()
    notes = read(sheets).notes
    assert any(note == "Not read, as by name and headers no list of Annex A: sheet 1." for note in notes)
    assert not any("Marker" in note for note in notes)


def test_a_name_that_stands_for_two_lists_is_refused() -> None:
    with pytest.raises(HeaderMismatch, match="by its name list 3 and list 6 of Annex A at once"):
        read(_renamed(small(), List_6="List 6 Referrals"))


def test_a_table_under_another_lists_name_is_refused() -> None:
    sheets = small()
    sheets["List 4"], sheets["List 7"] = sheets["List 7"], sheets["List 4"]
    with pytest.raises(HeaderMismatch, match=r"is Annex A list 4 \(Assessments\) by its name and Annex A list 7"):
        read(sheets)


def test_two_headers_of_one_meaning_are_refused_unless_one_is_ofsteds() -> None:
    sheets = small()
    sheets["List 6"][0] += ["Closure date"]
    assert by_child(read(sheets), ["5"])["5"]["closed_date"] is not None
    sheets["List 6"][0][3] = "Date closed"
    with pytest.raises(HeaderMismatch, match=r"on sheet “List 6” columns D and H both mean “CIN Closure Date”"):
        read(sheets)


def test_a_workbook_without_any_of_the_lists_is_refused() -> None:
    with pytest.raises(UnreadableExtract, match="no visible sheet of the workbook is list 3 to 8 of Annex A"):
        read({"Sheet1": [["a", "b", "c"], [1, 2, 3]], "List 1": [["Child Unique ID"], [1]]})


def test_a_list_without_a_header_is_missing_by_name() -> None:
    sheets = small() | {"List 7": [[2, "2026-10-14", None, None, None, 1, "North", "Ben Ash"]]}
    extract = read(sheets)
    assert "cp_plan_start_date" in extract.absent_columns
    assert (
        "Annex A list 7 (Child Protection), sheet “List 7”, has no header"
        in extract.absent_because["cp_plan_start_date"]
    )
