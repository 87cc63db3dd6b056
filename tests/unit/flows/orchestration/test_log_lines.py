"""A line in a run's log says which council and which step it is about."""

from __future__ import annotations

import logging

import pytest

import flows.orchestration.tasks  # noqa: F401


@pytest.mark.parametrize(("words", "given"), [("Finished in state Completed()", ()), ("Took %d s", (3,))])
def test_a_task_runs_line_begins_with_its_name(words: str, given: tuple[int, ...]) -> None:
    record = logging.LogRecord("prefect.task_runs", logging.INFO, "", 0, words, given, None)
    record.task_run_name = "Read 50% Town, 2026-10"
    logger = logging.getLogger("prefect.task_runs")
    for _ in range(2):  # a record may pass twice
        assert logger.filter(record)
    assert record.getMessage() == f"Read 50% Town, 2026-10: {words % given if given else words}"
