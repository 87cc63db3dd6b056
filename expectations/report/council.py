"""What a council is told about its own files: first as facts, then the same facts as JSON, HTML or text.

A report gives columns, rows and counts, never a value. It is the same for the same month and files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.table import Table

from expectations.batch import ROWS_PER_LIST, Batch, Outcome, Severity
from expectations.fates import CouncilFiles, FileFate
from expectations.findings import ROW_NUMBERS_KEPT
from expectations.passing.static_pass import RULES
from expectations.report.terminal import say
from features.councils import folder_name
from features.registry import ALL_MEASURES, COUNTS, EXTRACTS, RETURN_INPUTS, Kind, input_names
from features.words import commands_in_html


@dataclass(frozen=True)
class Item:
    """One failure as it is shown."""

    check: str
    severity: Severity
    kind: Kind
    file: str
    column: str | None
    rows: int
    row_numbers: tuple[int, ...]
    message: str
    effect: str
    accepted: bool

    @property
    def where(self) -> str:
        """`rows 5, 9 and 12`, or a summary of many rows; empty if no row is meant."""
        if not self.row_numbers:
            return ""
        shown = ", ".join(row_in_words(n) for n in self.row_numbers)
        more = self.rows - len(self.row_numbers)
        return f"{'row' if self.rows == 1 else 'rows'} {shown}" + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True)
class Withheld:
    """A column with errors, whose figures are withheld."""

    kind: Kind
    column: str
    measures: tuple[str, ...]


@dataclass(frozen=True)
class CouncilReport:
    """Everything a council's data officer needs to correct a month's files."""

    files: CouncilFiles
    items: tuple[Item, ...]
    withheld: tuple[Withheld, ...]
    not_run: tuple[tuple[str, str], ...]
    """(reason, checks): what could not be checked, by reason."""
    notes: tuple[tuple[str, str], ...] = ()
    """(file, sentence): how a file was read, where somebody should know about it."""

    def of(self, severity: Severity) -> tuple[Item, ...]:
        """Failures of one severity that nobody has accepted."""
        return tuple(i for i in self.items if i.severity == severity and not i.accepted)

    @property
    def accepted(self) -> tuple[Item, ...]:
        return tuple(i for i in self.items if i.accepted)

    @property
    def title(self) -> str:
        return f"Checks of {self.files.month.in_words}: {self.files.who}"

    @property
    def template(self) -> str:
        return "report.html.j2"


def council_report(batch: Batch, outcome: Outcome, files: CouncilFiles) -> CouncilReport:
    """The report of one council; `files` says what became of them, `outcome` what the checks found in them."""
    la_code = files.la_code
    items = tuple(_item(row) for row in outcome.of_council(la_code).iter_rows(named=True))
    withheld = tuple(Withheld(f.kind, c, measures_needing(f.kind, c)) for f in files.files for c in f.withheld)
    reasons: dict[str, list[str]] = {}
    for check, reason in outcome.not_run.filter(pl.col("la_code") == la_code)[["check", "reason"]].iter_rows():
        reasons.setdefault(reason, []).append(check)
    notes = sorted((key, notes) for key, notes in batch.notes.items() if key[0] == la_code)
    return CouncilReport(
        files,
        items,
        withheld,
        tuple((reason, ", ".join(checks)) for reason, checks in sorted(reasons.items())),
        tuple((batch.file(*key), note) for key, said in notes for note in said),
    )


def row_checks(file: FileFate) -> int:
    """The number of checks of each row of a file; comparisons with earlier months come on top."""
    return len(RULES[file.kind]) if file.rows else 0


def row_in_words(number: int) -> str:
    """A row number as a person finds it; in a workbook of several lists it names the list too (`ROWS_PER_LIST`)."""
    of_list, row = divmod(number, ROWS_PER_LIST)
    return f"{row} of list {of_list}" if of_list else str(row)


def measures_needing(kind: Kind, column: str) -> tuple[str, ...]:
    """Labels of the measures that depend on a column of an extract, in the registry's order."""
    if kind is Kind.RETURN:
        inputs = {RETURN_INPUTS[column]} if column in RETURN_INPUTS else set()
    else:
        inputs = {i for c in COUNTS if c.extract is kind and column in c.needs for i in input_names(c)}
    return tuple(m.label for m in ALL_MEASURES if inputs & set(m.inputs))


