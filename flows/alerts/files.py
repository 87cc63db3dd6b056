"""A council's files for a month, from the store's records."""

from __future__ import annotations

import polars as pl

from expectations.fates import CouncilFiles, Fate, FileFate
from features.councils import Council
from features.months import Month
from flows.store.manifest import ExtractRecord, Manifest


def council_files(manifest: Manifest | None, failures: pl.DataFrame, council: Council, month: Month) -> CouncilFiles:
    """What became of everything that was expected of the council or came from it; `failures`: the month's FAILURES."""
    own = failures.filter(pl.col("la_code") == council.la_code)
    records = manifest.of(council.la_code) if manifest is not None else ()
    return CouncilFiles(council.la_code, council.name, month, tuple(_fate(r).with_failures(own) for r in records))


def _fate(record: ExtractRecord) -> FileFate:
    """The fate of one file. Leaves out the reason of a fault of ours: the run's list has it, not the council's."""
    return FileFate(
        kind=record.kind,
        fate=record.outcome,
        file=(record.name or "").rpartition("/")[2],
        rows=record.rows,
        withheld=record.withheld,
        reason=record.reason or "" if record.outcome is not Fate.UNREAD else "",
        received=record.received,
        late=record.late,
        restated=record.restates is not None,
    )
