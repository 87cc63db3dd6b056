"""What a council is told about its own files: facts first, then the same facts as JSON, HTML or text.

A report speaks of columns, rows and counts, never of a value. It is the same for the same month and files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from expectations.batch import ROWS_PER_LIST, Batch, Outcome, Severity
from expectations.findings import ROW_NUMBERS_KEPT
from expectations.passing.static_pass import RULES
from features.months import Month
from features.registry import ALL_MEASURES, COUNTS, EXTRACTS, RETURN_INPUTS, Kind, input_names

_USED, _IN_PART, _NOT_USED = "used", "used in part", "not used"


@dataclass(frozen=True)
class FileLine:
    """One file of a council in a month."""

    kind: Kind
    file: str
    rows: int
    checks: int
    """Row checks made; comparisons with earlier months come on top."""
    state: str


@dataclass(frozen=True)
class Item:
    """One failure, as it is shown."""

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
        """`rows 5, 9 and 12`, or what can be said of many; empty if no row is meant."""
        if not self.row_numbers:
            return ""
        shown = ", ".join(row_in_words(n) for n in self.row_numbers)
        more = self.rows - len(self.row_numbers)
        return f"{'row' if self.rows == 1 else 'rows'} {shown}" + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True)
class Withheld:
    """A column whose errors withhold figures."""

    kind: Kind
    column: str
    measures: tuple[str, ...]


@dataclass(frozen=True)
class CouncilReport:
    """All that a council's data officer needs to put a month's files right."""

    la_code: str
    name: str
    month: Month
    files: tuple[FileLine, ...]
    items: tuple[Item, ...]
    withheld: tuple[Withheld, ...]
    not_run: tuple[tuple[str, str], ...]
    """(reason, checks): what could not be checked, by reason."""
    notes: tuple[tuple[str, str], ...] = ()
    """(file, sentence): how a file was read, where somebody should know of it."""

    def of(self, severity: Severity) -> tuple[Item, ...]:
        """Failures of one severity that nobody has accepted."""
        return tuple(i for i in self.items if i.severity == severity and not i.accepted)

    @property
    def accepted(self) -> tuple[Item, ...]:
        return tuple(i for i in self.items if i.accepted)

    @property
    def title(self) -> str:
        who = f"{self.name} ({self.la_code})" if self.name else f"Council {self.la_code}"
        return f"Checks of {self.month.in_words}: {who}"

    @property
    def verdict(self) -> str:
        """One sentence: can the files be used?"""
        unused = [f.file for f in self.files if f.state == _NOT_USED]
        errors, queries = len(self.of(Severity.ERROR)), len(self.of(Severity.QUERY))
        if unused:
            return f"Not used: {', '.join(unused)}. Please put the errors below right and send again."
        if errors:
            withhold = _count(errors, "error withholds", "errors withhold")
            return f"Used in part: {withhold} figures. Please put right and send again."
        if queries:
            return f"Used. Please look at {_count(queries, 'query', 'queries')}."
        return "Used. Nothing to put right."


def council_report(batch: Batch, outcome: Outcome, la_code: str, name: str = "") -> CouncilReport:
    """The report of one council; `batch` names its files."""
    items = tuple(_item(row) for row in outcome.of_council(la_code).iter_rows(named=True))
    withheld = tuple(
        Withheld(kind, column, measures_needing(kind, column))
        for la, kind, column in sorted(outcome.withheld)
        if la == la_code and (la, kind) not in outcome.quarantined
    )
    reasons: dict[str, list[str]] = {}
    for check, reason in outcome.not_run.filter(pl.col("la_code") == la_code).select("check", "reason").iter_rows():
        reasons.setdefault(reason, []).append(check)
    return CouncilReport(
        la_code,
        name,
        outcome.month,
        tuple(_files(batch, outcome, la_code, withheld)),
        items,
        withheld,
        tuple((reason, ", ".join(checks)) for reason, checks in sorted(reasons.items())),
        tuple(
            (batch.file(la, kind), note)
            for (la, kind), notes in sorted(batch.notes.items())
            for note in notes
            if la == la_code
        ),
    )


def row_in_words(number: int) -> str:
    """A row as a person finds it; in a workbook of several lists it carries its list (`ROWS_PER_LIST`)."""
    if number < ROWS_PER_LIST:
        return str(number)
    return f"{number % ROWS_PER_LIST} of list {number // ROWS_PER_LIST}"


def measures_needing(kind: Kind, column: str) -> tuple[str, ...]:
    """Labels of the measures that rest on a column of an extract, in the registry's order."""
    if kind is Kind.RETURN:
        inputs = {RETURN_INPUTS[column]} if column in RETURN_INPUTS else set()
    else:
        inputs = {i for c in COUNTS if c.extract is kind and column in c.needs for i in input_names(c)}
    return tuple(m.label for m in ALL_MEASURES if inputs & set(m.inputs))


