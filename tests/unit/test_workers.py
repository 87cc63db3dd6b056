"""Which process runs which file: a file's tests stay together, and so do files that share a server."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

from xdist.remote import Producer

from tests.conftest import pytest_xdist_make_scheduler

SERVED = ("tests/integration/test_repair.py", "tests/integration/test_run_killed.py")
ALONE = ("tests/unit/test_house.py", "tests/unit/test_workers.py")


class Worker:
    """Stands for a process: takes down what it is to run."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def who_runs(tests: list[str]) -> dict[str, set[str]]:
    """File -> the processes that were given its tests, when two processes run them to the end."""
    options = SimpleNamespace(loadscopereorder=False)
    config: Any = SimpleNamespace(getvalue=lambda _: ["2*popen"], option=options)
    scheduler = pytest_xdist_make_scheduler(config, Producer("tests", enabled=False))
    workers: list[Any] = [Worker("one"), Worker("two")]
    for worker in workers:
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, tests)
    scheduler.schedule()
    found: dict[str, set[str]] = defaultdict(set)
    done = 0
    while done < len(tests):
        for worker in workers:
            while worker.given:
                number = worker.given.pop(0)
                found[tests[number].partition("::")[0]].add(worker.gateway.id)
                scheduler.mark_test_complete(worker, number)
                done += 1
    return found


def test_a_file_runs_in_one_process_and_files_that_share_a_server_in_the_same() -> None:
    files = [*SERVED, *ALONE]
    ran = who_runs([f"{file}::test_{n}" for file in files for n in range(3)])
    assert set(ran) == set(files)
    assert all(len(workers) == 1 for workers in ran.values())
    assert ran[SERVED[0]] == ran[SERVED[1]]
    assert set().union(*ran.values()) == {"one", "two"}, "both have something to do"
