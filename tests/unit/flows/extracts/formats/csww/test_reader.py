"""The return as extracts of its month: what is taken, what is left out and why, what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from time import process_time

import polars as pl
import pytest

from features.councils import Council
from features.errors import HeaderMismatch, UnreadableExtract, WrongCouncilOrMonth
from features.months import Month
from features.registry import RETURN, WORKFORCE, Kind, Missing
from flows.extracts.formats.asked import Form
from flows.extracts.formats.csww.reader import TAKEN, read, said
from flows.extracts.formats.known import BY_FORM
from flows.extracts.ingest import IngestedExtract
from flows.extracts.pseudonyms import pseudonyms
from tests.unit.flows.extracts.formats.csww.made_up import (
    AGENCY,
    COUNCIL,
    KEY,
    LEFT,
    SEPTEMBER,
    Worker,
    asked,
    csww,
    header,
    message,
    record,
    vacancies,
    worker,
)


def workforce(*workers: Worker) -> IngestedExtract:
    return read(csww(*workers), asked(Kind.WORKFORCE))


def the_return(*workers: Worker, **head: str | None) -> IngestedExtract:
    return read(csww(*workers, **head), asked(Kind.RETURN))


def only(extract: IngestedExtract) -> dict[str, object]:
    return extract.frame.row(0, named=True)


def problems(extract: IngestedExtract) -> list[tuple[int, str, str]]:
    return [(r["file_row"], r["column"], r["problem"]) for r in extract.problems.iter_rows(named=True)]


class TestWorkforce:
    def test_a_worker_in_post(self) -> None:
        assert only(workforce(worker(FTE30="0.804999", Absat30Sept="1", ReasonAbsence="SIC"))) == {
            "la_code": "301",
            "reference_date": date(2022, 9, 30),
            "worker_ref": pseudonyms(pl.Series(["SW1234567"]), la_code="301", key=KEY).item(),
            "agency_worker": False,
            "org_role": "5",
            "fte": 80,
            "role_start_date": date(2019, 5, 13),
            "role_end_date": None,
            "reason_leave": None,
            "leaver_destination": None,
            "cases": 16,
            "working_days_lost": None,
            "absent_at_reference_date": True,
            "team": None,
            "file_row": 1,
        }

    def test_days_lost_of_the_year_are_no_days_of_the_month(self) -> None:
        extract = workforce(worker(WorkingDaysLost="31"))
        assert extract.absent_columns == ("working_days_lost", "team")
        assert extract.frame["working_days_lost"].null_count() == 1 and extract.problems.is_empty()

    def test_those_who_left_before_the_month_are_not_of_it(self) -> None:
        extract = workforce(
            worker(),
            worker(LEFT, RoleEndDate="2022-08-31"),
            worker(LEFT, RoleEndDate="2022-09-01"),
            worker(LEFT, RoleEndDate="2022-09-30"),
            worker(LEFT, RoleEndDate="2022-10-01"),
        )
        assert sorted(extract.frame["file_row"]) == [1, 3, 4, 5]
        assert "1 records are of workers who left before September 2022; they are not of this month." in extract.notes

    def test_which_fte_is_taken(self) -> None:
        extract = workforce(
            worker(FTE="0.5", FTE30="0.8"),
            worker(AGENCY, FTE="0.6", FTE30=None),
            worker(LEFT, RoleEndDate="2022-09-15", FTE="0", FTE30="0.7"),
            worker(LEFT, RoleEndDate="2022-10-15", FTE="0", FTE30="0.9"),
        )
        assert extract.frame.sort("file_row")["fte"].to_list() == [80, 60, 0, 90]
        assert extract.problems.is_empty()

    def test_an_fte_that_says_the_worker_may_have_left_is_not_guessed(self) -> None:
        extract = workforce(
            worker(), worker(SWENo="SW2", FTE="0", FTE30="0.8"), worker(SWENo="SW3", FTE="1", FTE30="0")
        )
        assert extract.frame.sort("file_row")["fte"].to_list() == [80, None, None]
        assert problems(extract) == [(2, "fte", "fte_contradicts"), (3, "fte", "fte_contradicts")]

    def test_an_element_that_says_two_things_says_nothing(self) -> None:
        extract = workforce(
            worker(OrgRole=["4", "5"], Absat30Sept=["0", "1"], FTE=["0.8", "0.9"]), worker(OrgRole=["5", "5"])
        )
        assert problems(extract) == [
            (1, "org_role", "given_twice"),
            (1, "fte", "given_twice"),
            (1, "absent_at_reference_date", "given_twice"),
        ]
        assert extract.frame.sort("file_row")["org_role"].to_list() == [None, "5"]

    def test_what_cannot_be_read_is_a_problem_and_not_a_number(self) -> None:
        extract = workforce(worker(FTE30="1,234", Cases30="a lot", RoleStartDate="05/2019", OrgRole="12"))
        assert problems(extract) == [
            (1, "org_role", "unknown_code"),
            (1, "fte", "ambiguous_comma"),
            (1, "role_start_date", "month_only"),
            (1, "cases", "not_a_number"),
        ]

    def test_a_number_in_the_wrong_element_is_no_caseload(self) -> None:
        """A registration number there would otherwise stand in the store as so many cases."""
        extract = workforce(worker(Cases30="1234567890"), worker(SWENo="SW2", Cases30="SW12345"))
        assert problems(extract)[0] == (1, "cases", "number_out_of_range")
        assert extract.frame["cases"].null_count() == 2

    def test_time_zones_of_dates_change_nothing(self) -> None:
        extract = read(
            csww(worker(RoleStartDate="2019-05-13+01:00"), ReferenceDate="2022-09-30Z"), asked(Kind.WORKFORCE)
        )
        assert only(extract)["role_start_date"] == date(2019, 5, 13) and extract.problems.is_empty()

    def test_the_same_number_is_the_same_worker_however_it_is_written(self) -> None:
        extract = workforce(worker(SWENo="sw1234567"), worker(SWENo=" SW 1234567 "))
        assert extract.frame["worker_ref"].n_unique() == 1

    def test_what_nobody_has_is_absent_and_no_refusal(self) -> None:
        extract = workforce(worker(Cases30=None, Absat30Sept=None, OrgRole=None))
        assert extract.absent_columns == ("org_role", "cases", "working_days_lost", "absent_at_reference_date", "team")
        nobody_left = workforce(worker())
        assert not set(nobody_left.absent_columns) & {"role_end_date", "reason_leave", "leaver_destination"}

    def test_rows_are_counted_by_worker(self) -> None:
        extract = workforce(worker(SWENo="SW9"), worker(SWENo="SW1"), worker(LEFT))
        assert sorted(extract.frame["file_row"]) == [1, 2]
        assert "Rows are counted by worker, from 1 in the order of the file." in extract.notes

    def test_nobody_of_the_month_is_a_refusal(self) -> None:
        with pytest.raises(UnreadableExtract, match="nobody in the return was in post"):
            workforce(worker(LEFT))

    def test_more_workers_than_any_council_has(self) -> None:
        one = "<CSWWWorker><AgencyWorker>0</AgencyWorker></CSWWWorker>"
        content = message(header(), vacancies(), one * (WORKFORCE.max_rows + 1))
        with pytest.raises(UnreadableExtract, match="more than 20,000 rows"):
            read(content, asked(Kind.WORKFORCE))


class TestEstablishment:
    def test_the_councils_own_figures(self) -> None:
        content = message(header(), vacancies(NumberOfVacancies="79.68", NoAgencyFTE="59.82"), record(worker()))
        extract = read(content, asked(Kind.ESTABLISHMENT))
        row = only(extract)
        assert (row["vacancy_fte"], row["agency_fte"], row["agency_headcount"]) == (7968, 5982, 1)
        assert extract.absent_columns == ("agency_cover_fte",)

    @pytest.mark.parametrize(("parts", "times"), [((), 0), ((vacancies(), vacancies()), 2)])
    def test_vacancies_that_do_not_stand_once_are_refused(self, parts: tuple[str, ...], times: int) -> None:
        with pytest.raises(UnreadableExtract, match=f"stand {times} times"):
            read(message(header(), *parts, record(worker())), asked(Kind.ESTABLISHMENT))

    def test_a_figure_given_twice_differently_is_none(self) -> None:
        both = vacancies().replace("</LALevelVacancies>", "<NoAgencyFTE>9</NoAgencyFTE></LALevelVacancies>")
        extract = read(message(header(), both, record(worker())), asked(Kind.ESTABLISHMENT))
        assert only(extract)["agency_fte"] is None and only(extract)["vacancy_fte"] == 350


class TestReturn:
    def test_only_the_flows_of_the_year(self) -> None:
        extract = the_return(worker(RoleStartDate="2022-01-10"), worker(LEFT), worker(AGENCY))
        row = {n: v for n, v in only(extract).items() if v is not None}
        assert row == {
            "la_code": "301",
            "reference_date": date(2022, 9, 30),
            "starters_headcount": 1,
            "leavers_headcount": 1,
            "working_days_lost_fte": 90,
            "file_row": 1,
        }

    def test_the_fte_of_leavers_is_said_to_be_absent(self) -> None:
        extract = the_return(worker(), worker(LEFT))
        assert extract.reasons.rows() == [("301", date(2022, 9, 30), "leavers_fte", str(Missing.COLUMN_ABSENT))]

    def test_what_too_many_records_leave_open_is_withheld_with_its_reason(self) -> None:
        extract = the_return(worker(WorkingDaysLost=None), worker(LEFT))
        assert only(extract)["working_days_lost_fte"] is None
        assert ("working_days_lost_fte", str(Missing.WITHHELD)) in extract.reasons.select("field", "reason").rows()

    def test_a_return_of_another_month_has_no_flows_of_a_year(self) -> None:
        """A council's system may write the same XML every month; what its WorkingDaysLost then means nobody says."""
        content = csww(worker(), worker(LEFT), ReferenceDate="2022-10-31")
        october = asked(Kind.RETURN, month=Month(2022, 10))
        assert {n for n, v in only(read(content, october)).items() if v is not None} == {
            "la_code",
            "reference_date",
            "file_row",
        }
        assert read(content, asked(Kind.WORKFORCE, month=Month(2022, 10))).frame.height == 1

    def test_every_other_column_is_absent(self) -> None:
        extract = the_return(worker())
        given = {"la_code", "reference_date", "starters_headcount", "leavers_headcount", "working_days_lost_fte"}
        assert set(extract.absent_columns) == {f.name for f in RETURN.fields} - given


