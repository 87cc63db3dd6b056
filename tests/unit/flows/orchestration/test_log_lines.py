"""A line in a run's log says which council and which step it is about."""

from __future__ import annotations

import logging

import pytest

import flows.orchestration.log_lines  # noqa: F401
from features.errors import StoreError


@pytest.mark.parametrize(("words", "given"), [("Finished in state Completed()", ()), ("Took %d s", (3,))])
def test_a_task_runs_line_begins_with_its_name(words: str, given: tuple[int, ...]) -> None:
    record = logging.LogRecord("prefect.task_runs", logging.INFO, "", 0, words, given, None)
    record.task_run_name = "Read 50% Town, 2026-10"
    logger = logging.getLogger("prefect.task_runs")
    for _ in range(2):  # a record may pass twice
        assert logger.filter(record)
    assert record.getMessage() == f"Read 50% Town, 2026-10: {words % given if given else words}"


@pytest.mark.parametrize("logger", ["prefect.flow_runs", "prefect.task_runs", "prefect.engine"])
def test_an_error_of_ours_is_a_sentence_and_any_other_keeps_its_trace(logger: str) -> None:
    full, theirs = StoreError("The store is 100% full."), ValueError("x")
    for error, said in ((full, f"Ended: {full}"), (theirs, "Ended")):
        record = logging.LogRecord(logger, logging.ERROR, "", 0, "Ended", (), (type(error), error, None))
        assert logging.getLogger(logger).filter(record)
        assert record.getMessage() == said
        assert bool(record.exc_info) == isinstance(error, ValueError)
