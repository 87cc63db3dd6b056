"""A process beside this one for reading many files. A thread would not help, as parsing holds Python's lock too often.

This module imports nothing heavy, so that the process can set its environment before Polars is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from threading import Thread

#: Niceness of the reader. On a busy machine the parent goes first, as the reader prepares its next step.
_NICE = 2


def _begin() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"
    os.nice(_NICE)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent has ended, even if that was killed: nobody else would tell it to."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def reading_process() -> Iterator[ProcessPoolExecutor]:
    """Start a new process with one thread for numerical work. What it is given must pickle.

    One is enough: reading a month takes it as long as checking one takes its parent, and a second would need 150 MB.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin) as pool:
        yield pool
