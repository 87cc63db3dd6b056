"""Where each line, mark and word of a panel stands, in pixels, as the drawing library is told."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
from PIL import Image

from features.months import month_range
from flows.alerts.facts import CONCERN, IMPROVEMENT, Series
from flows.alerts.letter import panel
from flows.alerts.letter.panel import _dashed, _dotted, _runs, draw_panel, steps
from tests.unit.flows.alerts.examples import MONTH


class Told:
    """Stands for the library, and for the picture: takes down what it is told, in order; rows of dashes in one line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, image: Any) -> Told:
        return self

    def rectangle(self, box: Any, fill: Any) -> None:
        self._say("rectangle", box, fill)

    def ellipse(self, box: Any, fill: Any) -> None:
        self._say("ellipse", box, fill)

    def line(self, points: list[Any], fill: Any, width: int, joint: str) -> None:
        self._say(f"line of {width}", [v for point in points for v in point], fill)

    def text(self, at: Any, text: str, colour: str, font: Any, anchor: str) -> None:
        bold = " bold" if "Bold" in font.path else ""
        self._say(f"{text}, {font.size:.1f}{bold} {anchor}", at, colour)

    def textbbox(self, at: Any, text: str, font: Any, anchor: str) -> tuple[float, ...]:
        return (at[0] - 100, at[1] - 20, at[0], at[1])

    def paste(self, colour: str, at: tuple[int, int], mask: Image.Image) -> None:
        self._say(f"that {mask.width}x{mask.height}", at, colour)

    def _say(self, what: str, numbers: Any, more: Any) -> None:
        self.lines.append(f"{what}: {' '.join(f'{v:.1f}' for v in numbers)} {more}")

    def shortly(self) -> list[str]:
        """With rows of four dashes and more as their number, the first and the last."""
        found: list[str] = []
        for _, run in groupby(self.lines, key=lambda line: (line.partition(":")[0], line.rpartition(" ")[2])):
            row = list(run)
            found += row if len(row) < 4 else [f"{len(row)} of {row[0]}", f"to {row[-1]}"]
        return found


def told(monkeypatch: pytest.MonkeyPatch, series: Series, title: str, goal: float | None, top: int = 0) -> list[str]:
    library: Any = Told()
    monkeypatch.setattr(panel.ImageDraw, "Draw", library.begin)
    draw_panel(library, top, series, title, goal)
    found: list[str] = library.shortly()
    return found


def series(**changed: Any) -> Series:
    months = tuple(month_range(MONTH.plus(-4), MONTH))
    none = (None,) * 5
    given: dict[str, Any] = {
        "measure": "agency_rate_fte",
        "months": months,
        "values": none,
        "mean": none,
        "lower": none,
        "upper": none,
        "toward": none,
        "neighbours": none,
        **changed,
    }
    return Series(**given)


#: What every panel of these five months has: both axes, and the first, the middle and the last month.
AXES = """
rectangle: 96.0 60.0 97.0 236.0 #c3cbd2
rectangle: 96.0 235.0 698.0 236.0 #c3cbd2
rectangle: 166.0 236.0 166.0 242.0 #4a5862
Jun 26, 20.8 ma: 166.0 246.0 #4a5862
rectangle: 398.0 236.0 398.0 242.0 #4a5862
Aug 26, 20.8 ma: 398.0 246.0 #4a5862
rectangle: 629.0 236.0 629.0 242.0 #4a5862
Oct 26, 20.8 ra: 629.0 246.0 #4a5862
""".strip().splitlines()

