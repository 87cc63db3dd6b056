"""Validation reports in the store: one for each council, Great Expectations' Data Docs, and an index of both."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from expectations.accepted import Accepted
from expectations.batch import Batch, Outcome
from features.councils import Council, Register
from features.months import Month
from flows.alerts.files import council_files
from flows.store import Store
from flows.store.manifest import Manifest

_WRITERS = 8


def write_reports(
    store: Store, register: Register, batch: Batch, outcome: Outcome, manifest: Manifest, accepted: Sequence[Accepted]
) -> str:
    """Write all pages of a month's validation. They work offline and contain no values. Returns the index's name."""
    from expectations.report.data_docs import site

    reporting = sorted({e.la_code for e in manifest.extracts})
    councils = [council_files(manifest, outcome.failures, register.by_code[la], batch.month) for la in reporting]
    pages = site(batch, outcome, councils, accepted)

    def write(name: str) -> None:
        kind = "application/json" if name.endswith(".json") else "text/html; charset=utf-8"
        store.replace(f"validation/{batch.month}/{name}", pages[name], content_type=kind)

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(write, pages))
    return index_name(batch.month)


def index_name(month: Month) -> str:
    """Name of the index, which is the data team's starting page."""
    return f"validation/{month}/index.html"


def council_report_name(month: Month, council: Council) -> str:
    """Name of the report for the person who made the council's files."""
    return f"validation/{month}/councils/{council.folder}.html"