@pytest.mark.parametrize("kind", BY_FORM[Form.CSWW].kinds)
class TestRefused:
    def test_another_councils(self, kind: Kind) -> None:
        with pytest.raises(WrongCouncilOrMonth, match="another council"):
            read(csww(worker(), LEA="302"), asked(kind))

    def test_another_months(self, kind: Kind) -> None:
        with pytest.raises(WrongCouncilOrMonth, match="outside September 2022"):
            read(csww(worker(), ReferenceDate="2021-09-30"), asked(kind))

    @pytest.mark.parametrize("head", [{"LEA": None}, {"ReferenceDate": None}, {"ReferenceDate": "30/09/2022"}])
    def test_nobodys(self, kind: Kind, head: dict[str, str | None]) -> None:
        with pytest.raises(WrongCouncilOrMonth):
            read(csww(worker(), **head), asked(kind))

    def test_two_councils_in_one_file(self, kind: Kind) -> None:
        content = message(header(), vacancies(), record(worker()), header(LEA="302"))
        with pytest.raises(WrongCouncilOrMonth, match="does not name one council"):
            read(content, asked(kind))

    def test_names_in_other_capitals(self, kind: Kind) -> None:
        """Read as missing, everybody who left would be in post."""
        content = message(
            header(), vacancies(), record({**worker(LEFT, RoleEndDate=None), "RoleEnddate": "2022-03-31"})
        )
        with pytest.raises(HeaderMismatch, match="other capitals than the return's: RoleEndDate"):
            read(content, asked(kind))

    def test_what_is_no_return(self, kind: Kind) -> None:
        with pytest.raises(UnreadableExtract, match="Made-up \\(301\\), September 2022, csww.xml: the file is no XML"):
            read(b"la_code\n301\n", asked(kind))