MARKED = """
rectangle: 97.0 227.0 698.0 228.0 #eef1f3
10%, 20.8 rm: 86.0 228.0 #4a5862
rectangle: 97.0 147.0 698.0 148.0 #eef1f3
20%, 20.8 rm: 86.0 148.0 #4a5862
rectangle: 97.0 67.0 698.0 68.0 #eef1f3
30%, 20.8 rm: 86.0 68.0 #4a5862
rectangle: 96.0 60.0 97.0 236.0 #c3cbd2
rectangle: 96.0 235.0 698.0 236.0 #c3cbd2
rectangle: 166.0 236.0 166.0 242.0 #4a5862
Jun 26, 20.8 ma: 166.0 246.0 #4a5862
rectangle: 398.0 236.0 398.0 242.0 #4a5862
Aug 26, 20.8 ma: 398.0 246.0 #4a5862
rectangle: 629.0 236.0 629.0 242.0 #4a5862
Oct 26, 20.8 ra: 629.0 246.0 #4a5862
49 of rectangle: 224.0 147.0 455.0 148.0 #9aa5ae
to rectangle: 684.0 227.0 686.0 228.0 #9aa5ae
36 of line of 10: 17.4 16.0 27.4 16.0 255
to line of 10: 941.4 16.0 951.4 16.0 255
that 242x8: 162.0 184.0 #33414d
line of 12: 21.4 660.0 483.7 340.0 255
line of 12: 1408.3 20.0 1870.6 340.0 255
ellipse: 9.0 647.6 33.8 672.4 255
ellipse: 1858.2 327.6 1883.0 352.4 255
that 473x170: 161.0 63.0 #76838f
ellipse: 7.7 4.0 47.7 44.0 255
that 13x12: 275.0 142.0 #0072b2
rectangle: 4.7 4.4 43.9 43.6 255
that 13x12: 507.0 62.0 #d55e00
Agency rate: 20%, 22.8 bold ls: 13.0 49.0 #1b262e
""".strip().splitlines()

SETTLED = """
rectangle: 97.0 514.0 698.0 515.0 #eef1f3
10%, 20.8 rm: 86.0 514.7 #4a5862
rectangle: 97.0 447.0 698.0 448.0 #eef1f3
15%, 20.8 rm: 86.0 448.0 #4a5862
rectangle: 97.0 380.0 698.0 381.0 #eef1f3
20%, 20.8 rm: 86.0 381.3 #4a5862
rectangle: 96.0 360.0 97.0 536.0 #c3cbd2
rectangle: 96.0 535.0 698.0 536.0 #c3cbd2
rectangle: 166.0 536.0 166.0 542.0 #4a5862
Jun 26, 20.8 ma: 166.0 546.0 #4a5862
rectangle: 398.0 536.0 398.0 542.0 #4a5862
Aug 26, 20.8 ma: 398.0 546.0 #4a5862
rectangle: 629.0 536.0 629.0 542.0 #4a5862
Oct 26, 20.8 ra: 629.0 546.0 #4a5862
97 of rectangle: 109.0 380.0 110.0 381.0 #d55e00
to rectangle: 685.0 380.0 686.0 381.0 #d55e00
26 of rectangle: 281.0 360.0 283.0 362.0 #33414d
to rectangle: 281.0 535.0 283.0 536.0 #33414d
line of 12: 21.4 21.3 483.7 21.3 946.0 21.3 1408.3 21.3 1870.6 21.3 255
5 of ellipse: 9.0 8.9 33.8 33.7 255
to ellipse: 1858.2 8.9 1883.0 33.7 255
that 473x11: 161.0 376.0 #76838f
20 of rectangle: 109.0 513.0 130.0 515.0 #006b4f
to rectangle: 679.0 513.0 686.0 515.0 #006b4f
rectangle: 584.4 499.7 688.4 523.7 white
your goal 10%, 19.4 bold ra: 686.4 521.7 #006b4f
Agency rate (worse, settled) and more and more and more, 19.1 bold ls: 13.0 349.0 #1b262e
""".strip().splitlines()


