"""The sector's own sample of an Annex A workbook, which is not part of this repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.batch import Severity
from features.errors import WrongCouncilOrMonth
from features.months import Month
from flows.extracts.check_files import check_files

from .examples import read

FEBRUARY = Month(2021, 2)


def test_the_sample_is_read(samples: Path) -> None:
    extract = read((samples / "Annex_A.xlsx").read_bytes(), FEBRUARY)
    assert extract.frame.height == 15
    assert extract.frame["case_status"].value_counts().sort("case_status").rows() == [
        ("a", 4), ("b", 2), ("c", 5), ("e", 4),
    ]  # fmt: skip
    assert sum(" read from sheet “List " in note for note in extract.notes) == 6
    # Its list 6 looks its workers up and finds none: an error is not an unallocated case.
    assert extract.absent_because["allocated_worker_ref"] == (
        "Annex A list 6 (Children in Need), “Allocated Worker” could not be read in 5 rows, too many to leave out, "
        "so allocated_worker_ref is not known."
    )


def test_the_sample_through_holdfast_check(samples: Path) -> None:
    (checked,) = check_files([samples / "Annex_A.xlsx"], council="370", month=FEBRUARY)
    report = checked.report
    assert [(f.file, f.rows, f.state) for f in report.files.files] == [
        ("Annex_A.xlsx", 15, "used in part; 3 errors, 1 query")
    ]
    assert {i.check for i in report.of(Severity.ERROR)} == {
        "caseload.allocated_worker_ref.lost",
        "caseload.last_visit_date.range",
        "caseload.referral_date.missing",
    }
    assert [i.check for i in report.of(Severity.QUERY)] == ["caseload.team.lost"]
    assert "3 of list 6" in {i.check: i.where for i in report.items}["caseload.last_visit_date.range"]
    assert any("list 8 (Children in Care) read from sheet “List 8”" in note for _, note in report.notes)


def test_the_sample_is_of_no_other_month(samples: Path) -> None:
    with pytest.raises(WrongCouncilOrMonth, match="the latest lies in March 2021"):
        read((samples / "Annex_A.xlsx").read_bytes(), Month(2026, 10))
