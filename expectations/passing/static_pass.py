"""The static half of a pass: every rule of every extract, over all councils and months at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from expectations.accepted import Accepted, accepting
from expectations.batch import PROBLEMS, Batch, Effect, Severity, SuiteResult
from expectations.findings import ROW_NUMBERS_KEPT, Finding
from expectations.passing import engine
from expectations.passing.effects import Effects, Weighed, weigh_effects
from expectations.passing.received import problem_message, rows_of
from expectations.suites import caseload, establishment, returns, workforce
from expectations.suites.rows import Prepared, prepare, tested_columns, with_workers
from expectations.suites.rules import NEEDED, Rule, identifies
from features.months import Month
from features.registry import EXTRACTS, Kind

RULES: dict[Kind, tuple[Rule, ...]] = {
    Kind.WORKFORCE: workforce.RULES,
    Kind.ESTABLISHMENT: establishment.RULES,
    Kind.CASELOAD: caseload.RULES,
    Kind.RETURN: returns.RULES,
}

#: Ingest's code for a required cell that is empty. The rule about empty cells reports and weighs it too.
_EMPTY = "empty"


@dataclass(frozen=True)
class KindPass:
    """The results of the static rules for one kind of extract."""

    prepared: Prepared
    effects: Effects
    findings: tuple[Finding, ...]
    not_used: frozenset[tuple[date, str]]
    """(month, la_code) of files of which nothing is used."""
    suite: SuiteResult


def run_static(batches: Sequence[Batch], accepted: Sequence[Accepted]) -> dict[Kind, KindPass]:
    """Run the rules of every kind of which any council sent rows."""
    prepared = {kind: p for kind in Kind if (p := prepare(kind, batches)) is not None}
    if Kind.CASELOAD in prepared:
        by_name = [(b.month, la_code) for b in batches for la_code in sorted(b.workers_by_name)]
        prepared[Kind.CASELOAD] = with_workers(prepared[Kind.CASELOAD], prepared.get(Kind.WORKFORCE), by_name)
    return {kind: _run_kind(p, batches, accepted) for kind, p in prepared.items()}


def check_of(rule: Rule) -> engine.Check:
    said = f"Fails where {rule.problem}. {rule.remedy}"
    return engine.Check(rule.code, rule.column, rule.asserts, rule.arguments, rule.severity, said)


def _run_kind(prepared: Prepared, batches: Sequence[Batch], accepted: Sequence[Accepted]) -> KindPass:
    kind = prepared.kind
    rules = RULES[kind]
    absent = frozenset(
        (la_code, b.month.last_day.isoformat(), column)
        for b in batches
        for la_code, k, column in b.absent_columns
        if k is kind
    )
    months = sorted(b.month for b in batches)
    table = tested_columns(prepared, rules, absent)
    ran = engine.run(f"{kind}, static", months[0], months[-1], table, [check_of(rule) for rule in rules])
    del table
    unreadable = _unreadable(prepared, batches)
    texts = {code: text for b in batches for code, text in b.problem_texts.items()}
    weigh = _Weigher(prepared, accepted, unreadable, texts)
    for rule in rules:
        if rule.code in ran.failing:
            weigh.rule(rule, ran.failing[rule.code])
    weigh.unreadable_cells()
    effects = weigh_effects(weigh.weighed)
    findings, not_used = weigh.settle(effects)
    return KindPass(prepared, effects, findings, not_used, ran.suite)


def _unreadable(prepared: Prepared, batches: Sequence[Batch]) -> pl.DataFrame:
    """Cells that ingest could not read: `row` (position), `file_no, file_row, column, problem`."""
    kind = str(prepared.kind)
    told = {r.fields[0] for r in RULES[prepared.kind] if r.reads_empty}
    parts = [
        b.problems.select(list(PROBLEMS))
        .filter(pl.col("extract") == kind, ~((pl.col("problem") == _EMPTY) & pl.col("column").is_in(sorted(told))))
        .with_columns(month=pl.lit(b.month.last_day))
        for b in batches
    ]
    cells = pl.concat(parts)
    rows = prepared.rows.select("month", "la_code", "file_no", "file_row").with_row_index("row")
    # Few files have such cells, so only their rows are looked at.
    rows = rows.join(
        cells.select("month", "la_code").unique(), on=["month", "la_code"], how="semi", maintain_order="left"
    )
    # Only a fault of ingest can repeat a row number in a file; the first row then stands for it.
    rows = rows.unique(subset=["file_no", "file_row"], keep="first", maintain_order=True)
    origins = pl.concat(
        [
            b.origins.filter(pl.col("extract") == kind)
            .with_columns(month=pl.lit(b.month.last_day))
            .unique(["la_code", "file_row", "column"], keep="first", maintain_order=True)
            for b in batches
        ]
    ).drop("extract")
    return (
        cells.join(rows, on=["month", "la_code", "file_row"], how="inner", validate="m:1")
        .join(origins, on=["month", "la_code", "file_row", "column"], how="left", validate="m:1")
        .with_columns(pl.when(pl.col("of").is_null()).then("file_row").otherwise("at").alias("at"))
        .select(pl.col("row").cast(pl.Int64), "file_no", "file_row", "column", "problem", "at", "of")
        .sort("column", "problem", "of", "row")
    )


@dataclass(frozen=True)
class _Raw:
    """A failed check of one file before its effect is known."""

    rule: Rule | None
    columns: tuple[str, ...]
    file_no: int
    finding: Finding


class _Weigher:
    """Collects the failures of one kind, leaves accepted ones out of the weighing, then decides their effects."""

    def __init__(
        self, prepared: Prepared, accepted: Sequence[Accepted], unreadable: pl.DataFrame, texts: Mapping[str, str]
    ) -> None:
        self.weighed = Weighed(prepared)
        self._prepared = prepared
        self._accepted = accepted
        self._unreadable = unreadable
        self._texts = texts
        self._file_no = prepared.file_numbers()
        self._files = list(prepared.files.iter_rows(named=True))
        self._raw: list[_Raw] = []

    def rule(self, rule: Rule, rows: engine.RowNumbers) -> None:
        """Attribute the failing rows of one rule to their files."""
        said = rows
        if rule.reads_empty:
            told = self._unreadable.filter(pl.col("column") == rule.fields[0])["row"].to_numpy()
            said = rows[~np.isin(rows, told)]
        open_rows = self._record(rule.code, rule.severity, rule.fields, said, rule)
        if rule.severity is not Severity.ERROR:
            return
        if rule.whole_file:
            # A key that cannot be read is reported as unreadable, but counts here like an empty key.
            mask = np.zeros(self._prepared.rows.height, dtype=np.bool_)
            mask[rows] = True
            self.weighed.whole.append((rule, mask))
        else:
            self.weighed.object_to(rule.fields, open_rows)

    def unreadable_cells(self) -> None:
        """Attribute the cells that ingest could not read."""
        kind = self._prepared.kind
        for (column, problem, of), cells in self._unreadable.group_by("column", "problem", "of", maintain_order=True):
            name = str(column)
            severity = Severity.ERROR if name in NEEDED[kind] or identifies(kind, name) else Severity.QUERY
            told = cells.unique("row", keep="first", maintain_order=True).sort("row")
            source = "" if of is None else f" as {of} gives it"
            code, rows = f"{kind}.{name}.{problem}", told["row"].to_numpy()
            rows = self._record(code, severity, (name,), rows, None, str(problem), (source, told["at"]))
            if severity is Severity.ERROR:
                self.weighed.object_to((name,), rows)

    def _record(
        self,
        code: str,
        severity: Severity,
        columns: tuple[str, ...],
        rows: engine.RowNumbers,
        rule: Rule | None,
        problem: str = "",
        stands: tuple[str, pl.Series | None] = ("", None),
    ) -> engine.RowNumbers:
        """Record one finding per file; return the rows that are not accepted.

        `stands`: where the fault is, in words, and the row numbers to give.
        """
        kind = self._prepared.kind
        accepted_files = np.zeros(len(self._files), dtype=np.bool_)
        where = self._prepared.rows.select("file_no", "file_row")[rows]
        source, at = stands
        shown = (where["file_row"] if at is None else at).alias("shown")
        per_file = (
            where.with_columns(shown)
            .group_by("file_no")
            .agg(
                pl.len().alias("rows"),
                pl.col("shown").drop_nulls().unique().sort().head(ROW_NUMBERS_KEPT).alias("numbers"),
            )
            .sort("file_no")
        )
        for file_no, count, numbers in per_file.iter_rows():
            file = self._files[file_no]
            month, la_code, of = file["month"], file["la_code"], file["rows"]
            by = accepting(self._accepted, code, la_code, kind, columns[0], Month.of(month))
            accepted_files[file_no] = by is not None
            message = (
                problem_message(kind, columns[0], problem, rows_of(count, of) + source, self._texts)
                if rule is None
                else f"{_sentence(rule)}: {rows_of(count, of)}. {rule.remedy}"
            )
            if by is not None:
                message = f"{message} Accepted by {by.accepted_by} until {by.expires.in_words}: {by.reason}"
            finding = Finding(
                code,
                severity,
                la_code,
                month,
                kind,
                columns[0],
                message,
                count,
                tuple(numbers),
                accepted=by is not None,
            )
            self._raw.append(_Raw(rule, columns, file_no, finding))
        return rows[~accepted_files[self._file_no[rows]]]

    def settle(self, effects: Effects) -> tuple[tuple[Finding, ...], frozenset[tuple[date, str]]]:
        """Give every finding its effect, and say which files are not used."""
        not_used = np.zeros(len(self._files), dtype=np.bool_)
        for files in effects.not_used.values():
            not_used |= files
        findings = []
        for raw in self._raw:
            findings.append(_settled(raw, effects))
        for column, bad in effects.core.items():
            not_used |= bad > 0
            findings += [self._core(column, int(n), int(bad[n])) for n in np.flatnonzero(bad)]
        gone = frozenset((f["month"], f["la_code"]) for f, gone in zip(self._files, not_used, strict=True) if gone)
        return tuple(findings), gone

    def _core(self, column: str, file_no: int, bad: int) -> Finding:
        kind, file = self._prepared.kind, self._files[file_no]
        return Finding(
            f"{kind}.{column}.core",
            Severity.ERROR,
            file["la_code"],
            file["month"],
            kind,
            column,
            f"{column} is wrong in {rows_of(bad, file['rows'])}, and most figures of this file rest on it. "
            "Put the extract right at its source and send it again.",
            bad,
            effect=Effect.QUARANTINED,
        )


def _settled(raw: _Raw, effects: Effects) -> Finding:
    finding = raw.finding
    if finding.severity is not Severity.ERROR or finding.accepted:
        return finding
    whole = f"{finding.extract}.{raw.columns[0]}.missing" if raw.rule is None else raw.rule.code
    if whole in effects.not_used:
        if effects.not_used[whole][raw.file_no]:
            return replace(finding, effect=Effect.QUARANTINED)
        return replace(finding, severity=Severity.QUERY, effect=Effect.SET_ASIDE)
    if any(effects.withheld[name][raw.file_no] for name in raw.columns if name in effects.withheld):
        return replace(finding, effect=Effect.WITHHELD)
    return replace(finding, severity=Severity.QUERY, effect=Effect.SET_ASIDE)


def _sentence(rule: Rule) -> str:
    first = rule.problem.partition(" ")[0]
    names = {f.name for f in EXTRACTS[rule.extract].fields}
    return rule.problem if first in names else rule.problem[0].upper() + rule.problem[1:]