def as_json(report: CouncilReport) -> bytes:
    """The report as JSON: keys sorted, the same bytes for the same facts."""
    document = {
        "la_code": report.la_code,
        "name": report.name,
        "month": str(report.month),
        "verdict": report.verdict,
        "files": [
            {"extract": f.kind, "file": f.file, "rows": f.rows, "checks": f.checks, "state": f.state}
            for f in report.files
        ],
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
    return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def as_html(report: CouncilReport) -> bytes:
    """The report as one page that loads nothing from anywhere and reads on a phone."""
    return render_page("report.html.j2", report=report, severities=_SECTIONS, extracts=EXTRACTS)


def render_page(template: str, **facts: Any) -> bytes:
    """One of `templates/` as a page; everything in `facts` is escaped unless the template says otherwise."""
    return (str(_template(template).render(**facts)).rstrip() + "\n").encode()


def show(report: CouncilReport, console: Console) -> None:
    """Print the report for a terminal."""
    console.print(_renderable(report))


_SECTIONS: tuple[tuple[Severity, str, str], ...] = (
    (Severity.ERROR, "Errors", "These withhold figures or the whole file until they are put right."),
    (Severity.QUERY, "Queries", "Please look at these; the figures are used, without the cells in question."),
    (Severity.INFORMATION, "For information", "Nothing needs to be done."),
)
_STYLES = {Severity.ERROR: "bold red", Severity.QUERY: "yellow", Severity.INFORMATION: "cyan"}


def _renderable(report: CouncilReport) -> Group:
    files = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in (("File", "left"), ("Rows", "right"), ("Checks", "right"), ("", "left")):
        files.add_column(title, justify="right" if justify == "right" else "left")
    for f in report.files:
        files.add_row(f.file, f"{f.rows:,}", f"{f.checks:,}", f.state)
    parts: list[Any] = [Text(report.title, style="bold"), Text(report.verdict), Text(""), files]
    for severity, title, _ in _SECTIONS:
        items = report.of(severity)
        if not items:
            continue
        parts += [Text(""), Text(f"{title} ({len(items)})", style=_STYLES[severity])]
        for item in items:
            parts.append(Padding(_lines(item), (0, 0, 0, 2)))
    if report.accepted:
        parts += [Text(""), Text(f"Accepted ({len(report.accepted)})", style="dim")]
        parts += [Padding(_lines(i), (0, 0, 0, 2)) for i in report.accepted]
    if report.withheld:
        parts += [Text(""), Text("Withheld until put right", style="bold")]
        parts += [Padding(Text(f"{w.kind} {w.column}: {'; '.join(w.measures)}"), (0, 0, 0, 2)) for w in report.withheld]
    if report.not_run:
        parts += [Text(""), Text("Not checked", style="bold")]
        parts += [Padding(Text(f"{reason}: {checks}"), (0, 0, 0, 2)) for reason, checks in report.not_run]
    if report.notes:
        parts += [Text(""), Text("How the files were read", style="bold")]
        parts += [Padding(Text(f"{file}: {note}"), (0, 0, 0, 2)) for file, note in report.notes]
    return Group(*parts)


def _lines(item: Item) -> Text:
    text = Text(f"{item.file}: {item.message}")
    if item.where:
        text.append(f"\n{item.where[0].upper()}{item.where[1:]}. ", style="dim")
    if item.effect:
        text.append(f"\nEffect: {item.effect}.", style="dim")
    text.append(f"\n[{item.check}]", style="dim")
    return text


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


def _files(batch: Batch, outcome: Outcome, la_code: str, withheld: tuple[Withheld, ...]) -> list[FileLine]:
    seen = {(la, kind) for la, kind in (*outcome.checked, *batch.files, *batch.refused) if la == la_code}
    lines = []
    for kind in Kind:
        if (la_code, kind) not in seen:
            continue
        rows = outcome.checked.get((la_code, kind), 0)
        state = _USED
        if (la_code, kind) in outcome.quarantined:
            state = _NOT_USED
        elif any(w.kind is kind for w in withheld):
            state = _IN_PART
        lines.append(FileLine(kind, batch.file(la_code, kind), rows, len(RULES[kind]) if rows else 0, state))
    return lines


@cache
def _template(name: str) -> Any:
    environment = Environment(
        loader=PackageLoader("expectations.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