def as_json(reports: Iterable[CouncilReport]) -> bytes:
    """The reports as JSON by council's folder: keys sorted, the same bytes for the same facts."""
    documents = {folder_name(r.files.la_code): report_document(r) for r in reports}
    return (json.dumps(documents, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def report_document(report: CouncilReport) -> dict[str, Any]:
    """The report's facts, for JSON."""
    return {
        **files_document(report.files),
        "failures": [
            {
                "check": i.check,
                "severity": i.severity,
                "extract": i.kind,
                "file": i.file,
                "column": i.column,
                "rows": i.rows,
                "row_numbers": list(i.row_numbers),
                "message": i.message,
                "effect": i.effect,
                "accepted": i.accepted,
            }
            for i in report.items
        ],
        "withheld": [{"extract": w.kind, "column": w.column, "measures": list(w.measures)} for w in report.withheld],
        "not_run": [{"reason": reason, "checks": checks.split(", ")} for reason, checks in report.not_run],
        "notes": [{"file": file, "note": note} for file, note in report.notes],
    }


def files_document(files: CouncilFiles) -> dict[str, Any]:
    """What became of a council's files, for JSON."""
    return {
        "la_code": files.la_code,
        "name": files.name,
        "month": str(files.month),
        "verdict": files.verdict,
        "errors": files.errors,
        "queries": files.queries,
        "files": [
            {
                "extract": f.kind,
                "file": f.file,
                "fate": f.fate,
                "state": f.state,
                "rows": f.rows,
                "checks": row_checks(f),
                "errors": f.errors,
                "queries": f.queries,
                "withheld": list(f.withheld),
                "received": f.received.isoformat() if f.received else None,
                "late": f.late,
                "restated": f.restated,
                "reason": f.reason,
            }
            for f in files.files
        ],
    }


class Reported(Protocol):
    """A report that can be part of a page."""

    @property
    def title(self) -> str:
        """The heading."""

    @property
    def template(self) -> str:
        """The template of its part of the page."""


def as_html(*reports: Reported, template: str = "page.html.j2", **facts: Any) -> bytes:
    """The reports as one HTML page that loads nothing from elsewhere and is readable on a phone."""
    return render_page(template, reports=reports, severities=_SECTIONS, extracts=EXTRACTS, checks=row_checks, **facts)


def render_page(template: str, **facts: Any) -> bytes:
    """Render one of `templates/` as a page; everything in `facts` is escaped unless the template says otherwise."""
    return (str(_template(template).render(**facts)).rstrip() + "\n").encode()


def show(report: CouncilReport, console: Console) -> None:
    """Print the report for a terminal."""
    say(console, report.title, "bold")
    say(console, report.files.verdict)
    console.print("", _files_table(report))
    for severity, title, _ in _SECTIONS:
        _show_items(console, title, _STYLES[severity], report.of(severity))
    _show_items(console, "Accepted", "dim", report.accepted)
    more = (
        ("Withheld until put right", [f"{w.kind} {w.column}: {'; '.join(w.measures)}" for w in report.withheld]),
        ("Not checked", [f"{reason}: {checks}" for reason, checks in report.not_run]),
        ("How the files were read", [f"{file}: {note}" for file, note in report.notes]),
    )
    for title, lines in more:
        if lines:
            console.print("")
            say(console, title, "bold")
        for line in lines:
            say(console, line, inset=True)


_SECTIONS: tuple[tuple[Severity, str, str], ...] = (
    (Severity.ERROR, "Errors", "These withhold figures or the whole file until they are put right."),
    (Severity.QUERY, "Queries", "Please look at these. What each does to the figures stands with it."),
    (Severity.INFORMATION, "For information", "Nothing needs to be done."),
)
_STYLES = {Severity.ERROR: "bold red", Severity.QUERY: "yellow", Severity.INFORMATION: "cyan"}


def _files_table(report: CouncilReport) -> Table:
    files = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in (("File", "left"), ("Rows", "right"), ("Checks", "right"), ("", "left")):
        files.add_column(title, justify="right" if justify == "right" else "left")
    for f in report.files.files:
        files.add_row(f.file or str(f.kind), f"{f.rows:,}", f"{row_checks(f):,}", f.state)
    return files


def _show_items(console: Console, title: str, style: str, items: Sequence[Item]) -> None:
    if items:
        console.print("")
        say(console, f"{title} ({len(items)})", style)
    for item in items:
        say(console, f"{item.file}: {item.message}", inset=True)
        if item.where:
            say(console, f"{item.where[0].upper()}{item.where[1:]}.", "dim", inset=True)
        if item.effect:
            say(console, f"Effect: {item.effect}.", "dim", inset=True)
        say(console, f"[{item.check}]", "dim", inset=True)


def _item(row: dict[str, Any]) -> Item:
    return Item(
        row["check"],
        Severity(row["severity"]),
        Kind(row["extract"]),
        row["file"],
        row["column"],
        row["rows"],
        tuple(row["row_numbers"][:ROW_NUMBERS_KEPT]),
        row["message"],
        row["effect"],
        row["accepted"],
    )


@cache
def _template(name: str) -> Any:
    environment = Environment(
        loader=PackageLoader("expectations.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["commands"] = commands_in_html
    return environment.get_template(name)
