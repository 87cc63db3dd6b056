"""The data contract for officers who make the extracts, generated from the field registry and the readers.

The data dictionary says what a field is used for; this page says what to send.
"""

from __future__ import annotations

from collections.abc import Mapping

from expectations.passing.effects import CELLS_FEW, CELLS_SHARE, CORE_SHARE, REPEATS_SHARE
from features.registry import DFE_SYMBOLS, EXTRACTS, Extract, Field, FieldType, Kind
from features.words import listed
from flows.extracts.formats.known import RECOGNITIONS
from flows.extracts.landing import ENDINGS
from flows.extracts.personal.words import PERSONAL_HEADERS
from flows.papers.markdown import markdown_table
from flows.settings.settings import IngestSettings

#: For each extract, one row that passes every check. The council and the people do not exist.
EXAMPLES: dict[Kind, Mapping[str, str]] = {
    Kind.WORKFORCE: {
        "la_code": "Z01",
        "reference_date": "2026-10-31",
        "worker_ref": "W-1041",
        "agency_worker": "0",
        "org_role": "5",
        "fte": "0.8",
        "role_start_date": "2021-03-15",
        "role_end_date": "",
        "reason_leave": "",
        "leaver_destination": "",
        "cases": "17",
        "working_days_lost": "1.5",
        "absent_at_reference_date": "0",
        "team": "Assessment 2",
    },
    Kind.ESTABLISHMENT: {
        "la_code": "Z01",
        "reference_date": "2026-10-31",
        "vacancy_fte": "24.5",
        "agency_fte": "31.2",
        "agency_headcount": "33",
        "agency_cover_fte": "22.0",
    },
    Kind.CASELOAD: {
        "la_code": "Z01",
        "reference_date": "2026-10-31",
        "case_ref": "C-20417",
        "allocated_worker_ref": "W-1041",
        "team": "Assessment 2",
        "case_status": "b",
        "referral_date": "2026-05-11",
        "re_referral": "0",
        "assessment_start_date": "2026-05-12",
        "assessment_authorised_date": "2026-06-26",
        "section_47_start_date": "2026-06-01",
        "icpc_date": "2026-06-18",
        "cp_plan_start_date": "2026-06-18",
        "cp_review_due_date": "2026-12-16",
        "last_cp_review_date": "2026-09-15",
        "last_visit_date": "2026-10-23",
        "closed_date": "",
        "worker_changes_12m": "1",
        "previous_cp_plans": "0",
    },
    Kind.RETURN: {
        "la_code": "Z01",
        "reference_date": "2026-09-30",
        "inpost_fte": "212.4",
        "leavers_fte": "31.6",
        "agency_fte": "40.1",
        "vacancy_fte": "44.0",
        "case_holders_fte": "160.3",
        "cases": "2660",
        "working_days_lost_fte": "1874.5",
    },
}

_WRITTEN = {
    FieldType.TEXT: "text",
    FieldType.CODE: "code, as text",
    FieldType.DATE: "date",
    FieldType.INTEGER: "whole number",
    FieldType.DECIMAL: "number",
    FieldType.FLAG: "0 or 1",
    FieldType.REFERENCE: "your own pseudonym",
}


