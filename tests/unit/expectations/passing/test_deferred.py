"""A deferred module is not imported until it is used, and then it is the real one."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from expectations.passing.deferred import defer
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


def test_a_part_of_a_deferred_package_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "late_package"
    package.mkdir()
    (package / "__init__.py").write_text("VALUE = 7\n")
    (package / "part.py").write_text("VALUE = 8\n")
    (tmp_path / "late_module.py").write_text("VALUE = 9\n")
    monkeypatch.syspath_prepend(tmp_path)
    defer("late_package", "late_module", "no_such_module")
    try:
        assert "no_such_module" not in sys.modules
        assert list(sys.modules["late_package"].__path__) == [str(package)]
        assert list(sys.modules["late_module"].__path__) == []
        assert import_module("late_package.part").VALUE == 8
        assert import_module("late_package").VALUE == 7
        assert import_module("late_module").VALUE == 9
        with pytest.raises(AttributeError):
            _ = import_module("late_module").nothing
    finally:
        for name in ("late_package", "late_package.part", "late_module"):
            sys.modules.pop(name, None)
