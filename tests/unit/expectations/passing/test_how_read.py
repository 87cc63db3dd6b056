"""What reading a sector's file has to say travels into the council's report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from expectations.batch import Batch, Outcome
from expectations.fates import files_as_checked
from expectations.report.council import as_html, as_json, council_report, row_in_words
from features.registry import Kind
from tests.unit.expectations.examples import check_batch

from ..examples import Row, batch_of, record_rows

_NOTE = "Annex A list 4 (Assessments) is not in the workbook."


def _checked(rows: dict[Kind, Sequence[Row]], **changes: Any) -> tuple[Batch, Outcome]:
    batch = batch_of({"901": rows}, **changes)
    return batch, check_batch(batch)


def _strangers() -> dict[Kind, Sequence[Row]]:
    """Cases of workers whom the workforce extract does not know."""
    rows: dict[Kind, Sequence[Row]] = dict(record_rows())
    rows[Kind.CASELOAD] = [{**row, "allocated_worker_ref": 77_000 + i} for i, row in enumerate(rows[Kind.CASELOAD])]
    return rows


def test_workers_that_are_names_are_looked_up_nowhere() -> None:
    _, plain = _checked(_strangers())
    assert "caseload.allocated_worker_ref.unknown" in plain.failures["check"].to_list()
    _, named = _checked(_strangers(), workers_by_name=frozenset({"901"}))
    assert not {c for c in named.failures["check"] if c.startswith("caseload.allocated_worker_ref")}
    told = dict(named.not_run.select("check", "reason").iter_rows())
    assert told["caseload.allocated_worker_ref.unknown"] == "the file names workers and gives no references"
    assert told["caseload.allocated_worker_ref.has_left"] == "the file names workers and gives no references"


def test_why_a_column_is_absent_and_how_a_file_was_read_are_in_the_report() -> None:
    key = ("901", Kind.CASELOAD)
    batch, outcome = _checked(
        dict(record_rows()),
        absent_columns=frozenset({(*key, "assessment_start_date")}),
        absent_because={(*key, "assessment_start_date"): "List 4 is missing."},
        notes={key: (_NOTE,), ("902", Kind.CASELOAD): ("of another council",)},
    )
    report = council_report(batch, outcome, files_as_checked(batch, outcome, "901"))
    assert report.notes == ((batch.file(*key), _NOTE),)
    (item,) = [i for i in report.items if i.check == "caseload.assessment_start_date.absent"]
    assert item.message.startswith("List 4 is missing. Without it these are not counted: ")
    assert json.loads(as_json([report]))["901"]["notes"] == [{"file": batch.file(*key), "note": _NOTE}]
    assert "How the files were read" in as_html(report).decode()


def test_a_row_of_a_list_is_said_with_its_list() -> None:
    assert [row_in_words(n) for n in (2, 5_000_000, 60_000_012)] == ["2", "5000000", "12 of list 6"]
