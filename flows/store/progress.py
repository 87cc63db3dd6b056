"""Progress for a person who waits: log lines of one logger, shown when a run is started in a terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOGGER = logging.getLogger("holdfast.progress")
# A run's log in Prefect shows what is being done; a logger without a level would inherit that of warnings.
_LOGGER.setLevel(logging.INFO)


def step(text: str, *values: object) -> None:
    """Log what is being done now. `values` fill `text`, as in logging."""
    _LOGGER.info(text, *values)


class _Shown(logging.Handler):
    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(record.getMessage())


@contextmanager
def showing_progress(show: Callable[[str], None]) -> Iterator[None]:
    """Pass every step to `show` while the block runs."""
    handler = _Shown(show)
    before = _LOGGER.level, _LOGGER.propagate
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.level, _LOGGER.propagate = before
