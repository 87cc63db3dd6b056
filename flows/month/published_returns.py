"""Runs on real figures: reads DfE's published workforce file as one return per council and September."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from expectations.accepted import Accepted
from expectations.batch import Batch, CheckHistory
from expectations.fates import file_as_checked
from expectations.passing.effects import usable
from features.councils import Register, members_of
from features.errors import ReferenceDataError
from features.frames import MEASURES_SCHEMA
from features.measuring.reconcile import largest_differences, reconcile, unexplained
from features.measuring.returns import CELL_REASONS, inputs_from_returns
from features.months import Month
from features.registry import BY_NAME, MEASURES, RETURN, RETURN_INPUTS, Group, Kind, Unit
from flows.extracts.formats.dfe.workforce_file import PublishedWorkforce, read_published
from flows.month.count import without_withheld
from flows.month.edition import TakenIn
from flows.store.editions import History
from flows.store.manifest import ExtractRecord, Manifest
from models.judgements.asof import Variant, record_measures
from models.record import PublicRecord, read_record


def read_published_file(path: Path) -> PublishedWorkforce:
    """Read the file at `path`. Raises ReferenceDataError if it is missing or has another layout."""
    try:
        content = path.read_bytes()
    except OSError:
        raise ReferenceDataError(f"There is no file {path}. Give the path of DfE's published workforce CSV.") from None
    return read_published(content, filename=path.name)


def read_record_beside(path: Path) -> PublicRecord | None:
    """The published record in a folder; None if the folder has no usable one."""
    try:
        return read_record(path)
    except ReferenceDataError:
        return None


def record_measures_beside(record: PublicRecord, register: Register, cutoff: date) -> pl.DataFrame:
    """MEASURES_SCHEMA of what DfE's workforce file lacks: timeliness, re-referrals and demand, by year to March.

    They count as known at once, as the council itself knows them. A joint return gets the figures of its first
    member, which are those of the joint service.
    """
    in_file = {m.name for m in MEASURES if set(m.inputs) <= set(RETURN_INPUTS.values()) and m.group is Group.WORKFORCE}
    found = record_measures(record, Variant.OWN_DATA_AT_ONCE).filter(
        pl.col("value").is_not_null() & ~pl.col("measure").is_in(list(in_file)) & (pl.col("known_from") <= cutoff)
    )
    joint = {members_of(c.la_code)[0]: c.la_code for c in register.councils if len(members_of(c.la_code)) > 1}
    codes = [c.la_code for c in register.councils]
    return (
        found.with_columns(pl.col("la_code").replace(joint))
        .filter(pl.col("la_code").is_in(codes))
        .select(list(MEASURES_SCHEMA))
        .sort("la_code", "month", "measure")
    )


def take_in_published(
    history: History, published: PublishedWorkforce, last: Month, accepted: Sequence[Accepted]
) -> tuple[list[TakenIn], list[Batch]]:
    """Check and store every September of the file up to `last`, as editions that count as known at once."""
    from expectations.passing.check import check_batches

    months = [m for m in published.months if m <= last]
    batches = [_batch(published.of(m), m) for m in months]
    outcomes = check_batches(batches, CheckHistory(), accepted) if batches else ()
    taken: list[TakenIn] = []
    for month, batch, outcome in zip(months, batches, outcomes, strict=True):
        one = published.of(month)
        kept = usable(batch, outcome).get(Kind.RETURN, RETURN.schema.to_frame())
        kept = without_withheld(kept, Kind.RETURN, outcome)
        checked = {la: file_as_checked(batch, outcome, la, Kind.RETURN) for la in one.returns["la_code"].to_list()}
        records = tuple(
            ExtractRecord(
                la_code=la_code,
                kind=Kind.RETURN,
                outcome=fate.fate,
                due=month.last_day,
                received=month.last_day,
                first_received=month.last_day,
                sha256=published.sha256,
                name=published.filename,
                rows=1,
                reason=fate.reason or None,
                withheld=fate.withheld,
            )
            for la_code, fate in checked.items()
        )
        editions = history.editions(month)
        if editions and editions[-1].fingerprint == published.sha256[:16] and not history.fault(month, month.last_day):
            taken.append(TakenIn(editions[-1], outcome, None))
            continue
        manifest = Manifest(
            month=month,
            edition=history.next_number(month),
            fingerprint=published.sha256[:16],
            known_to=month.last_day,
            extracts=records,
            checks={
                "rows": float(outcome.statistics.rows),
                "checks": float(outcome.statistics.checks_run),
                "errors": float(outcome.errors),
                "failures": float(outcome.failures.height),
            },
        )
        stored = history.write(
            manifest,
            {
                str(Kind.RETURN): kept,
                "cell-reasons": one.reasons,
                "failures": outcome.failures,
                "profile": outcome.profile,
            },
        )
        taken.append(TakenIn(stored, outcome, None))
    return taken, batches


def _batch(published: PublishedWorkforce, month: Month) -> Batch:
    """One September as a batch. DfE's file has no flow counts, which is not reported for each council."""
    codes = published.returns["la_code"].to_list()
    return Batch(
        month=month,
        frames={Kind.RETURN: published.returns},
        files={(code, Kind.RETURN): published.filename for code in codes},
    )


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Our rates for one September, computed from DfE's published inputs, compared with the rates DfE published."""

    filename: str
    month: Month
    rows: pl.DataFrame
    """RECONCILED of `features.measuring.reconcile`, one row per council and rate."""
    reasons: pl.DataFrame
    """CELL_REASONS: which cells held a symbol, and what it stands for."""
    names: dict[str, str]

    def to_text(self) -> str:
        """The largest difference in each rate, what rounding does not explain, cells without a number, all councils."""
        lines = [f"Reconciliation of {self.month.in_words} with {self.filename}: our rate less DfE’s."]
        for row in largest_differences(self.rows).iter_rows(named=True):
            of_rate = self.rows.filter(pl.col("measure") == row["measure"]).drop_nulls("difference")
            worst = of_rate.sort(pl.col("difference").abs(), descending=True).row(0, named=True)
            lines.append(
                f"  {_label(row['measure']):<34} {row['compared']:>3} councils, largest difference "
                f"{_difference(row['measure'], worst['difference'])} ({self._name(worst['la_code'])}), "
                f"{row['unexplained']} beyond rounding"
            )
        off = unexplained(self.rows)
        lines += [f"  Beyond rounding: {self._row(row)}" for row in off.iter_rows(named=True)]
        if off.is_empty():
            lines.append("  Every difference lies within what the rounding of the published figures explains.")
        lines += self._not_numbers()
        return "\n".join([*lines, *self._by_council()])

    def to_csv(self) -> str:
        """Every council and rate as CSV, for a spreadsheet."""
        return self.rows.with_columns(pl.col("la_code").replace(self.names).alias("council")).write_csv()

    def _by_council(self) -> Iterator[str]:
        yield "  Council by council, the rate that differs most, and caseload:"
        for (la_code,), own in self.rows.partition_by("la_code", as_dict=True, maintain_order=True).items():
            name = self._name(str(la_code))
            compared = own.drop_nulls("difference")
            if compared.is_empty():
                yield f"    {name}: nothing to compare"
                continue
            rates = [_largest(part) for part in _apart(compared)]
            yield f"    {name}: {compared.height} of {own.height} compared; {', '.join(rates)}"

    def _not_numbers(self) -> Iterator[str]:
        grouped = self.reasons.group_by("reason", "field").agg(pl.col("la_code").sort()).sort("reason", "field")
        for row in grouped.iter_rows(named=True):
            yield f"  Not a number: {row['field']}, {row['reason']}: {', '.join(map(self._name, row['la_code']))}"

    def _row(self, row: dict[str, Any]) -> str:
        ours, theirs = (_value(row["measure"], row[n]) for n in ("value", "published"))
        return f"{self._name(row['la_code'])} ({row['la_code']}), {_label(row['measure'])}: ours {ours}, DfE {theirs}"

    def _name(self, la_code: str) -> str:
        return self.names.get(la_code, la_code)


