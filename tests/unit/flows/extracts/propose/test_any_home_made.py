"""`holdfast map` on home-made files drawn at random, with Enter to every question: the figures are right.

Drawn are the headers' names and order, title rows, blank rows, a row of totals, hours of a full week, FTE or per cent,
the forms of dates, and where the agency staff stand: in a column, in the name of a post, under the name of their
agency, on a second sheet, in a second file. A letter for a contract (“P”) is the one thing that a person must say.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.extracts.propose.asking import Question

from .test_session import _map, _Person, _read, _write

_HEADERS = {
    "ref": "Employee No|Employee Number|Emp No|Payroll No|Staff No|Pers.No.|Personnel Number|Assignment Number|"
    "Person Ref|Worker ID|Unique ID|Post Holder ID",
    "role": "Post Title|Job Title|Position|Position Title|Role|Job Role|Job|Designation|Post",
    "hours": "Contracted Hours|Hours|Weekly Hours|Hours per week|Contract Hrs|Contractual Hours|Wkly Hrs|Basic Hours|"
    "Hrs/Week",
    "fte": "FTE|Contract FTE|WTE|Full Time Equivalent|Post FTE",
    "percent": "FTE %|% FTE|Contract %",
    "contract": "Contract|Contract Type|Employment Type|Employment Status|Employee Group|Worker Type|Basis|Perm/Temp|"
    "Appointment Type",
    "agency": "Agency|Supplier|Agency Name|Vendor",
    "start": "Start Dt|Start Date|Date Joined|Role Start|Commenced|Hire Date|Date Started|Start date in post",
    "end": "Leave Dt|End Date|Leaving Date|Date of Leaving|Termination Date|Date Left|Last Day of Service",
    "reason": "Leaving Reason|Reason for Leaving|Termination Reason|Leaver Reason",
    "sick": "Sickness Days (month)|Days Sick|Absence Days|Days lost to sickness|Working Days Lost|Sickness (days)",
    "cases": "Open Cases|Cases|Caseload|No of Cases|Allocated Cases|Cases Held|Number of open cases",
    "team": "Team|Service Area|Team Name|Cost Centre|Section",
    "grade": "Grade|Pay Grade|Scale|Salary Band",
}
_SUPPLIERS = {
    "ref": "Ref|Candidate|Candidate Ref|Worker Ref|Agency Worker ID|Booking Ref|Placement ID",
    "role": "Role|Job Role|Job Title|Post",
    "agency": "Agency|Supplier|Agency Name|Vendor",
    "hours": "Hours|Weekly Hours|Hours per week|Contracted Hours",
    "start": "Start|Start Date|Assignment Start|Booking Start|Date Started",
    "rate": "Weekly Rate|Hourly Rate|Charge Rate|Day Rate",
    "cases": "Cases|Caseload|Open Cases|Cases Held",
}
_DATES = (["%d/%m/%Y"], ["%d-%b-%y"], ["%d/%m/%Y", "%d-%b-%y"], ["%d.%m.%Y"], ["%d %B %Y"], ["%Y-%m-%d"], ["%d/%m/%y"],
          ["%d-%b-%Y"], ["in Excel"])  # fmt: skip
_WORDS = ("Permanent|Fixed Term|Agency", "Perm|FTC|Locum", "Permanent|Temporary|Agency Worker", "P|F|A")
_TITLES: tuple[list[list[Any]], ...] = (
    [],
    [["Barnsley - staff in post at 31/10/2026"], []],
    [["Childrens Social Care"], ["Report run:", "01/11/2026"], []],
)
_MONTH_END = date(2026, 10, 31)


class _Knows(_Person):
    """Enter, but says what a letter means."""

    def __call__(self, question: Question[Any]) -> str:
        self.asked.append(question.text)
        letters = re.findall(r"^ +(\d+) ([PFA]) .*= \?", question.text, re.MULTILINE)
        answer = " ".join(f"{number}={int(letter == 'A')}" for number, letter in letters)
        question.read(answer)
        return answer


@dataclass
class _Drawn:
    paths: list[Path]
    people: list[dict[str, Any]]

    def expected(self, *, agency: bool) -> tuple[int, float, int, int]:
        of = [p for p in self.people if p["agency?"] == agency]
        ended = sum(p["end"] is not None for p in of)
        return len(of), round(sum(p["fte"] for p in of), 2), sum(p["cases"] or 0 for p in of), ended


def _people(draw: random.Random, count: int, agency: int, words: list[str]) -> list[dict[str, Any]]:
    made = []
    for i in range(count + agency):
        theirs = i >= count
        made.append({
            "agency?": theirs,
            "ref": f"AG{i:03d}" if theirs else 100200 + 7 * i,
            "role": draw.choice(["Social Worker", "Senior Social Worker", "Team Manager"]),
            "fte": 1 if theirs else draw.choice([1, 1, 1, 0.5, 0.6]),
            "start": _MONTH_END - timedelta(days=draw.randint(30, 3000)),
            "end": date(2026, 10, 1 + i % 28) if i % 9 == 5 and not theirs else None,
            "reason": "Retirement" if i % 9 == 5 and not theirs else None,
            "sick": draw.choice([0, 0, 3]),
            "cases": None if i % 7 == 0 and not theirs else draw.randint(2, 20),
            "contract": words[2] if theirs else words[i % 2],
            "agency": ("Reed", "Liquid")[i % 2] if theirs else None,
            "team": draw.choice(["North", "South"]),
            "grade": f"Gr {draw.randint(8, 12)}",
            "rate": 1480,
        })  # fmt: skip
    return made


def _drawn(seed: int, folder: Path) -> _Drawn:
    draw = random.Random(seed)
    week = draw.choice([37, 37, 36, 35, 37.5])
    forms = draw.choice(_DATES)
    where = draw.choice(["nowhere", "column", "title", "name", "sheet", "file"])
    people = _people(draw, draw.randint(18, 40), 0 if where == "nowhere" else 6, draw.choice(_WORDS).split("|"))
    in_excel = forms == ["in Excel"]
    excel = where == "sheet" or in_excel or draw.random() < 0.5

    def cell(person: dict[str, Any], column: str, row: int) -> Any:
        if column in ("hours", "percent"):
            return round(person["fte"] * (week if column == "hours" else 100), 2)
        if column == "role" and where == "title" and person["agency?"]:
            return f"{person['role']} (Agency)"
        if column in ("start", "end") and person[column] is not None:
            at = datetime.combine(person[column], datetime.min.time())
            return at if in_excel else at.strftime(forms[row % len(forms)])
        return person[column]

    def table(of: list[dict[str, Any]], columns: list[str], names: dict[str, str]) -> list[list[Any]]:
        header = [draw.choice(names[c].split("|")) for c in columns]
        return [header, *([cell(p, c, i) for c in columns] for i, p in enumerate(of))]

    columns = [draw.choice(["hours", "fte", "percent"]), "start", "end", "reason", "sick", "cases", "team", "grade"]
    columns += {"title": [], "name": ["agency"]}.get(where, ["contract"])
    draw.shuffle(columns)
    apart = where in ("sheet", "file")
    rows = table([p for p in people if not (apart and p["agency?"])], ["ref", "role", *columns], _HEADERS)
    rows.insert(len(rows) // 2, [None] * len(rows[0]))
    if label := draw.choice([None, "TOTAL", "Grand Total", "Total:", "Headcount"]):
        numbers = [sum(r[i] for r in rows[1:] if isinstance(r[i], int | float)) or None for i in range(len(rows[0]))]
        rows += [[], [label, None, *numbers[2:]]]
    suppliers = table([p for p in people if p["agency?"]], list(_SUPPLIERS), _SUPPLIERS)
    sheets = [("Staff", draw.choice(_TITLES) + rows), *([("Agency", suppliers)] if where == "sheet" else [])]
    paths = [_write(folder, "hr.xlsx" if excel else "hr.csv", *sheets)]
    paths += [_write(folder, f"agency.{'xlsx' if in_excel else 'csv'}", ("S", suppliers))] if where == "file" else []
    return _Drawn(paths, people)


@pytest.mark.parametrize(
    "seed", [3, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(100, 160))]
)  # fmt: skip
def test_enter_throughout_gives_the_right_figures(seed: int, tmp_path: Path) -> None:
    drawn, person = _drawn(seed, tmp_path), _Knows()
    mapping, still_open = _map(drawn.paths, person)
    extract = _read(drawn.paths, mapping)
    assert still_open == ()
    assert extract.problems.is_empty()
    assert len(person.asked) <= 10
    for agency in (False, True):
        part = extract.frame.filter(pl.col("agency_worker") == agency)
        got = part.height, part["fte"].sum() / 100, part["cases"].sum(), part["role_end_date"].drop_nulls().len()
        assert got == drawn.expected(agency=agency), [*person.asked, mapping]
    assert sorted(extract.frame["role_start_date"]) == sorted(p["start"] for p in drawn.people)
