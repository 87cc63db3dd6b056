"""Field cases, parts A, C and D, about the sector's formats, the settings and the register."""

from __future__ import annotations

import encodings.aliases
import os
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from expectations.batch import Severity
from features.councils import REGISTER_COLUMNS, Council, read_register, write_register
from features.errors import ExtractError, HoldfastError, ReferenceDataError, SettingsError
from features.months import Month
from features.registry import CASELOAD, EXTRACTS, Kind
from flows.extracts.check_files import CheckedFiles, check_files
from flows.extracts.formats.asked import Form
from flows.extracts.formats.csww.stream import Stream
from flows.extracts.formats.known import BY_FORM, FORMATS, form_by_name
from flows.settings.settings import Settings
from tests.field.mutations import unchanged
from tests.field.sector import CHILDREN, Tables, annex_a, as_folder, as_workbook, blank, csww, dfe, ssd, without
from tests.field.sent import Made, Rows, asked, made, read

SEPTEMBER = Month(2026, 9)


def _ssd(tables: Tables) -> Made:
    return made(as_folder(tables), Kind.CASELOAD, Form.SSD)


@cache
def _sound_ssd() -> Made:
    return _ssd(ssd())


# SSD: a row that names no referral.


@pytest.mark.parametrize("share", [1, 2, 10])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("ssd_involvements", "invo_referral_id"),
        ("ssd_cin_assessments", "cina_referral_id"),
        ("ssd_cp_plans", "cppl_referral_id"),
    ],
)
def test_a_row_without_its_referral_goes_by_its_person(share: int, table: str, column: str) -> None:
    whole = ssd()
    spoiled = whole | {table: blank(whole[table], column, lambda i: i % share == 0)}
    sound, found = _sound_ssd(), _ssd(spoiled)
    assert found.values.equals(sound.values)
    assert f"of {table} name no referral" in found.notes
    assert sound.values["allocated_worker_ref"].null_count() == CHILDREN // 8


@pytest.mark.parametrize("share", [1, 2, 10])
def test_without_a_person_it_is_withheld_by_name_and_never_nobody(share: int) -> None:
    whole = ssd()
    held = blank(without(whole["ssd_involvements"], "invo_person_id"), "invo_referral_id", lambda i: i % share == 0)
    file = _ssd(whole | {"ssd_involvements": held})
    assert file.checks["caseload.allocated_worker_ref.lost"] is Severity.ERROR
    assert "allocated_worker_ref" in file.withheld
    assert "ssd_involvements" in file.messages and "not known" in file.messages


def test_one_stray_involvement_withholds_nothing() -> None:
    whole = ssd()
    stray = ["", "W77", "2026-01-05", "", "Allocated Case Worker", "T1", "", ""]
    file, without_it = _ssd(whole | {"ssd_involvements": [*whole["ssd_involvements"], stray]}), _sound_ssd()
    assert file.values.equals(without_it.values)
    assert file.withheld == without_it.withheld


@pytest.mark.parametrize(
    ("table", "column", "field"),
    [
        ("ssd_involvements", "invo_referral_id", "allocated_worker_ref"),
        ("ssd_cp_visits", "cppv_person_id", "last_visit_date"),
    ],
)
def test_a_join_that_finds_nothing_is_no_answer(table: str, column: str, field: str) -> None:
    whole = ssd()
    at = whole[table][0].index(column)
    renumbered = [whole[table][0], *([*r[:at], f"X-{r[at]}", *r[at + 1 :]] for r in whole[table][1:])]
    file = _ssd(whole | {table: without(renumbered, "invo_person_id")})
    assert field in file.withheld
    assert "other numbers" in file.messages


def test_a_table_without_its_columns_is_lost_and_one_that_was_not_sent_is_not() -> None:
    whole = ssd()
    lost = _ssd(whole | {"ssd_cp_plans": without(whole["ssd_cp_plans"], "cppl_referral_id")})
    assert lost.checks["caseload.cp_plan_start_date.lost"] is Severity.ERROR
    absent = _ssd({name: rows for name, rows in whole.items() if name != "ssd_cp_plans"})
    assert absent.checks["caseload.cp_plan_start_date.absent"] is Severity.INFORMATION
    needed = _ssd({name: rows for name, rows in whole.items() if name != "ssd_involvements"})
    assert needed.checks["caseload.allocated_worker_ref.lost"] is Severity.ERROR
    assert "allocated_worker_ref" in needed.withheld


def test_what_report_writers_put_around_ssd_tables_is_left_out() -> None:
    whole = ssd()
    footed = {n: [[*["-"] * 3], *rows, [], [f"({len(rows) - 1} rows affected)"]] for n, rows in whole.items()}
    named = {n: f"sep=,\n{content.decode()}\x1a".encode() for n, content in as_folder(whole).items()}
    assert _ssd(footed).values.equals(_sound_ssd().values)
    assert made(named, Kind.CASELOAD, Form.SSD).values.equals(_sound_ssd().values)


