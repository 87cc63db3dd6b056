from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flows.alerts.facts import Series
from flows.alerts.letter.charts import draw_chart
from flows.alerts.letter.panel import BLUE, ORANGE, steps
from tests.unit.flows.alerts.examples import facts

THREE = tuple(facts().series.values())


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def colours_near(png: bytes, wanted: str) -> int:
    """How many pixels have about this colour; the palette may round it a little."""
    target = np.array([int(wanted[i : i + 2], 16) for i in (1, 3, 5)])
    distance = np.abs(np.asarray(picture(png)).astype(int) - target).max(axis=2)
    return int((distance < 12).sum())


def test_three_panels_are_small_and_white() -> None:
    chart = draw_chart(THREE)
    assert chart is not None
    assert len(chart.png) < 40_000
    assert picture(chart.png).getpixel((0, 0)) == (255, 255, 255)
    assert picture(chart.png).size == (chart.width * 2, chart.height * 2)


def test_concern_is_orange_and_improvement_blue() -> None:
    worse, better = draw_chart(THREE), draw_chart(tuple(facts(better=True).series.values()))
    assert worse is not None
    assert better is not None
    assert colours_near(worse.png, ORANGE) > 100 > colours_near(worse.png, BLUE)
    assert colours_near(better.png, BLUE) > 100 > colours_near(better.png, ORANGE)


def test_the_same_data_give_the_same_bytes_in_another_process() -> None:
    chart = draw_chart(THREE)
    assert chart is not None
    program = (
        "import hashlib; from tests.unit.flows.alerts.letter.test_charts import THREE; "
        "from flows.alerts.letter.charts import draw_chart; print(hashlib.sha256(draw_chart(THREE).png).hexdigest())"
    )
    root = Path(__file__).parents[5]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == hashlib.sha256(chart.png).hexdigest()


def test_councils_drawn_side_by_side_get_the_pictures_they_get_alone() -> None:
    work = [THREE, THREE[:1], THREE[1:], THREE[:2]] * 2
    alone = [draw_chart(series) for series in work[:4]] * 2
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(draw_chart, work)) == alone


def test_the_alt_text_says_what_the_picture_shows() -> None:
    chart = draw_chart(THREE[:1])
    assert chart is not None
    assert chart.alt == (
        "Chart to October 2026. Cases without a worker 7.0%, marked worse for 5 months, "
        "usual range 2.8% to 5.2%, similar councils 2.1%."
    )


@pytest.mark.parametrize(
    ("measure", "drawn"),
    [
        ("turnover_rate_fte", "Turnover, by month"),
        ("re_referral_rate", "Re-referrals within 12 months, by month"),
        ("unallocated_rate", "Cases without a worker"),
    ],
)
def test_a_months_own_figure_is_not_called_by_the_name_of_the_years(measure: str, drawn: str) -> None:
    chart = draw_chart((THREE[0].model_copy(update={"measure": measure}),))
    assert chart is not None
    assert f" {drawn} 7.0%, marked worse" in chart.alt


def test_a_gap_at_the_end_is_named_with_its_last_known_month() -> None:
    series = THREE[0]
    gap = series.model_copy(update={"values": (*series.values[:-1], None)})
    chart = draw_chart((gap,))
    assert chart is not None
    assert "in September 2026, the last known" in chart.alt


def test_nothing_to_draw_is_no_chart() -> None:
    empty = Series.model_validate(THREE[0].model_dump() | {"values": (None,) * 24})
    assert draw_chart((empty,)) is None
    assert draw_chart(()) is None


_VALUE = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1e-9, 0.07])


@given(st.lists(_VALUE, min_size=24, max_size=24), _VALUE, st.booleans())
def test_any_series_can_be_drawn(values: list[float | None], goal: float | None, level: bool) -> None:
    one = THREE[0]
    given = [values[0]] * 24 if level else values
    drawn = one.model_copy(update={"values": tuple(given), "settled": goal, "begun_anew": one.months[3:4]})
    chart = draw_chart((drawn,), {} if goal is None else {one.measure: goal})
    assert (chart is None) == (sum(v is not None for v in given) < 2)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_a_scale_names_two_to_five_round_values_within(low: float, span: float) -> None:
    named = steps(low, low + span)
    assert 2 <= len(named) <= 5
    slack = 1e-6 * max(abs(low), span)
    assert all(low - slack <= value <= low + span + slack for value in named)
