"""A made-up design: enough inspections to walk forward, with a known tie between figures and judgements."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.comparing.wide import wide_columns
from features.frames import NATIONAL
from models.judgements.asof import Variant
from models.judgements.design import CONTEXT_DIRECTIONS, Design, direction
from models.judgements.labels import INSPECTIONS
from models.learning.candidates import CONTEXT, DEMAND, FLOW, LEVELS, PREVIOUS

COUNCILS = 60


def made_up(seed: int = 7, first: int = 2014, last: int = 2022, strength: float = 1.2) -> Design:
    """One inspection per council every third year; judgements follow agency use, timeliness and history."""
    generator = np.random.default_rng(seed)
    rows = []
    for council in range(COUNCILS):
        before: float | None = None
        for year in range(first + council % 3, last + 1, 3):
            figures = {c: float(generator.uniform()) for c in (*LEVELS, *FLOW, *DEMAND)}
            risk = sum(direction(c) * (v - 0.5) for c, v in figures.items()) * strength + generator.logistic() * 0.5
            subs = [int(np.clip(round(2.4 + risk + generator.normal() * 0.4), 1, 4)) for _ in range(4)]
            started = date(year, 1 + int(generator.integers(12)), 1 + int(generator.integers(28)))
            rows.append(
                figures
                | {
                    "la_code": str(300 + council),
                    "framework": "ILACS" if year >= 2018 else "SIF",
                    "started": started,
                    "published": started + timedelta(days=60),
                    "grade": subs[0],
                    "help": subs[1],
                    "care": subs[2],
                    "care_leavers": subs[3],
                    "overall": subs[1],
                    "sub_mean": float(np.mean(subs)),
                    "below_good": subs[0] > 2,
                    "inadequate": subs[0] == 4,
                    "previous_grade": before,
                    "good_before": None if before is None else before < 2.5,
                    "previous_judgement": before,
                    "previous_sub_mean": before,
                    "imd_score": float(generator.uniform(8, 45)),
                    "population_0_17": float(generator.uniform(20_000, 200_000)),
                    "region": ("North", "South")[council % 2],
                    "council_type": "Unitary authority",
                    "agency_rate_fte": figures[LEVELS[0]] / 2,
                }
            )
            before = float(subs[0])
    columns = dict.fromkeys(
        [*INSPECTIONS, "region", "council_type", "population_0_17", *CONTEXT_DIRECTIONS, *wide_columns()]
    )
    extra = {c: pl.Float64() for c in (*wide_columns(), *CONTEXT_DIRECTIONS, "population_0_17")}
    schema = {**INSPECTIONS, "region": pl.String(), "council_type": pl.String(), **extra}
    frame = pl.DataFrame([{c: r.get(c) for c in columns} for r in rows], schema={c: schema[c] for c in columns})
    national = pl.DataFrame(
        [("agency_rate_fte", date(2022, 9, 30), date(2023, 3, 1), v / 100) for v in range(5, 45)],
        schema=NATIONAL,
        orient="row",
    )
    return Design(frame.sort("published", "la_code"), Variant.OWN_DATA_AT_ONCE, national)


@pytest.fixture(scope="session")
def design() -> Design:
    """The made-up design, 2014 to 2022."""
    return made_up()


@pytest.fixture(scope="session")
def features_read() -> tuple[str, ...]:
    """The columns of the plainest full model."""
    return (*LEVELS, *FLOW, *DEMAND, *PREVIOUS, *CONTEXT)