# Annex A: a column that is lost, and where a fault stands.


def _annex(lists: Tables) -> Made:
    return made(as_workbook(lists), Kind.CASELOAD, Form.ANNEX_A)


@cache
def _sound_annex() -> Made:
    return _annex(annex_a())


def _cells(rows: Rows, header: str, change: Callable[[int, str], str]) -> Rows:
    at = rows[0].index(header)
    return [rows[0], *([*r[:at], change(i, r[at]), *r[at + 1 :]] for i, r in enumerate(rows[1:], start=2))]


@pytest.mark.parametrize(
    ("sheet", "header", "text", "fields"),
    [
        ("List 6", "Allocated Worker", "#N/A", {"allocated_worker_ref"}),
        ("List 6", "Case Status", "open", {"case_status"}),
        ("List 3", "Date of referral", "some day", {"referral_date", "re_referral"}),
        ("List 7", "Child Protection Plan Start Date", "some day", {"cp_plan_start_date"}),
    ],
)
def test_a_column_that_cannot_be_used_is_an_error_and_the_headline_says_so(
    sheet: str, header: str, text: str, fields: set[str], tmp_path: Path
) -> None:
    lists = annex_a()
    spoiled = lists | {sheet: _cells(lists[sheet], header, lambda _, __: text)}
    file = _annex(spoiled)
    assert fields <= file.withheld
    assert {file.checks[f"caseload.{f}.lost"] for f in fields} == {Severity.ERROR}
    path = tmp_path / "annex_a.xlsx"
    path.write_bytes(as_workbook(spoiled))
    (report,) = check_files([path], council="370", month=Month(2026, 10))
    assert isinstance(report, CheckedFiles) and report.errors
    assert "used in part" in report.report.files.files[0].state


@pytest.mark.parametrize(
    ("sheet", "header"),
    [
        *((f"List {n}", "") for n in range(3, 9)),
        ("List 6", "Allocated Worker"),
        ("List 6", "Allocated Team"),
        ("List 6", "CIN Closure Date"),
        ("List 3", "Date of referral"),
        ("List 3", "Number of Referrals in Last 12 Months"),
    ],
)
def test_what_every_extract_must_have_is_an_error_where_it_is_not_there_and_the_rest_for_information(
    sheet: str, header: str, tmp_path: Path
) -> None:
    lists = annex_a()
    if header:
        fewer = lists | {sheet: without(lists[sheet], header)}
    else:
        fewer = {name: rows for name, rows in lists.items() if name != sheet}
    before, file = _sound_annex(), _annex(fewer)
    gone = {f.name for f in CASELOAD.fields if (set(file.checks) - set(before.checks)) & _names_of_gone(f.name)}
    assert gone
    for field in gone:
        if CASELOAD.field(field).required:
            assert file.checks[f"caseload.{field}.lost"] is Severity.ERROR
            assert field in file.withheld
        else:
            assert file.checks[f"caseload.{field}.absent"] is Severity.INFORMATION
    path = tmp_path / "annex_a.xlsx"
    path.write_bytes(as_workbook(fewer))
    (report,) = check_files([path], council="370", month=Month(2026, 10))
    assert isinstance(report, CheckedFiles)
    (fate,) = report.report.files.files
    assert bool(report.errors) == ("used in part" in fate.state) == any(CASELOAD.field(f).required for f in gone)


def _names_of_gone(field: str) -> set[str]:
    return {f"caseload.{field}.lost", f"caseload.{field}.absent"}


def test_a_fault_in_a_derived_cell_names_list_sheet_column_and_row() -> None:
    lists = annex_a()
    # The referral of child 1099, without further action, is in row 62 of list 3 and in no other list.
    file = _annex(lists | {"List 3": _cells(lists["List 3"], "Referral NFA?", lambda i, t: "FA" if i == 62 else t)})
    (failure,) = file.outcome.failures.filter(check="caseload.closed_date.not_a_flag").iter_rows(named=True)
    assert "“Referral NFA?” of Annex A list 3 (Referrals), sheet “List 3”," in failure["message"]
    assert failure["row_numbers"] == [30_000_062]


def test_a_fault_in_a_derived_cell_names_table_column_and_row_of_the_ssd() -> None:
    whole = ssd()
    # The assessment of child 40 is in row 41 of its table; the child's referral in row 42 of another.
    spoiled = _cells(whole["ssd_cin_assessments"], "cina_assessment_auth_date", lambda i, t: "soon" if i == 41 else t)
    file = _ssd(whole | {"ssd_cin_assessments": spoiled})
    name = "caseload.assessment_authorised_date.not_a_date"
    (failure,) = file.outcome.failures.filter(check=name).iter_rows(named=True)
    assert "as “cina_assessment_auth_date” of ssd_cin_assessments gives it" in failure["message"]
    assert failure["row_numbers"] == [41]


