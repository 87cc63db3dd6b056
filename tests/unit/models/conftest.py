"""A made-up design: enough inspections to walk forward, with a known tie between figures and judgements."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.comparing.wide import wide_columns
from features.frames import NATIONAL
from models.judgements.asof import Variant
from models.judgements.design import CONTEXT_DIRECTIONS, TARGETS, Design, direction
from models.judgements.labels import INSPECTIONS
from models.learning.candidates import DEMAND, FLOW, LEVELS
from models.learning.promotion import Verdict
from models.registry.shipped import shipped_model
from models.registry.versions import Objects, promote, save
from models.score import ModelRef

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
    columns = dict.fromkeys([*INSPECTIONS, *TARGETS, *CONTEXT_DIRECTIONS, *wide_columns()])
    extra = {c: pl.Float64() for c in (*wide_columns(), *CONTEXT_DIRECTIONS, "population_0_17")}
    schema = {**INSPECTIONS, "region": pl.String(), "council_type": pl.String(), **extra}
    first_day = pl.DataFrame([{c: r.get(c) for c in columns} for r in rows], schema={c: schema[c] for c in columns})
    asked = [
        first_day.with_columns(
            as_of=pl.col("started").dt.offset_by(f"-{months}mo"),
            months_before=pl.lit(months, pl.Int64()),
            weight=pl.lit(0.5),
        )
        for months in (0, 12)
    ]
    national = pl.DataFrame(
        [("agency_rate_fte", date(2022, 9, 30), date(2023, 3, 1), v / 100) for v in range(5, 45)],
        schema=NATIONAL,
        orient="row",
    )
    frame = pl.concat(asked).sort("published", "la_code", "months_before")
    return Design(frame, Variant.OWN_DATA_AT_ONCE, national, each_january(first_day, last))


def each_january(first_day: pl.DataFrame, last: int) -> pl.DataFrame:
    """Every council on 1 January, with the figures it will have at its next inspection; none known after the last."""
    days = pl.DataFrame({"as_of": [date(year, 1, 1) for year in range(2017, last + 2)]})
    asked = first_day.select("la_code").unique().join(days, how="cross").sort("as_of", "la_code")
    following = asked.join_asof(
        first_day.drop("as_of").with_columns(day="started").sort("day"),
        left_on="as_of",
        right_on="day",
        by="la_code",
        strategy="forward",
        check_sortedness=False,
    ).drop("day")
    counted = following.with_columns(framework=pl.when(pl.col("framework") == "ILACS").then("framework"))
    return counted.with_columns(months_before=pl.lit(None, pl.Int64()), weight=pl.lit(1.0)).select(first_day.columns)


@pytest.fixture(scope="session")
def design() -> Design:
    """The made-up design, 2014 to 2022."""
    return made_up()


def install_shipped(store: Objects, on: date) -> ModelRef:
    """Make the shipped model the current one of a store; return its reference."""
    model, verdict = shipped_model(), Verdict("shipped with Holdfast", ())
    save(store, model, verdict)
    promote(store, model.ref, verdict, on, "holdfast", "the shipped model is the default")
    return model.ref
