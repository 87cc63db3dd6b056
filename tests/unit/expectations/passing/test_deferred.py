"""A deferred module is not imported until it is used, and then it is the real one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


def said(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_it_is_imported_when_it_is_first_used() -> None:
    program = (
        "import sys; from expectations.passing.deferred import defer; defer('wave'); "
        "import wave; before = 'chunk' in vars(sys.modules['wave']) or 'Wave_read' in vars(sys.modules['wave']); "
        "found = wave.Wave_read; print(before, found.__name__, 'Wave_read' in vars(sys.modules['wave']))"
    )
    assert said(program) == "False Wave_read True"


def test_a_module_that_is_there_stays_and_one_that_is_not_is_left_out() -> None:
    program = (
        "import sys, wave; from expectations.passing.deferred import defer; defer('wave', 'no_such_module_at_all'); "
        "print(sys.modules['wave'] is wave, 'no_such_module_at_all' in sys.modules)"
    )
    assert said(program) == "True False"


@pytest.mark.soak
def test_great_expectations_brings_neither_statistics_nor_pictures() -> None:
    program = (
        "import sys; from expectations.passing.engine import load_great_expectations as load; load(); "
        "print([n for n in ('scipy.stats._stats_py', 'altair.vegalite') if n in sys.modules])"
    )
    assert said(program) == "[]"
