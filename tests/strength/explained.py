"""Small changes that no quick test of the room can notice, each with the reason.

`tests.strength.changes` counts them apart. A place is a file, a part of the line that is changed, and the change.
"""

from __future__ import annotations

from typing import NamedTuple

_LENGTHS = "Both sides have one length by construction; strict says so, and turns a fault of ours into an error."

_FLOORS = "A floor chosen by judgement from the published figures: a test could only repeat the number."


class Explained(NamedTuple):
    """One change, and why no test notices it; an empty file name means every file."""

    file: str
    line: str
    change: str
    reason: str


EXPLAINED = (
    Explained("", "strict=True", "True -> False", _LENGTHS),
    Explained(
        "",
        "maintain_order=True",
        "True -> False",
        "Polars may keep the order without it: a test would fail now and then.",
    ),
    Explained(
        "flows/alerts/facts.py",
        "t.weight < 0",
        "0 -> 1",
        "Weights are whole and never 0, and those of 1 stay as they are.",
    ),
    Explained("flows/alerts/letter/charts.py", '"axes.spines.', "False -> True", "How a chart looks: seen by eye."),
    *(
        Explained("expectations/suites/plausible.py", 'Watch("', f"{floor} -> {floor + 1}", _FLOORS)
        for floor in (6, 8, 10, 25, 40, 50, 60, 100)
    ),
)
