"""Saved mappings of home-made files: applied to the letter, and reported where they no longer fit."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from features.councils import Register
from features.errors import HeaderMismatch, PersonalDataRefused
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.landing import list_month
from flows.extracts.mapping import HeaderMapping, mapping_in_force, mapping_name, read_mapping
from flows.extracts.reading.table import Limits
from flows.extracts.receive import receive_file
from flows.month.take_in import fingerprint, months_due
from flows.store import LocalStore
from flows.store.editions import History

from .conftest import BARNSLEY, KEY, OCTOBER, RECEIVED, WORKFORCE, ingest

_HOME_MADE = """\
Payroll,Engagement,Post,Contract,Joined,Left,Why left,Held,Sick days
W1,Permanent,Social Worker,0.8,06/01/2020,,,14,1.5
W2,Agency,Team Manager,1,03/03/2025,,,0,0
W3,Permanent,Senior SW,0,02/09/2019,16/10/2026,1,0,2
Total,,,1.8,,,,14,3.5
"""
_MAPPING = HeaderMapping(
    "370",
    Kind.WORKFORCE,
    OCTOBER,
    {
        "worker_ref": "Payroll",
        "agency_worker": "Engagement",
        "org_role": "Post",
        "fte": "Contract",
        "role_start_date": "Joined",
        "role_end_date": "Left",
        "reason_leave": "Why left",
        "cases": "Held",
        "working_days_lost": "Sick days",
    },
    {
        "agency_worker": {"Agency": "1", "permanent": "0"},
        "org_role": {"Social Worker": "5", "Team Manager": "3", "Senior SW": "4"},
    },
    by_folder=("la_code", "reference_date"),
    name="mappings/370/workforce.2026-10.toml",
)
_WHERE = r"Barnsley \(370\), October 2026, hr.csv"


def _read(text: str, mapping: HeaderMapping | None = _MAPPING) -> IngestedExtract:
    asked = Asked("hr.csv", Kind.WORKFORCE, BARNSLEY, OCTOBER, KEY, RECEIVED, Limits(), mapping)
    return read_form(Form.NATIVE, text.encode(), asked)


def test_a_home_made_file_is_read_as_the_extract_it_is() -> None:
    ours, theirs = ingest(WORKFORCE), _read(_HOME_MADE)
    same = [c for c in ours.frame.columns if c not in theirs.absent_columns]
    assert theirs.frame.select(same).equals(ours.frame.select(same))
    assert set(theirs.absent_columns) == {"leaver_destination", "absent_at_reference_date", "team"}
    assert theirs.problems.is_empty()
    assert theirs.headers["fte"] == "fte"
    assert "Left out as totals: row 5." in theirs.notes


def test_the_mapping_and_its_digest_are_part_of_what_is_known_of_the_extract() -> None:
    saved = read_mapping(_MAPPING.to_toml(), _MAPPING.name)
    assert (
        f"Read by the mapping mappings/370/workforce.2026-10.toml ({saved.digest})." in _read(_HOME_MADE, saved).notes
    )
    other = read_mapping(replace(_MAPPING, left_out=("x",)).to_toml(), _MAPPING.name)
    assert other.digest != saved.digest


def test_a_mapping_is_written_and_read_back_equal() -> None:
    saved = read_mapping(_MAPPING.to_toml(), _MAPPING.name)
    assert replace(saved, digest="") == _MAPPING


def test_a_mapped_header_that_is_gone_is_named() -> None:
    gone = _HOME_MADE.replace("Engagement", "Type")
    with pytest.raises(HeaderMismatch, match=rf"{_WHERE}: the mapping .* reads agency_worker from “Engagement”"):
        _read(gone)
    optional = replace(_MAPPING, columns={**_MAPPING.columns, "team": "Cost centre"})
    extract = _read(_HOME_MADE, optional)
    assert (
        "The mapping no longer fits: team was read from “Cost centre”, and the file has no such header."
        in extract.notes
    )
    assert "team" in extract.absent_columns


def test_a_header_that_now_carries_its_documented_name_is_taken_by_it() -> None:
    extract = _read(_HOME_MADE.replace("Contract", "FTE"))
    assert extract.frame["fte"].to_list() == _read(_HOME_MADE).frame["fte"].to_list()
    assert any("“Contract” is gone; fte was read from its documented name" in n for n in extract.notes)


def test_a_header_that_has_become_ambiguous_is_refused() -> None:
    lines = _HOME_MADE.splitlines()
    doubled = "\n".join(f"{line},{'Payroll' if i == 0 else 'X'}" for i, line in enumerate(lines))
    with pytest.raises(HeaderMismatch, match=rf"{_WHERE}: .*“Payroll”.* 2 times"):
        _read(doubled)
    second = "\n".join(f"{line},{'Staff ID' if i == 0 else f'S{i}'}" for i, line in enumerate(lines))
    with pytest.raises(HeaderMismatch, match=rf"{_WHERE}: .*“Payroll”, and “Staff ID” means it too"):
        _read(second)
    # Unless somebody has said that it is not read.
    said = replace(_MAPPING, left_out=("Staff ID",))
    assert _read(second, said).frame.equals(_read(_HOME_MADE).frame)


def test_a_word_nobody_has_mapped_is_a_problem_and_a_sentence_without_it() -> None:
    extract = _read(_HOME_MADE.replace("W1,Permanent", "W1,Secondment"))
    assert extract.problems.select("file_row", "column", "problem").rows() == [(2, "agency_worker", "not_a_flag")]
    said = next(n for n in extract.notes if "no longer fits" in n)
    assert "“Engagement” has 1 words for agency_worker in 1 rows" in said
    assert "Secondment" not in said


def test_a_mapped_word_wins_over_what_it_would_mean_to_us() -> None:
    """A council whose grade 1 is its lowest says so, and is believed."""
    local = replace(_MAPPING, codes={**_MAPPING.codes, "org_role": {"1": "5", "2": "3", "3": "4"}})
    text = _HOME_MADE.replace("Social Worker", "1").replace("Team Manager", "2").replace("Senior SW", "3")
    assert _read(text, local).frame.sort("file_row")["org_role"].to_list() == ["5", "3", "4"]


def test_new_headers_are_noted_and_not_read() -> None:
    lines = [f"{line},{'Colour' if i == 0 else 'red'}" for i, line in enumerate(_HOME_MADE.splitlines())]
    extract = _read("\n".join(lines))
    assert any("Headers that the mapping does not know and that are not read: “Colour”" in n for n in extract.notes)


def test_a_mapping_never_lets_personal_data_in() -> None:
    named = replace(_MAPPING, columns={**_MAPPING.columns, "team": "Surname"}, left_out=("Date of birth",))
    lines = [f"{line},{'Surname,Date of birth' if i == 0 else 'x,y'}" for i, line in enumerate(_HOME_MADE.splitlines())]
    with pytest.raises(PersonalDataRefused):
        _read("\n".join(lines), named)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("kind = ", "no valid TOML"),
        ('kind = "workers"', "kind: Input should be"),
        ('kind = "workforce"\n[columns]\nshoe_size = "x"', "no field shoe_size"),
        ('kind = "workforce"\n[columns]\nfte = "A"\ncases = "a "', "a header of its own"),
        ('kind = "workforce"\n[codes.agency_worker]\nX = "7"', "codes.agency_worker must give one of 0, 1"),
        ('kind = "workforce"\n[codes.fte]\nX = "7"', "codes.fte must give one of nothing"),
        ('kind = "workforce"\nby_folder = ["fte"]', "by_folder may name"),
        ('kind = "workforce"\ncolour = 1', "colour: Extra inputs"),
        ('kind = "workforce"\n[columns]\nfte = 5', "columns.fte: Input should be a valid string"),
        ('kind = "workforce"\nfrom = "soon"', "is not a month"),
        ('kind = "workforce"\nleft_out = "x"', "left_out"),
        ('kind = "workforce"\ncodes = 5', "codes"),
    ],
)
def test_a_mapping_that_is_none_says_what_is_wrong(toml: str, says: str) -> None:
    with pytest.raises(HeaderMismatch, match=says):
        read_mapping(toml.encode(), "mappings/370/workforce.2026-10.toml")


def _put(store: LocalStore, name: str, content: bytes, when: datetime) -> None:
    store.replace(name, content)
    os.utime(store.root / name, (when.timestamp(), when.timestamp()))


def test_each_month_is_read_by_the_mapping_that_held_then(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for since in ("2026-03", "2026-09"):
        _put(store, mapping_name(BARNSLEY, Kind.WORKFORCE, Month.parse(since)), _MAPPING.to_toml(), RECEIVED)
    _put(store, "mappings/371/workforce.2026-01.toml", _MAPPING.to_toml(), RECEIVED)
    found = list(store.list("mappings/"))

    def held(month: str, kind: Kind = Kind.WORKFORCE) -> str | None:
        chosen = mapping_in_force(found, BARNSLEY, kind, Month.parse(month))
        return chosen.name if chosen else None

    assert held("2026-02") is None
    assert held("2026-03") == held("2026-08") == "mappings/370/workforce.2026-03.toml"
    assert held("2026-10") == "mappings/370/workforce.2026-09.toml"
    assert held("2026-10", Kind.CASELOAD) is None


def test_a_changed_mapping_makes_its_months_due_and_no_others(tmp_path: Path) -> None:
    landing, store = LocalStore(tmp_path / "landing"), LocalStore(tmp_path / "store")
    register = Register((BARNSLEY,))
    _put(landing, "2026-10/370/workforce.csv", _HOME_MADE.encode(), RECEIVED)
    _put(landing, "2026-09/370/workforce.csv", _HOME_MADE.encode(), RECEIVED)

    def marks(day: date) -> list[str]:
        months = [Month(2026, 9), OCTOBER]
        return [d.fingerprint for d in months_due(landing, History(store), register, months, lambda _: day)]

    before = marks(date(2026, 11, 10))
    name = mapping_name(BARNSLEY, Kind.WORKFORCE, OCTOBER)
    _put(landing, name, _MAPPING.to_toml(), datetime(2026, 11, 12, 9, tzinfo=UTC))
    after = marks(date(2026, 11, 16))
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert marks(date(2026, 11, 10)) == before  # as known on that day, there was no mapping yet
    _put(landing, name, replace(_MAPPING, left_out=("x",)).to_toml(), datetime(2026, 11, 12, 9, tzinfo=UTC))
    assert marks(date(2026, 11, 16))[1] != after[1]
    assert fingerprint(()) == fingerprint(())


def test_a_landed_file_is_read_by_its_mapping_and_a_broken_one_keeps_nothing(tmp_path: Path) -> None:
    landing = LocalStore(tmp_path / "landing")
    _put(landing, "2026-10/370/workforce.csv", _HOME_MADE.encode(), RECEIVED)
    name = mapping_name(BARNSLEY, Kind.WORKFORCE, OCTOBER)
    _put(landing, name, _MAPPING.to_toml(), RECEIVED)
    (file,) = list_month(landing, OCTOBER, Register((BARNSLEY,))).files
    received = receive_file(landing, file, key=KEY)
    assert received.extract is not None
    assert received.extract.frame.height == 3
    _put(landing, name, b"kind = ", RECEIVED)
    (file,) = list_month(landing, OCTOBER, Register((BARNSLEY,))).files
    refused = receive_file(landing, file, key=KEY)
    assert refused.extract is None
    assert "no valid TOML" in str(refused.error)
    assert not refused.submission.kept
    assert not (tmp_path / "empty").exists() or not any(p.is_file() for p in (tmp_path / "empty").rglob("*"))


def test_the_problem_cells_of_a_workbook_stay_at_their_columns() -> None:
    """Columns that are left out move the others; a cell that could not be read moves with its own."""
    from flows.extracts.formats.own.mapped import apply_mapping
    from flows.extracts.reading.table import CELL_PROBLEMS, raw_table

    from .conftest import WHERE

    table = raw_table(
        ["Left out", "Payroll", "Contract"],
        [pl.Series(["a"]), pl.Series(["W1"]), pl.Series([None], dtype=pl.String())],
        pl.Series([2]),
        problems=pl.DataFrame([(2, 2, "formula_error")], schema=CELL_PROBLEMS, orient="row"),
    )
    few = replace(_MAPPING, columns={"worker_ref": "Payroll", "fte": "Contract"}, left_out=("left out",), codes={})
    mapped = apply_mapping(table, few, WHERE, BARNSLEY)
    assert mapped.headers[:2] == ("worker_ref", "fte")
    assert mapped.problems.rows() == [(2, 1, "formula_error")]
