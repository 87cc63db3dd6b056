"""How lines stand in a run's log: with council and step, and with a sentence where an error of ours ends a run.

Importing this module is enough. The engine logs an error with its whole trace; an error of ours is a sentence that says
what is wrong and what to do, so its trace is left out. Every other error keeps it.
"""

from __future__ import annotations

import logging

from features.errors import HoldfastError


def _named(record: logging.LogRecord) -> bool:
    """Log filter that puts the task run's name, which has council and step, before Prefect's own words."""
    name = str(getattr(record, "task_run_name", ""))
    said = name.replace("%", "%%") if record.args else name
    if name and not str(record.msg).startswith(f"{said}: "):
        record.msg = f"{said}: {record.msg}"
    return True


def _said(record: logging.LogRecord) -> bool:
    """Log filter that puts the sentence of an error of ours in the place of its trace."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HoldfastError):
        record.exc_info = record.exc_text = None
        said = str(error).replace("%", "%%") if record.args else str(error)
        # An error of ours was foreseen, whatever the engine says of it.
        record.msg = said if "unexpected exception" in str(record.msg) else f"{record.msg}: {said}"
    return True


for _logger in ("prefect.flow_runs", "prefect.task_runs", "prefect.engine"):
    logging.getLogger(_logger).addFilter(_said)
logging.getLogger("prefect.task_runs").addFilter(_named)
