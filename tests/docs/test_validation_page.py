"""The example in docs/validation.md is read by the reader it describes."""

import re
from pathlib import Path

from expectations.accepted import read_accepted
from features.months import Month

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation.md"


def test_the_example_of_an_accepted_failure_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (entry,) = read_accepted(example, "docs/validation.md")
    assert entry.matches("workforce.reason_leave.missing", "370", "workforce", "reason_leave")
    assert entry.holds_in(Month(2026, 12))
    assert not entry.holds_in(Month(2027, 1))
