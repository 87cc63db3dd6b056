"""A council's context: its judgements so far, deprivation and size. It is used, shown and audited.

Context is never presented as the council's doing. Only judgements already published on the day are read: a judgement is
known from its publication, not from the inspection.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from features.councils import Council, Register
from features.frameworks import INADEQUATE

#: One row per council. `previous_judgement` is what the grade of impact of leaders counts as, 1 outstanding to 4
#: inadequate; `previous_words` is that grade as its framework words it.
CONTEXT = pl.Schema(
    {
        "la_code": pl.String(),
        "as_of": pl.Date(),
        "previous_judgement": pl.Int64(),
        "previous_words": pl.String(),
        "months_since_judgement": pl.Int64(),
        "judgement_before_that": pl.Int64(),
        "ever_inadequate": pl.Boolean(),
        "judgements_known": pl.Int64(),
        "imd_score": pl.Float64(),
        "population_0_17": pl.Int64(),
        "region": pl.String(),
        "council_type": pl.String(),
    }
)


def context(register: Register, day: date) -> pl.DataFrame:
    """CONTEXT of every council in the register as it was known on `day`, sorted by la_code.

    A council without a published judgement has nulls, and false for `ever_inadequate`.
    """
    rows = [_row(council, day) for council in register.councils]
    return pl.DataFrame(rows, schema=CONTEXT, orient="row").sort("la_code")


def whole_months(earlier: date, later: date) -> int:
    """Whole months from one day to another, as a person counts them: from 31 January to 28 February is 0."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return months - (later.day < earlier.day)


def _row(council: Council, day: date) -> tuple[object, ...]:
    known = council.judgements_by(day)
    grades = [j.grade for j in known]
    return (
        council.la_code,
        day,
        grades[-1] if grades else None,
        known[-1].impact_of_leaders if known else None,
        whole_months(known[-1].published, day) if known else None,
        grades[-2] if len(grades) > 1 else None,
        INADEQUATE in grades,
        len(grades),
        council.imd_score,
        council.population_0_17,
        council.region,
        council.council_type,
    )