def contract() -> str:
    """The whole page as Markdown, ending in a newline."""
    parts = [
        _introduction(),
        _delivery(),
        _reading(),
        *(_extract(e) for e in EXTRACTS.values()),
        _refused(),
        _consequences(),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction() -> str:
    return (
        "# Data contract: what to send\n\n"
        "Written by `holdfast papers --write` from the field registry; a test fails when this page and the "
        "code disagree.\n\n"
        "For the officer who makes a council’s extracts. What is made of each field stands in the "
        "[data dictionary](data-dictionary.md), what is checked in [validation](validation.md).\n\n"
        "**Send every month** `workforce`, `establishment` and `caseload`. A council that may not share records sends "
        "one row a month instead: `return`."
    )


def _delivery() -> str:
    endings = ", ".join(f"`.{e}`" for e in ENDINGS)
    due = IngestSettings().due_working_day
    rows = [
        (
            "`2026-10/Z01/workforce.csv`",
            "month, the council’s folder (its code; both codes of a joint return with a dash), kind",
        ),
        (
            endings,
            "the endings that are read, one table each; of a workbook the sheet named like the kind, or the only one",
        ),
        (
            "`workforce.corrected.csv`",
            "a file sent again: anything between the dots. The newest counts, the others are kept",
        ),
        (
            f"working day {due} of the next month",
            "when a month’s files are due, unless the data team has set another day",
        ),
        (f"{IngestSettings().max_file_mb} MB", "the largest file that is read, unless set otherwise"),
    ]
    sector = [
        (
            f"`{r.stem}/` with `.{'` or `.'.join(r.endings)}` tables" if r.folder else f"`{r.stem}.{r.endings[0]}`",
            f"{r.title}, as made for others, in place of {listed([f'`{k}`' for k in r.kinds])}; "
            f"see [{r.page}]({r.page})",
        )
        for r in RECOGNITIONS
    ]
    return (
        "## Where it goes\n\n" + markdown_table(("In the landing folder", "Means"), [*rows, *sector]) + "\n\n"
        "Check a file before it is sent; nothing leaves your machine. Try it in a folder with four made-up councils "
        "(in the folder of the repository, after `make demo`):\n\n"
        '```sh\nexport PATH="$PWD/.venv/bin:$PATH"\nholdfast init made-up --made-up && cd made-up\n'
        "holdfast check landing/2026-10/Z01/workforce.csv landing/2026-10/Z01/establishment.csv "
        "landing/2026-10/Z01/caseload.csv\n```"
    )


def _reading() -> str:
    symbols = ", ".join(f"`{s}`" for s in DFE_SYMBOLS)
    rows = [
        ("Headers", "in any order; case, blanks and punctuation do not matter. Two headers of one meaning are refused"),
        ("Other columns", "not read, and named in the report, unless they would be personal data: see below"),
        ("Dates", "`2026-10-31`, `31/10/2026`, `31 Oct 2026` (any abbreviation), SQL Server’s date-times, or Excel’s "
         "own; day before month; no short years. Midnights written in UTC are noticed, and the report says so"),
        ("Numbers", "`1234.5` or `1,234.5`; no units, no per cent"),
        ("0 or 1", "also yes/no, true/false, Y/N"),
        ("Codes", "as text, in DfE’s and Annex A’s numbers and letters; a leading zero stays"),
        ("Empty", "an empty cell. Never a filler date such as 1900-01-01"),
        (f"{symbols}", "in `return` only: a reason for a missing figure, never a number"),
        ("Totals", "a row of totals is recognised and left out, also under the council’s own code; the report says so"),
        ("Around the table", "titles above the header, lines of dashes, repeated headers, footers such as “(235 rows "
         "affected)” or “Applied filters”, a line `sep=;` and blank columns are left out, and the report says so. A "
         "second table on the sheet is refused"),
        ("Hidden rows, columns, sheets", "hidden and filtered rows and columns are read, and the report says so. A "
         "hidden sheet is read only if no visible one has the same columns"),
        ("References", "your own stable pseudonyms, the same every month and the same in `workforce` and `caseload`. "
         "They are hashed with a key when they are read. `=\"W100\"` and `'W100` are W100; what a spreadsheet made a "
         "date or `1.23E+11` cannot be read, and one reference in nearly every row names nobody"),
    ]  # fmt: skip
    return "## How cells are read\n\n" + markdown_table(("What", "How"), rows)


def _extract(extract: Extract) -> str:
    example = EXAMPLES[extract.kind]
    rows = [
        (
            f"`{f.name}`",
            "**required**" if f.required else "optional",
            _written(f),
            f"`{example[f.name]}`" if example.get(f.name) else "(empty)" if f.name in example else "",
            f.description + _codes(f),
            ", ".join(f"`{s}`" for s in f.synonyms),
        )
        for f in extract.fields
    ]
    header = ("Column", "Needed", "Written as", "Example", "Meaning", "Other headers read as this column")
    key = ", ".join(f"`{k}`" for k in extract.key)
    return (
        f"## `{extract.kind}`\n\n{extract.title}. One row is {extract.row_is}. No two rows have the same {key}; "
        f"more than {extract.max_rows:,} rows are taken for a mistake. An optional column that is left out withholds "
        f"only the figures that need it.\n\n{markdown_table(header, rows)}"
    )


def _written(field: Field) -> str:
    written = _WRITTEN[field.type]
    if field.type is FieldType.DECIMAL:
        written += f" ({field.decimals} decimal{'s' if field.decimals > 1 else ''})"
    if field.minimum is not None and field.maximum is not None:
        written += f", {field.minimum:,.0f} to {field.maximum:,.0f}"
    return written + ("" if field.nullable else ", never empty")


def _codes(field: Field) -> str:
    return " " + "; ".join(f"`{c}` {m}" for c, m in field.codes.items()) + "." if field.codes else ""


def _refused() -> str:
    rows = [(what, ", ".join(p.removeprefix("=") for p in phrases)) for what, phrases in PERSONAL_HEADERS.items()]
    text = """\
## What is refused

A file of ours in which personal data is found is refused and **nothing of it is kept**; the message says what and
where: the column by number and letter, its header only if that is a plain label. Take it out and send the file again.
It is looked for

* in headers: the words below, anywhere in a header, however it is written (`childDOB`, `NI_number`, `Post-Code`);
  a name is refused unless it is that of a team, a post or another thing, an age unless it is a case’s;
* in the values of columns that the contract does not know: National Insurance numbers, NHS numbers with their check
  digit, e-mail addresses, postcodes, telephone numbers, dates that spread as births do, people’s names, sentences;
* in a workbook also on other sheets, hidden ones too, in comments, text boxes, page headers and footers, defined names,
  properties, prompts, links and caches of pivot tables. Who wrote the workbook is not looked at.

Other columns are not read and go no further than your file. What is kept of a file that is used is a table of the
contract’s columns, references and teams as keyed codes; never the file itself. (DfE’s and Ofsted’s own formats carry
personal fields by design: there they are dropped while the file is read.)

"""
    return (
        text
        + markdown_table(("What it would be", "Words"), rows)
        + "\n\nAlso refused, with a sentence: a file of another council or month than its folder, a workbook with two "
        "candidate sheets, a damaged or locked file, headers that could each mean two things."
    )


def _consequences() -> str:
    rows = [
        (
            f"up to {CELLS_SHARE:.0%} of a column’s filled cells, or {CELLS_FEW} cells of a sparse one",
            "those cells are left out, and you are asked to look",
        ),
        ("more", "every figure that needs the column is withheld, until the file is sent again"),
        (
            f"more than {CORE_SHARE:.0%} of the rows in a core column, or {REPEATS_SHARE:.0%} with a repeated key",
            "the file is not used; the council is “not scored”, and the director is told why in a sentence",
        ),
    ]
    return (
        "## What a wrong cell does\n\n" + markdown_table(("Wrong", "Then"), rows) + "\n\n"
        "A file sent again is taken in by the next run of its month, and of the month after it."
    )