def test_a_line_with_its_range_its_marks_and_similar_councils(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap breaks the line; orange is a square, blue a larger dot; the mean is whole, the limit dashed."""
    one = series(
        values=(0.1, 0.2, None, 0.3, 0.2),
        mean=(None, 0.2, 0.2, 0.25, 0.25),
        lower=(None, 0.1, 0.1, 0.1, 0.1),
        toward=(None, IMPROVEMENT, None, CONCERN, None),
        neighbours=(0.15, 0.15, 0.15, None, None),
    )
    assert told(monkeypatch, one, "Agency rate: 20%", None) == MARKED


def test_a_flat_line_with_a_goal_a_settled_level_and_a_new_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The panel stands 300 pixels down; its long title is smaller; the goal's words stand below a goal below."""
    one = series(values=(0.2,) * 5, settled=0.2)
    one = one.model_copy(update={"begun_anew": one.months[1:2]})
    assert told(monkeypatch, one, "Agency rate (worse, settled)" + " and more" * 3, 0.1, top=300) == SETTLED


def test_the_words_of_a_goal_above_stand_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(monkeypatch, series(values=(0.2,) * 5), "Agency rate: 20%", 0.3)
    assert "your goal 30%, 19.4 bold rd: 686.4 74.3 #006b4f" in found
    assert [line for line in found if line in AXES] == AXES


@pytest.mark.parametrize(
    ("level", "scale"), [(0.2, ["19%", "20%", "21%"]), (0.0, ["−5.0%", "0%", "5.0%"]), (-0.2, ["−21%", "−20%", "−19%"])]
)
def test_a_level_line_stands_in_the_middle(monkeypatch: pytest.MonkeyPatch, level: float, scale: list[str]) -> None:
    found = told(monkeypatch, series(measure="net_change_rate_fte", values=(level,) * 5), "Agency rate", None)
    words = [line for line in found if " rm:" in line]
    assert [line.partition(",")[0] for line in words] == scale
    assert [line.rpartition(" rm:")[2] for line in words] == [f" 86.0 {y}.0 #4a5862" for y in (228, 148, 68)]
    assert "that 473x10: 161.0 143.0 #76838f" in found


@pytest.mark.parametrize(
    ("low", "high", "named"),
    [
        (0, 1, [0, 0.5, 1]),
        (0, 0.3, [0, 0.1, 0.2, 0.3]),
        (0.1, 0.2, [0.1, 0.15, 0.2]),
        (0.09, 0.31, [0.1, 0.2, 0.3]),
        (-1, 1, [-1, 0, 1]),
        (0, 7, [0, 2.5, 5]),
        (0, 3, [0, 1, 2, 3]),
        (0, 20, [0, 10, 20]),
        (0, 0.29, [0, 0.1, 0.2]),
        (0, 100, [0, 50, 100]),
        (12, 17, [12, 14, 16]),
        (0.04, 0.0701, [0.04, 0.06]),
        (99.9, 100.05, [99.9, 99.95, 100, 100.05]),
    ],
)
def test_the_round_values_of_a_scale(low: float, high: float, named: list[float]) -> None:
    assert steps(low, high) == pytest.approx(named)


def test_dashes_end_with_their_line_and_go_on_round_a_corner() -> None:
    assert list(_dashed(10, 40, (7, 3))) == [(10, 16), (20, 26), (30, 36), (40, 40)]
    assert list(_dashed(10.4, 30.6, (3, 4))) == [(10, 12), (17, 19), (24, 26), (31, 31)]
    corner = list(_dotted([(0, 0), (3, 4), (3, 14)], 2.5, 4.1))
    assert [v for dash in corner for point in dash for v in point] == pytest.approx(
        [0, 0, 1.5, 2, 3, 5.6, 3, 8.1, 3, 12.2, 3, 14.7]
    )


def test_limits_that_stay_are_one_step() -> None:
    assert list(_runs([None, 1.0, 1.0, 2.0, None, 2.0])) == [(1, 2, 1.0), (3, 3, 2.0), (5, 5, 2.0)]