def reconcile_published(published: PublishedWorkforce, month: Month) -> Reconciliation:
    """Compute our rates from one September's published inputs and compare them with DfE's."""
    one = published.of(month)
    known = one.returns.select("la_code", pl.lit(month.last_day).alias("known_from"))
    population = pl.DataFrame(schema={"la_code": pl.String(), "population_0_17": pl.Int64()})
    inputs, reasons = inputs_from_returns(one.returns, known, population, one.reasons)
    rows = reconcile(inputs, reasons, one.published)
    names = dict(one.councils.select("la_code", "name").iter_rows())
    return Reconciliation(published.filename, month, rows, one.reasons.select(list(CELL_REASONS)), names)


def _apart(compared: pl.DataFrame) -> list[pl.DataFrame]:
    """Split the table into rates in per cent and caseload, which has another unit."""
    caseload = pl.col("measure") == "caseload_fte"
    return [part for part in (compared.filter(~caseload), compared.filter(caseload)) if not part.is_empty()]


def _largest(compared: pl.DataFrame) -> str:
    row = compared.sort(pl.col("difference").abs(), descending=True).row(0, named=True)
    return f"{_label(row['measure'])} {_difference(row['measure'], row['difference'])}"


def _label(measure: str) -> str:
    return BY_NAME[measure].label.lower()


def _difference(measure: str, difference: float) -> str:
    if BY_NAME[measure].unit is Unit.FRACTION:
        return f"{difference * 100:+.2f} percentage points"
    return f"{difference:+.2f}"


def _value(measure: str, value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value * 100:.1f}%" if BY_NAME[measure].unit is Unit.FRACTION else f"{value:.1f}"
