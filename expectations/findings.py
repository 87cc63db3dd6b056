"""One failed check of one file, before its effect has been decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from expectations.batch import FAILURES, Batch, Effect, Severity
from features.registry import Kind

#: The number of row numbers kept with a failure: enough to find the pattern, few enough for a report to stay one page.
ROW_NUMBERS_KEPT = 20

_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}


@dataclass(frozen=True)
class Finding:
    """A check that a file failed. `month` is the month's last day."""

    check: str
    severity: Severity
    la_code: str
    month: date
    extract: Kind
    column: str | None
    message: str
    rows: int = 0
    row_numbers: tuple[int, ...] = ()
    effect: Effect = Effect.NONE
    accepted: bool = False


def failures_frame(findings: Iterable[Finding], batch: Batch) -> pl.DataFrame:
    """FAILURES of one month: errors first, then by council, file and check."""
    ordered = sorted(findings, key=lambda f: (_WEIGHT[f.severity], f.la_code, f.extract, f.check, f.message))
    return pl.DataFrame(
        [
            (
                f.check,
                str(f.severity),
                f.la_code,
                f.month,
                str(f.extract),
                batch.file(f.la_code, f.extract),
                f.column,
                f.rows,
                list(f.row_numbers),
                f.message,
                str(f.effect),
                f.accepted,
            )
            for f in ordered
        ],
        schema=FAILURES,
        orient="row",
    )
