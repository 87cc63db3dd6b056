"""A group's own monthly history as a design: the same table as from the published record, so training is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from features.comparing.context import context
from features.comparing.wide import wide_columns, wide_latest
from features.councils import Council, Register
from features.frameworks import GOOD, INADEQUATE, Judgement
from features.words import count_words
from models.judgements.asof import Variant
from models.judgements.design import CONTEXT_DIRECTIONS, TARGETS, Design
from models.judgements.labels import BELOW_GOOD_FROM, INSPECTIONS, MONTHS_BEFORE

#: The register gives publication days only. ILACS reports come out a median of 52 days after the start. Ten more days
#: keep anything learned during the visit out of the features.
DAYS_TO_PUBLICATION = 62
#: With at least this many judgements a group's own months teach the model. It is a tenth of the published ones, and
#: enough that one council's way of counting is not decisive.
OWN_FROM = 30


def design_from_history(features: pl.DataFrame, register: Register, national: pl.DataFrame) -> Design:
    """Every judgement of the register at each of MONTHS_BEFORE, with the features and context known then.

    `features`: FEATURES_SCHEMA of all available months. A judgement before the first month has no
    features, and the model learns only from its context.
    """
    rows = [
        _row(council, judgement, months)
        for council in register.councils
        for judgement in council.judgements_by(date.max)
        for months in MONTHS_BEFORE
        if _was_next(council, judgement, months)
    ]
    schema = {**INSPECTIONS, **_CONTEXT}
    asked = pl.DataFrame(rows, schema={n: schema[n] for n in _NAMES}, orient="row").with_columns(
        weight=1 / pl.len().over("la_code", "published")
    )
    days = asked["as_of"].unique().sort().to_list()
    columns = dict.fromkeys([*INSPECTIONS, *TARGETS, *CONTEXT_DIRECTIONS, *wide_columns()])
    if days:
        frame = asked.join(wide_latest(features, days, 2), on=["la_code", "as_of"], how="left", validate="m:1")
    else:
        frame = asked.with_columns(pl.lit(None, dtype=pl.Float64()).alias(n) for n in wide_columns())
    whole = frame.select(*columns).sort("published", "la_code", "months_before")
    return Design(whole, Variant.OWN_DATA_AT_ONCE, national, whole.clear())


def together(public: Design, own: Design) -> Design:
    """The published record and a group's history as one design; for the same judgement the group's row is used.

    If the group has no figures yet for a judgement's months, the published row is used.
    """
    key = ["la_code", "published"]
    seen = with_months(own)
    frame = pl.concat([seen, public.frame.join(seen.select(key).unique(), on=key, how="anti")])
    return replace(public, frame=frame.sort(*key[::-1], "months_before"))


def with_months(own: Design) -> pl.DataFrame:
    """The rows of a group's history that have figures from its own months."""
    figures = [c for c in wide_columns() if c in own.frame.columns]
    return own.frame.filter(pl.any_horizontal(pl.col(c).is_not_null() for c in figures))


def too_few(own: Design) -> str | None:
    """Why a group's own record does not teach the model yet (fewer than OWN_FROM judgements); None if it does."""
    judgements = with_months(own).select("la_code", "published").unique().height
    if judgements >= OWN_FROM:
        return None
    count = count_words(judgements, "judgement", "judgements")
    return (
        f"The group has {count} with months of its own before them; its record teaches from {OWN_FROM} on. Until then "
        "it is kept, and shown beside what was said."
    )


def _asked(judgement: Judgement, months: int) -> date:
    started = judgement.published - timedelta(days=DAYS_TO_PUBLICATION)
    return pl.select(pl.lit(started).dt.offset_by(f"-{months}mo")).item()  # type: ignore[no-any-return]


def _was_next(council: Council, judgement: Judgement, months: int) -> bool:
    earlier = council.judged_by(_asked(judgement, 0))
    return earlier is None or earlier.published <= _asked(judgement, months)


_CONTEXT = {
    **dict.fromkeys(CONTEXT_DIRECTIONS, pl.Float64()),
    "population_0_17": pl.Float64(),
    "region": pl.String(),
    "council_type": pl.String(),
}
_NAMES = tuple(dict.fromkeys([*INSPECTIONS, *TARGETS, *CONTEXT_DIRECTIONS]))


def _row(council: Council, judgement: Judgement, months: int) -> tuple[object, ...]:
    started, as_of = _asked(judgement, 0), _asked(judgement, months)
    about = context(Register((council,)), as_of).row(0, named=True)
    framework, grade = judgement.framework, judgement.grade
    assert framework is not None and grade is not None
    before = None if about["previous_judgement"] is None else float(about["previous_judgement"])
    earlier = council.judged_by(as_of)
    since = None if earlier is None else (as_of - earlier.published).days / 365.25
    values: dict[str, object] = dict.fromkeys(_NAMES)
    values |= {
        "la_code": council.la_code,
        "framework": framework.name,
        "started": started,
        "as_of": as_of,
        "months_before": months,
        "weight": 1.0,
        "start_assumed": True,
        "published": judgement.published,
        "grade": grade,
        "basis": "impact of leaders",
        "sub_mean": float(grade),
        "below_good": grade > GOOD,
        "inadequate": grade == INADEQUATE,
        "previous_grade": before,
        "previous_sub_mean": before,
        "previous_published": None if earlier is None else earlier.published,
        "years_since_previous": since,
        "good_before": None if before is None else before < BELOW_GOOD_FROM,
        "previous_judgement": before,
        "years_since_judgement": since,
        "imd_score": council.imd_score,
        "population_0_17": None if council.population_0_17 is None else float(council.population_0_17),
        "region": council.region,
        "council_type": council.council_type,
    }
    return tuple(values[n] for n in _NAMES)
