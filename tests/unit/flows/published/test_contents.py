"""A file is known by its headers and refused, with the reason, when it is another, cut off or implausible."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from features.errors import ReferenceDataError
from flows.published.contents import Contents, read_contents
from flows.settings.published_sources import Holds
from tests.unit.flows.published.published import C1, COUNCILS, WORKFORCE, inspections, reports, yearly


def contents(content: bytes, holds: Holds = Holds.WORKFORCE, *, whole: bool = True) -> Contents:
    return read_contents(content, holds, "file", whole=whole)


def refused(content: bytes, words: str, holds: Holds = Holds.WORKFORCE, *, whole: bool = True) -> None:
    with pytest.raises(ReferenceDataError, match=words):
        contents(content, holds, whole=whole)


def test_a_yearly_file_is_counted_by_year_and_council() -> None:
    found = contents(yearly([2022, 2023]))
    assert dict(found.periods) == {"2022": 150, "2023": 150}
    assert (found.suffix, found.rows, found.councils) == (".csv", 300, 150)
    assert "inpost_fte" in found.headers


def test_judgements_are_counted_one_by_one_in_a_csv_and_in_a_workbook() -> None:
    listed = contents(reports([("darlington", "19/11/21"), ("Kent", "04/07/23")]), Holds.REPORTS)
    assert listed.judgements == ("2021-11-19 darlington", "2023-07-04 kent")
    workbook = contents(inspections([("Kent", "2023-07-04"), ("Kent", "2019-02-01")]), Holds.JUDGEMENTS)
    assert (workbook.suffix, workbook.last_judgement) == (".xlsx", "2023-07-04")
    assert workbook.judgements == ("2019-02-01 kent", "2023-07-04 kent")


def test_contents_survive_being_stored() -> None:
    found = contents(yearly([2023]))
    assert Contents.model_validate_json(found.model_dump_json()) == found


def test_a_changed_column_is_named() -> None:
    renamed = yearly([2023]).replace(b"vacancy_fte", b"vacant_posts_fte", 1)
    refused(renamed, r"file\.csv.*layout has changed: no column “vacancy_fte”")


def test_a_changed_mark_names_what_is_closest() -> None:
    renamed = yearly([2023]).replace(b"inpost_fte", b"in_post", 1)
    refused(renamed, r"not recognised as DfE’s workforce figures.*lacks the column “inpost_fte”")


def test_another_file_at_the_address_is_named() -> None:
    refused(yearly([2023], C1), "should hold workforce figures.* and holds referrals and re-referrals")
    refused(yearly([2023]), "should hold children in need .* and holds workforce figures", Holds.CHILDREN_IN_NEED)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\n <!DOCTYPE html><html><body>Sorry, we moved", "is a web page"),
        (b'{"title": "Not found"}', "is a message in JSON"),
        (b"%PDF-1.7 ...", "is no CSV, ODS or XLSX file"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "is no CSV, ODS or XLSX file"),
        (b"PK\x03\x04 and then nothing", "damaged or incomplete workbook"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(content: bytes, words: str) -> None:
    refused(content, words)


def test_an_archive_is_no_workbook() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("csww.csv", yearly([2023]))
    refused(packed.getvalue(), "is an archive, not a workbook")


def test_a_workbook_that_is_cut_or_damaged_is_not_opened() -> None:
    whole = inspections([("Kent", "2023-07-04")])
    refused(whole[:-40], "damaged or incomplete workbook", Holds.JUDGEMENTS)
    middle = whole.index(b"xl/worksheets/sheet1.xml") + 40
    harmed = whole[:middle] + bytes(b ^ 0xFF for b in whole[middle : middle + 30]) + whole[middle + 30 :]
    refused(harmed, "damaged", Holds.JUDGEMENTS)


def test_a_row_that_ends_early_is_noticed() -> None:
    refused(yearly([2023])[:-30], r"1 row has another number of cells than the header \(\d+ in the last")


def test_without_a_told_length_the_last_line_must_end() -> None:
    content = yearly([2023])
    contents(content, whole=False)
    contents(content[:-1], whole=True)
    refused(content[:-1], "last line has no end", whole=False)


def test_a_new_breakdown_is_not_read_as_the_total() -> None:
    # The same councils once more, as a file with a row for each category would have them.
    doubled = yearly([2023], C1) + yearly([2023], C1).partition(b"\n")[2]
    refused(doubled, "council 301 stands more than once in 2023", Holds.REFERRALS)


def test_too_few_councils_are_an_incomplete_file() -> None:
    few = yearly([2022], C1) + yearly([2023], C1, councils=COUNCILS[:60]).partition(b"\n")[2]
    refused(few, "2023 has 60 councils", Holds.REFERRALS)


def test_a_change_of_unit_is_noticed() -> None:
    thousandfold = yearly([2022, 2023], cells={(2023, "cases"): "20000"})
    refused(thousandfold, "column cases: the average of 2023 is 1000.0 times that of 2022")


def test_a_column_that_is_not_filled_yet_is_noticed() -> None:
    empty = yearly([2022, 2023], C1, cells={(2023, "referral_count"): "z"})
    refused(empty, "column referrals_12m: 0% of councils have a number in 2023", Holds.REFERRALS)


def test_unknown_symbols_are_refused_in_the_workforce_file_and_noted_elsewhere() -> None:
    refused(yearly([2022, 2023], cells={(2022, "cases"): "[c]"}), r"row 2: the column cases holds neither")
    found = contents(yearly([2022, 2023], C1, cells={(2022, "rereferral_count"): "[c]"}), Holds.REFERRALS)
    assert found.notes == ("file.csv: unknown symbol “[c]” reads as missing.",)


def test_known_symbols_pass() -> None:
    assert contents(yearly([2022, 2023], cells={(2022, "cases"): "x"})).notes == ()


def test_new_words_for_grades_are_noticed() -> None:
    many = [(f"council {i}", "04/07/26") for i in range(20)]
    refused(reports(many, "expected standard"), "grades of 20 of the 20 judgements", Holds.REPORTS)
    old = reports([("kent", "04/07/19")])
    assert len(contents(old, Holds.REPORTS).judgements) == 1


def test_a_date_nobody_can_read_is_noticed() -> None:
    refused(
        reports([("kent", "04/07/19"), ("essex", "July 2019")]), "1 judgement has a publication date", Holds.REPORTS
    )


def test_judgements_without_a_date_are_none() -> None:
    refused(reports([("kent", "")]), "no row has both a judgement and its publication date", Holds.REPORTS)


KINDS = {
    "Childrens_social_care": Holds.JUDGEMENTS,
    "LA_Inspection_Outcomes": Holds.JUDGEMENTS,
    "b1_": Holds.CHILDREN_IN_NEED,
    "c1_": Holds.REFERRALS,
    "c4_": Holds.SECTION_47,
    "csww_": Holds.WORKFORCE,
    "d3_": Holds.REPEAT_PLANS,
    "imd_": Holds.DEPRIVATION,
    "lait_": Holds.LAIT,
    "local_authority_lookup": Holds.COUNCILS,
    "ofsted_ilacs": Holds.REPORTS,
    "ons_": Holds.POPULATION,
    "statistical_neighbours": Holds.NEIGHBOURS,
}


def test_every_published_file_passes(public_data: Path) -> None:
    seen = set()
    for path in sorted(p for p in public_data.iterdir() if p.suffix in (".csv", ".ods")):
        holds = next(kind for start, kind in KINDS.items() if path.name.startswith(start))
        found = read_contents(path.read_bytes(), holds, path.stem)
        assert found.suffix == path.suffix
        assert found.councils > 140
        seen.add(holds)
    assert seen == set(Holds)


def test_both_generations_of_the_workforce_file_pass(public_data: Path) -> None:
    old = contents((public_data / "csww_headline_measures_2017_to_2022.csv").read_bytes())
    new = contents((public_data / "csww_indicators_2017_to_2023.csv").read_bytes())
    assert (max(old.periods), max(new.periods)) == ("2022", "2023")
    assert old.tables[0].layout != new.tables[0].layout
    assert WORKFORCE[0] in new.headers - old.headers


def test_the_long_table_counts_councils_with_a_figure(public_data: Path) -> None:
    found = contents((public_data / "lait_selected_measures_to_2023.csv").read_bytes(), Holds.LAIT)
    assert 140 < found.councils <= 153, "neither England nor its regions nor councils without a figure"
    assert max(found.periods) == "RevCP 2023"


def test_a_year_of_the_long_table_without_figures_is_no_year() -> None:
    rows = [
        f"RevCP,Reviews,{year},C {code},{'-' if year == 2024 else 95},{code},North"
        for year in (2023, 2024)
        for code in COUNCILS
    ]
    long = "\n".join(["Short Desc,Data item,Years,LA and Regions,Values,LA Number,Region", *rows, ""]).encode()
    assert dict(contents(long, Holds.LAIT).periods) == {"RevCP 2023": 150}
