"""The example in docs/validation.md is read by the reader it describes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from expectations.accepted import read_accepted
from features.months import Month
from features.registry import Kind
from flows.papers.templates import write_template

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation.md"


def test_the_example_of_an_accepted_failure_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (entry,) = read_accepted(example, "docs/validation.md")
    assert entry.matches("workforce.reason_leave.missing", "370", "workforce", "reason_leave")
    assert entry.holds_in(Month(2026, 12))
    assert not entry.holds_in(Month(2027, 1))


@pytest.mark.soak
def test_the_suite_is_asked_by_great_expectations_as_the_page_says(tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "suites").symlink_to(PAGE.parent / "suites")
    _, example = write_template(Kind.WORKFORCE, tmp_path / "to-fill.csv", as_csv=True)
    example.rename(tmp_path / "workforce.csv")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    said = ast.literal_eval(done.stdout.strip().splitlines()[-1])
    assert said["evaluated_expectations"] == said["successful_expectations"] > 0
