"""`holdfast check return.xml`: the return's report, for a terminal and as a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from expectations.batch import Severity
from expectations.report.terminal import say
from features.councils import members_of
from features.errors import ExtractError, ReferenceDataError, UnreadableExtract
from features.months import Month
from features.registry import MEASURES
from features.words import count_words
from flows.extracts.formats.csww.rates import OFFICIAL, Rate
from flows.extracts.formats.csww.rules.past import PublishedFigures, shown_rate
from flows.extracts.formats.csww.typed import as_day
from flows.extracts.formats.csww.validate import Validation, outline_of, validate
from flows.extracts.formats.dfe.workforce_file import read_published

_SECTIONS = (
    (Severity.ERROR, "Errors", "DfE's system will not take these, or a rate will be wrong."),
    (Severity.QUERY, "Queries", "Unlikely, or worth a note to DfE. Please look at these."),
    (Severity.INFORMATION, "For information", "Nothing needs to be done."),
)
_STYLES = {Severity.ERROR: "bold red", Severity.QUERY: "yellow", Severity.INFORMATION: "cyan"}


@dataclass(frozen=True, slots=True)
class RateLine:
    """One official rate beside the published one, as text."""

    label: str
    value: str
    published: str
    note: str


@dataclass(frozen=True, slots=True)
class ReturnReport:
    """The whole report on one return. It names rules, records and lines, and never a value from a record."""

    file: str
    validation: Validation | None
    refusal: str | None
    """Why nothing of the file could be checked."""
    published: PublishedFigures | None = None
    not_compared: str | None = None
    """Why the rates are not compared with published ones."""

    @property
    def errors(self) -> int:
        return len(self.validation.of(Severity.ERROR)) if self.validation else 0

    @property
    def refused(self) -> int:
        """1 if the file cannot be used at all."""
        return int(self.validation is None)

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"file": self.file, "verdict": self.verdict, "errors": self.errors, "refused": bool(self.refused)}

    @property
    def title(self) -> str:
        if self.validation is None:
            return f"Workforce return {self.file}"
        year = self.validation.reference_date.year
        code = self.validation.la_code or ""
        # Any other text in place of the code is not repeated.
        whose = f"council {code}" if re.fullmatch("[0-9A-Z]{3}", code) else "no council"
        return f"Workforce return {self.file}: {whose}, year to {_day(self.validation)} {year}"

    @property
    def verdict(self) -> str:
        """One sentence: can it be sent?"""
        if self.validation is None:
            return self.refusal or "The file could not be read."
        workers = f"{self.validation.totals.workers:,} records checked by {len(self.validation.rule_set.rules)} rules"
        errors, queries = self.errors, len(self.validation.of(Severity.QUERY))
        if errors:
            return f"{workers}: {count_words(errors, 'rule is', 'rules are')} broken. Put right before sending."
        if queries:
            return f"{workers}: no errors. Please look at {count_words(queries, 'query', 'queries')}."
        return f"{workers}: nothing to put right."

    @property
    def notes(self) -> tuple[str, ...]:
        if self.validation is None:
            return ()
        return tuple(n for n in (self.validation.rule_set.note, self.not_compared) if n)

    @property
    def rate_lines(self) -> tuple[RateLine, ...]:
        """The official rates that this return will produce, in the order of DfE's release."""
        if self.validation is None:
            return ()
        then = self.published.rates if self.published else {}
        return tuple(
            RateLine(r.label, shown_rate(r.measure, r.value), shown_rate(r.measure, then.get(r.measure)), _note(r))
            for r in self.validation.rates
        )

    @property
    def published_in(self) -> str | None:
        return f"DfE, {self.published.day:%B %Y}" if self.published else None

    def sections(self) -> Iterator[tuple[Severity, str, str, tuple[Any, ...]]]:
        """Severity, title, explanation and findings of each section with findings."""
        for severity, title, explanation in _SECTIONS:
            found = self.validation.of(severity) if self.validation else ()
            if found:
                yield severity, title, explanation, found

    @property
    def template(self) -> str:
        """Its part of a page."""
        return "return_report.html.j2"

    def show(self, console: Console) -> None:
        """Print the report for a terminal."""
        say(console, self.title, "bold")
        say(console, self.verdict)
        for note in self.notes:
            say(console, note, "dim")
        for severity, title, _, found in self.sections():
            console.print("")
            say(console, f"{title} ({len(found)})", _STYLES[severity])
            for one in found:
                say(console, f"{_sentence(one.says)} {one.remedy}", inset=True)
                if one.where:
                    say(console, _sentence(one.where), "dim", inset=True)
                say(console, f"[{one.code}]", "dim", inset=True)
        if self.validation is not None:
            console.print("")
            say(console, "Official rates this return will produce", "bold")
            console.print(self._rates())

    def _rates(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title, justify in (
            ("Rate", "left"),
            ("This return", "right"),
            (self.published_in or "", "right"),
            ("", "left"),
        ):
            table.add_column(title, justify="right" if justify == "right" else "left")
        for line in self.rate_lines:
            table.add_row(line.label, line.value, line.published if self.published else "", line.note)
        return table


def check_return(
    source: bytes | Path,
    name: str = "",
    *,
    council: str | None = None,
    month: Month | None = None,
    published: Path | None = None,
) -> ReturnReport:
    """Check one return, read as a stream if it is on the disk.

    The return must be for `council` and `month`; another one is refused. If the file does not say its month, `month` is
    used. `published` is DfE's published workforce file. Raises ReferenceDataError if that cannot be read; a faulty
    return gives a report.
    """
    name = name or (source.name if isinstance(source, Path) else "csww.xml")
    try:
        header = outline_of(source, name).header
        code, day = header.one("LEA"), as_day(header.one("ReferenceDate")) or (month.last_day if month else None)
        if council and code and code not in members_of(council):
            raise UnreadableExtract(f"{name}: the return is of another council than {council}. Check the file or LEA.")
        then, why_not = _published(published, code or council, day)
        validation = validate(source, name, reference_date=month.last_day if month else None, published=then)
    except ExtractError as fault:
        return ReturnReport(name, None, str(fault))
    if month and Month.of(validation.reference_date) != month:
        return ReturnReport(
            name, None, f"{name}: the return is of another month than {month.in_words}. Check the file."
        )
    return ReturnReport(name, validation, None, then, why_not)


def _published(file: Path | None, la_code: str | None, day: date | None) -> tuple[PublishedFigures | None, str | None]:
    """The council's latest published figures before the return, or why there are none."""
    if file is None:
        return None, "Not compared with the council's published figures: give DfE's file with --published."
    try:
        content = file.read_bytes()
    except OSError:
        raise ReferenceDataError(f"There is no file {file}. Give the path of DfE's published workforce CSV.") from None
    rows = read_published(content, filename=file.name).published
    own = {c for c in rows["la_code"].unique().to_list() if la_code in members_of(c)}
    earlier = [r for r in rows.iter_rows(named=True) if r["la_code"] in own and day is not None and r["month"] < day]
    if not earlier:
        return None, f"Not compared with published figures: {file.name} has none of this council before the return."
    last = max(r["month"] for r in earlier)
    rates = {
        r["measure"]: r["published"]
        for r in earlier
        if r["month"] == last and r["measure"] in OFFICIAL and r["published"] is not None
    }
    return PublishedFigures(last, rates, file.name), None


def _note(rate: Rate) -> str:
    if rate.estimate is not None:
        return (
            f"cannot be had: {rate.reason}. An estimate, if leavers worked the hours of those in post: "
            f"{shown_rate(rate.measure, rate.estimate)}"
        )
    return rate.reason or _FORMULAS[rate.measure]


_FORMULAS = {m.name: m.formula for m in MEASURES}


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _day(validation: Validation) -> str:
    return f"{validation.reference_date.day} {validation.reference_date:%B}"
