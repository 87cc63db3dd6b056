"""A council's files of a month: what the checks found in its own, and nothing of another's."""

from __future__ import annotations

import polars as pl
import pytest

from expectations.batch import FAILURES
from expectations.fates import Fate
from features.councils import Council
from features.months import Month
from features.registry import Kind
from flows.alerts.files import council_files
from flows.store.manifest import ExtractRecord, Manifest
from tests.unit.flows.alerts.examples import MONTH

ASHCOMBE = Council("991", "Ashcombe", Month(2015, 1))
DUE = MONTH.plus(1).first_day


def record(la_code: str, kind: Kind, outcome: Fate = Fate.ACCEPTED) -> ExtractRecord:
    return ExtractRecord(la_code, kind, outcome, DUE, DUE, name=f"2026-10/{la_code}/{kind}.csv", reason="a sentence")


def failed(la_code: str, kind: Kind, severity: str) -> dict[str, object]:
    found = {"la_code": la_code, "extract": str(kind), "severity": severity, "accepted": False}
    return dict.fromkeys(FAILURES) | found


def test_a_councils_findings_are_its_own() -> None:
    records = (record("991", Kind.WORKFORCE), record("991", Kind.CASELOAD), record("992", Kind.WORKFORCE))
    failures = pl.DataFrame(
        [failed("991", Kind.WORKFORCE, "query"), failed("992", Kind.WORKFORCE, "error")], schema=FAILURES
    )
    files = council_files(Manifest(MONTH, 1, "x", DUE, records, {}), failures, ASHCOMBE, MONTH)
    assert [(f.kind, f.fate, f.errors, f.queries) for f in files.files] == [
        (Kind.WORKFORCE, Fate.QUERIES, 0, 1),
        (Kind.CASELOAD, Fate.ACCEPTED, 0, 0),
    ]
    assert council_files(None, failures, ASHCOMBE, MONTH).files == ()


@pytest.mark.parametrize(("outcome", "reason"), [(Fate.REFUSED, "a sentence"), (Fate.UNREAD, "")])
def test_a_fault_of_ours_is_no_councils_reason(outcome: Fate, reason: str) -> None:
    made = Manifest(MONTH, 1, "x", DUE, (record("991", Kind.WORKFORCE, outcome),), {})
    (file,) = council_files(made, FAILURES.to_frame(), ASHCOMBE, MONTH).files
    assert (file.reason, file.file, file.late, file.restated) == (reason, "workforce.csv", False, False)
