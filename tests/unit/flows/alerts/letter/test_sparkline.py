"""The two small pictures of the region page, drawn point by point."""

from __future__ import annotations

import base64
import re

import pytest

from features.months import month_range
from flows.alerts.facts import CONCERN, IMPROVEMENT, Series
from flows.alerts.letter.sparkline import band_strip, sparkline, sparkline_picture, strip_words
from flows.alerts.state import Band, BandPoint
from tests.unit.flows.alerts.examples import MONTH


def _series(*values: float | None, toward: str | None = None, near: float | None = None) -> Series:
    gaps = (None,) * len(values)
    return Series(
        measure="agency_rate_fte",
        months=tuple(month_range(MONTH.plus(1 - len(values)), MONTH)),
        values=values,
        mean=gaps,
        lower=gaps,
        upper=gaps,
        toward=(*gaps[1:], toward),
        neighbours=(near,) * len(values),
    )


def _lines(drawn: str, name: str) -> list[str]:
    return re.findall(rf'class="{name}" d="([^"]*)"', drawn)


def test_the_line_goes_from_corner_to_corner_and_breaks_at_a_gap() -> None:
    assert _lines(sparkline(_series(0.1, 0.3)), "own") == ["M4.0 32.0L128.0 4.0"]
    assert _lines(sparkline(_series(0.1, 0.3, None, 0.2, 0.3)), "own") == ["M4.0 32.0L35.0 4.0", "M97.0 18.0L128.0 4.0"]
    assert sparkline(_series(None, 0.1)) == ""


def test_small_differences_do_not_look_like_a_cliff() -> None:
    assert _lines(sparkline(_series(0.49, 0.5)), "own") == ["M4.0 19.4L128.0 16.6"]


def test_the_usual_range_the_neighbours_and_the_goal_are_in_the_scale() -> None:
    one = _series(0.2, 0.3, near=0.1).model_copy(update={"lower": (None, 0.2), "upper": (None, 0.4)})
    drawn = sparkline(one, goal=0.5)
    assert '<rect class="usual" x="4" y="11.0" width="124" height="14.0"/>' in drawn
    assert _lines(drawn, "near") == ["M4.0 32.0L128.0 32.0"]
    assert _lines(drawn, "goal") == ["M4.0 4.0L128.0 4.0"]
    assert _lines(sparkline(_series(0.2, 0.3)), "near") == []


@pytest.mark.parametrize(
    ("toward", "mark"),
    [
        (CONCERN, 'x="125.0" y="1.0" width="6" height="6"/>'),
        (IMPROVEMENT, 'cx="128.0" cy="4.0" r="3"/>'),
        (None, 'cx="128.0" cy="4.0" r="2"/>'),
    ],
)
def test_the_last_month_is_a_square_or_a_dot(toward: str | None, mark: str) -> None:
    assert mark in sparkline(_series(0.1, 0.3, toward=toward))


def test_a_bar_a_month_and_a_gap_where_no_month_was_run() -> None:
    bands = [(-3, Band.STEADY), (-1, Band.WATCH), (0, Band.LOSING_GRIP)]
    points = [BandPoint(month=MONTH.plus(n), band=band) for n, band in bands]
    drawn = band_strip(points)
    assert 'viewBox="0 0 20 18"' in drawn
    assert re.findall(r'x="(\d+)" y="(\d+)" width="4" height="(\d+)"', drawn) == [
        ("0", "14", "4"),
        ("10", "7", "11"),
        ("15", "0", "18"),
    ]
    assert strip_words(points) == (
        "losing grip since October 2026; before, watch from September 2026; before, steady from July 2026"
    )
    assert strip_words([BandPoint(month=MONTH.plus(-4), band=Band.WATCH), *points]) == strip_words(points)
    assert band_strip(points[:1]) == ""


def test_each_band_has_its_height() -> None:
    """From the foot of the strip: a steady month is low, losing grip as tall as it gets."""
    points = [BandPoint(month=MONTH.plus(n - 5), band=band) for n, band in enumerate(Band)]
    found = re.findall(r'class="bar (\w+)" x="(\d+)" y="(\d+)" width="4" height="(\d+)"', band_strip(points))
    assert found == [
        ("steady", "0", "14", "4"),
        ("watch", "5", "7", "11"),
        ("losing_grip", "10", "0", "18"),
        ("recovering", "15", "8", "10"),
        ("not_scored", "20", "8", "10"),
        ("first_months", "25", "14", "4"),
    ]


@pytest.mark.parametrize(("low", "high"), [(None, 0.4), (0.2, None), (None, None)])
def test_half_a_usual_range_is_not_drawn(low: float | None, high: float | None) -> None:
    one = _series(0.2, 0.3).model_copy(update={"lower": (None, low), "upper": (None, high)})
    assert "usual" not in sparkline(one)


def test_the_picture_alone_is_the_drawing_with_its_size_and_style_or_nothing() -> None:
    assert sparkline_picture(_series(None, 0.3)) == ""
    head, _, content = sparkline_picture(_series(0.1, 0.3)).partition(",")
    drawn = base64.b64decode(content).decode()
    assert head == "data:image/svg+xml;base64"
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="132" height="36" class="spark"')
    assert "<style>" in drawn and _lines(drawn, "own") == ["M4.0 32.0L128.0 4.0"]