def test_a_joint_return_names_one_of_its_councils() -> None:
    joint = Council("314 / 318", "Two councils", Month(2015, 1))
    extract = read(csww(worker(), LEA="318"), asked(Kind.WORKFORCE, joint))
    assert extract.la_code == "314 / 318" and extract.frame["la_code"].to_list() == ["314 / 318"]


def test_said() -> None:
    assert said(csww(worker())) == ("301", SEPTEMBER)
    assert said(csww(worker(), LEA=None, ReferenceDate="soon")) == (None, None)
    assert said(csww(worker(), ReferenceDate="1066-10-14")) == ("301", None)


def test_nothing_more_is_taken() -> None:
    assert not {"PersonBirthDate", "GenderCurrent", "Ethnicity", "QualInst"} & set(TAKEN.values())
    assert COUNCIL.la_code == "301"


def test_a_councils_month_is_read_within_a_second() -> None:
    content = csww(*(worker(SWENo=f"SW{n}") for n in range(600)))
    began = process_time()
    for kind in BY_FORM[Form.CSWW].kinds:
        read(content, asked(kind))
    assert process_time() - began < 1, "of the processor, whatever else it does"


def test_the_sample_of_the_sector(samples: Path) -> None:
    content = (samples / "csww_return_2022.xml").read_bytes()
    assert said(content) == ("301", SEPTEMBER)
    extracts = {k: read(content, asked(k)) for k in BY_FORM[Form.CSWW].kinds}
    assert extracts[Kind.WORKFORCE].frame.height == 28
    assert only(extracts[Kind.ESTABLISHMENT])["vacancy_fte"] == 7968
    assert all(e.problems.is_empty() for e in extracts.values())