@pytest.mark.parametrize("prefix", ["1 - ", "1: ", "2) ", "0. ", "a) "])
def test_numbered_answers_are_their_words(prefix: str) -> None:
    lists = annex_a()
    numbered = _cells(lists["List 3"], "Referral NFA?", lambda _, t: prefix + t.split(") ")[1])
    assert _annex(lists | {"List 3": numbered}).values.equals(_sound_annex().values)


# The workforce return and every encoding that Python knows by name.


def test_whatever_encoding_a_return_declares_it_is_read_or_refused_in_a_sentence() -> None:
    sound = Stream(csww().encode(), "csww.xml")
    workers = sum(chunk.height for chunk in sound.chunks())
    names = sorted({*encodings.aliases.aliases, *encodings.aliases.aliases.values()})
    for name in (*names, "utf-7", "", "nonsense", "punycode", "undefined", "unicode_escape", "base64"):
        try:
            found = sum(chunk.height for chunk in Stream(csww(name).encode(), "csww.xml").chunks())
        except ExtractError as refused:
            assert str(refused).startswith("csww.xml: "), name
        else:
            assert found == workers, name


def test_the_formats_of_these_tests_are_read_whole() -> None:
    for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.RETURN):
        assert read(csww().encode(), asked(kind, Form.CSWW, SEPTEMBER), Form.CSWW).frame.height
    row = read(dfe().encode(), asked(Kind.RETURN, Form.DFE, SEPTEMBER), Form.DFE).frame.row(0, named=True)
    assert (row["la_code"], row["reference_date"], row["inpost_fte"]) == ("370", date(2026, 9, 30), 13740)


def test_every_format_stands_in_one_table() -> None:
    assert {f.form for f in FORMATS} == set(Form)
    for known in FORMATS:
        if known.stem:
            name = known.stem if known.folder else f"{known.stem}.{known.endings[0]}"
            assert form_by_name(name, is_folder=known.folder) is known.form


def test_a_sound_file_gives_the_fields_that_the_table_of_formats_says() -> None:
    for sound in unchanged():
        absent = read(sound.content, asked(sound.kind, sound.form, sound.month), sound.form).absent_columns
        given = {f.name for f in EXTRACTS[sound.kind].fields[2:]} - set(absent)
        said = BY_FORM[sound.form].fields(sound.kind)
        # Our own extracts may leave optional columns out.
        assert given <= said if sound.form is Form.NATIVE else given == said, (sound.form, sound.kind)


# Settings and register.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_settings_are_read_however_an_editor_saved_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    _bare(monkeypatch)
    file = tmp_path / "holdfast.toml"
    file.write_bytes('environment = "test"\nlanding = "Küche"\n'.encode(encoding))
    monkeypatch.setenv("HOLDFAST_CONFIG", str(file))
    assert Settings.load().landing == "Küche"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'a = 1\nb = "\xe9"\n', "line 2"),
        ("environment = 'test'\n".encode("utf-16-le"), "line 1"),
        (b"landing = 'x'\nstore = " + b"[" * 3_000 + b"]" * 3_000, "line 2"),
        (b"landing = 'x'\nstore =\n", "line 2"),
        (b"landing = {" + b"a={" * 3_000 + b"}" * 3_001, "line 1"),
    ],
)
def test_settings_that_cannot_be_read_are_told_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, line: str
) -> None:
    _bare(monkeypatch)
    file = tmp_path / "holdfast.toml"
    file.write_bytes(content)
    monkeypatch.setenv("HOLDFAST_CONFIG", str(file))
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert str(file) in str(refused.value) and line in str(refused.value)


@pytest.mark.parametrize("section", ["MAIL", "S3", "INGEST", "ALERTS", "RETENTION", "SSD"])
@pytest.mark.parametrize("text", ["text", "[[", '"x"', "{", "[" * 100_000])
def test_a_section_given_as_text_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch, section: str, text: str) -> None:
    _bare(monkeypatch)
    monkeypatch.setenv(f"HOLDFAST_{section}", text)
    with pytest.raises(SettingsError, match=rf"HOLDFAST_{section}|{section.lower()}: "):
        Settings.load()


def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)


def test_register_rows_that_are_broken_are_told_with_file_and_line() -> None:
    text = write_register([Council("370", "Barnsley", Month(2015, 1)), Council("371", "Doncaster", Month(2015, 1))])
    lines = text.split("\n")
    spoiled = {
        "too short": [lines[0], lines[1], lines[2].rsplit(",", 4)[0]],
        "too long": [lines[0], lines[1], lines[2] + ",x"],
        "a huge field": [lines[0], lines[1], lines[2].replace("Doncaster", "D" * 140_000)],
        "an open mark": [lines[0], lines[1], lines[2].replace("Doncaster", '"Doncaster')],
    }
    for content in spoiled.values():
        with pytest.raises(ReferenceDataError, match=r"register\.csv, line 3: "):
            read_register("\n".join(content) + "\n", "register.csv")
    for rows in ([], [""], [",".join(REGISTER_COLUMNS[:3])], ["\x00"]):
        with pytest.raises(HoldfastError):
            read_register("\n".join(rows), "register.csv")
