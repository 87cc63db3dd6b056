"""Worker processes for reading many files. Threads would not help, as parsing holds Python's lock too often.

This module imports nothing heavy, so that a worker can set its environment before Polars is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

#: Niceness of the workers. On a busy machine the parent goes first, as the workers prepare its next step.
_NICE = 2


def _one_thread_each() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"
    os.nice(_NICE)


@contextmanager
def worker_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Start `count` new processes, each with one thread for numerical work. Their arguments must pickle."""
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_one_thread_each) as pool:
        yield pool
