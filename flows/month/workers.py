"""Worker processes for reading many files: parsing holds Python's lock too often for threads to help.

Imports nothing heavy, so that a worker sets its environment before Polars is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

#: Workers prepare what the process that started them does next, so on a full machine that one goes first.
_NICE = 2


def _one_thread_each() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"
    os.nice(_NICE)


@contextmanager
def worker_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """`count` fresh processes, each with one thread for numerical work; what they are given must pickle."""
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_one_thread_each) as pool:
        yield pool
