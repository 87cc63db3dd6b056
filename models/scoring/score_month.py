"""Turns a month's features and context into scores: probability, interval, reasons with exact shares, track record.

A council is scored if it has at least half of the measures the model reads, and at least half of its workforce
measures, without which nothing can be said about stability. If not, the score says which are missing and what would
restore it. A missing figure never counts for or against a council.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from features.comparing.national import with_percentile
from features.comparing.wide import latest_known
from features.frames import FEATURES_SCHEMA, conform
from features.months import Month
from features.registry import BY_NAME, COUNTS, POPULATION_INPUT, Group, Missing, input_names
from features.words import listed, lower_first
from models.judgements.design import CONTEXT_DIRECTIONS
from models.learning.trained import ENOUGH_MEASURES, Outlook, TrainedModel
from models.score import RETURNS, ModelRef, Reason, Score
from models.scoring.stages import stage_of
from models.scoring.wording import context_sentence, judgement_sentence, measure_sentence

_JUDGED = ("previous_judgement", "previous_sub_mean")
_PERCENTILE = "national_percentile"
#: Input of a formula -> the extract that holds it.
_EXTRACT_OF: dict[str, str] = {name: str(c.extract) for c in COUNTS for name in input_names(c)}


_NOBODYS: Mapping[str, Collection[str]] = {}


def score_month(
    model: TrainedModel,
    features: pl.DataFrame,
    context: pl.DataFrame,
    month: Month,
    known_by: date | None = None,
    max_age_months: int = 0,
    whole: Mapping[str, Collection[str]] = _NOBODYS,
) -> tuple[Score, ...]:
    """One Score per row of `context`, in order of la_code.

    `features`: FEATURES_SCHEMA, at least the month's rows.
    `context`: CONTEXT of `features.comparing.context`, one row for each council to be scored.
    `known_by`: the cut-off; the month's last day if None.
    `max_age_months`: 0 uses the month alone (monthly extracts); for annual returns, how old the newest figure of a
    measure may be.
    `whole`: la_code -> extracts of the month that are used whole, so that nobody is asked to send them again.
    """
    day = known_by or month.last_day
    newest = _newest(conform(features, FEATURES_SCHEMA, "features"), month, day, max_age_months)
    wide = _rows(model, newest, context, day)
    outlook = model.outlook(wide)
    why_missing = _reasons_missing(features, month)
    by_council: dict[str, dict[str, dict[str, Any]]] = {}
    for row in newest.iter_rows(named=True):
        by_council.setdefault(row["la_code"], {})[row["measure"]] = row
    scores = []
    for i, about in enumerate(context.sort("la_code").iter_rows(named=True)):
        mine = by_council.get(about["la_code"], {})
        code = about["la_code"]
        refusal = _not_scored(model, outlook.missing[i], month, why_missing.get(code, {}), whole.get(code, ()))
        if refusal is not None:
            scores.append(unscored(about["la_code"], month, model.ref, refusal))
            continue
        probability = float(outlook.below_good[i])
        scores.append(
            Score(
                la_code=about["la_code"],
                month=month,
                model=model.ref,
                probability_below_good=probability,
                interval_low=float(outlook.low[i]),
                interval_high=float(outlook.high[i]),
                probability_inadequate=float(outlook.inadequate[i]),
                reasons=_reasons(model, outlook, i, mine, about),
                track_record=model.track_record(probability),
                stage=stage_of(list(mine.values()), about.get("previous_judgement")),
                not_scored=None,
                of_ten=model.of_ten(probability),
                level=model.level_known(),
                rank=float(outlook.rank[i]),
            )
        )
    return tuple(scores)


def _newest(features: pl.DataFrame, month: Month, day: date, max_age_months: int) -> pl.DataFrame:
    """One row per council and measure with a value: the month's, or the newest that is not too old."""
    if max_age_months == 0:
        return features.filter(pl.col("month") == month.last_day, pl.col("value").is_not_null())
    return latest_known(features.filter(pl.col("month") <= month.last_day), day, max_age_months)


def _rows(model: TrainedModel, newest: pl.DataFrame, context: pl.DataFrame, day: date) -> pl.DataFrame:
    """Wide rows in order of la_code: the model's features, with percentiles filled from its own reference."""
    placed = with_percentile(
        newest.select("la_code", "measure", "value", pl.lit(day).alias("known_on")), model.reference
    )
    known = newest.with_columns(pl.coalesce(_PERCENTILE, placed[_PERCENTILE].alias("__placed")).alias(_PERCENTILE))
    # This pivots as `features.comparing.wide` does, at the council's newest month of each measure.
    needed = [c for c in model.columns if c not in CONTEXT_DIRECTIONS]
    columns: dict[str, list[float | None]] = {c: [] for c in needed}
    index = {(r["la_code"], r["measure"]): r for r in known.iter_rows(named=True)}
    codes = context.sort("la_code")["la_code"].to_list()
    for code in codes:
        for column in needed:
            measure, _, part = column.partition("__")
            row = index.get((code, measure))
            columns[column].append(None if row is None else row[part or "value"])
    frame = pl.DataFrame({"la_code": codes, **columns}, schema_overrides=dict.fromkeys(needed, pl.Float64()))
    # Models of version 0.1.0 also read the mean of the sub-judgements; the register has only the judgement of leaders.
    judged = pl.col("previous_judgement").cast(pl.Float64())
    about = context.sort("la_code").select("la_code", "imd_score", previous_judgement=judged, previous_sub_mean=judged)
    return frame.join(
        about,
        on="la_code",
        how="left",
        validate="1:1",
    ).sort("la_code")


def _measures_of(model: TrainedModel) -> dict[str, list[int]]:
    """Registry measures the model reads, with the positions of their columns."""
    found: dict[str, list[int]] = {}
    for i, column in enumerate(model.columns):
        if column not in CONTEXT_DIRECTIONS:
            found.setdefault(column.partition("__")[0], []).append(i)
    return found


def _reasons(
    model: TrainedModel, outlook: Outlook, i: int, mine: Mapping[str, Mapping[str, Any]], about: Mapping[str, Any]
) -> tuple[Reason, ...]:
    """The reasons, from what raised the score most to what lowered it most; missing figures give no reason.

    The earlier judgement is one reason, with the combined share of all its columns. There are none if the estimator has
    no exact shares: an approximate one would be told as if it were the cause.
    """
    shares = outlook.shares
    if shares is None:
        return ()
    found = []
    for measure, columns in _measures_of(model).items():
        there = [c for c in columns if not outlook.missing[i, c]]
        if there and measure in mine:
            share = float(shares[i, there].sum())
            main = max(there, key=lambda c: abs(float(shares[i, c])))
            found.append(Reason(model.columns[main], measure, False, share, measure_sentence(mine[measure])))
    context = [c for c, n in enumerate(model.columns) if n in CONTEXT_DIRECTIONS and not outlook.missing[i, c]]
    judged = [c for c in context if model.columns[c] in _JUDGED]
    if judged:
        share = float(shares[i, judged].sum())
        sentence = judgement_sentence(about["previous_words"], about["months_since_judgement"])
        found.append(Reason("previous_judgement", None, True, share, sentence))
    for c in context:
        if c not in judged:
            column = model.columns[c]
            sentence = context_sentence(column, float(about[column]), model.typical[column])
            found.append(Reason(column, None, True, float(shares[i, c]), sentence))
    return tuple(sorted(found, key=lambda r: (-r.share, r.feature)))


def _not_scored(
    model: TrainedModel,
    missing: np.ndarray[Any, np.dtype[np.bool_]],
    month: Month,
    why: Mapping[str, str],
    whole: Collection[str],
) -> str | None:
    """None if enough is present; else which measures are missing, why, and which extracts would restore the score."""
    measures = _measures_of(model)
    absent = [m for m, columns in measures.items() if missing[columns].all()]
    if _enough(measures, absent) and _enough([m for m in measures if BY_NAME[m].group is Group.WORKFORCE], absent):
        return None
    extracts = sorted(
        {_EXTRACT_OF[n] for m in absent for n in BY_NAME[m].inputs if n != POPULATION_INPUT},
        key=lambda kind: [str(c.extract) for c in COUNTS].index(kind),
    )
    reasons = {why.get(m, str(Missing.NOT_REPORTED)) for m in absent}
    count = f"{len(absent)} of the {len(measures)}" if len(absent) < len(measures) else f"All {len(measures)}"
    said = "; ".join(sorted(Missing.in_words(r) for r in reasons))
    sent = ""
    if reasons <= _BACK_ONCE_SENT:
        if Missing.COLUMN_ABSENT not in reasons:
            extracts = [kind for kind in extracts if kind not in whole] or extracts
        which = f"{listed(extracts)} {'file' if len(extracts) == 1 else 'files'}"
        sent = f" Once we have the whole {which} of that month, however late, {RETURNS}."
    elif Missing.WINDOW_INCOMPLETE in reasons:
        sent = " Yearly figures need twelve months in a row; months that are missing can still be sent."
    return (
        f"{count} measures behind the score are not known for {month.in_words} ({said}): "
        f"{listed(_first_labels(absent))}.{sent}"
    )


#: So many missing measures are named; a message lists all of them elsewhere.
_NAMED = 3


def _first_labels(measures: Sequence[str]) -> list[str]:
    labels = [lower_first(BY_NAME[m].label) for m in measures]
    return labels if len(labels) <= _NAMED + 1 else [*labels[:_NAMED], f"{len(labels) - _NAMED} more"]


#: Reasons that a complete file for the same month would end.
_BACK_ONCE_SENT = frozenset(
    {Missing.NOT_REPORTED, Missing.LATE, Missing.QUARANTINED, Missing.WITHHELD, Missing.COLUMN_ABSENT}
)


def _enough(measures: Iterable[str], absent: Sequence[str]) -> bool:
    wanted = list(measures)
    return sum(m not in absent for m in wanted) >= ENOUGH_MEASURES * len(wanted)


def _reasons_missing(features: pl.DataFrame, month: Month) -> dict[str, dict[str, str]]:
    """Council -> measure -> why it has no value in the month."""
    found: dict[str, dict[str, str]] = {}
    of_month = features.filter(pl.col("month") == month.last_day, pl.col("value").is_null())
    for row in of_month.select("la_code", "measure", "reason").iter_rows(named=True):
        found.setdefault(row["la_code"], {})[row["measure"]] = row["reason"] or str(Missing.NOT_REPORTED)
    return found


def unscored(la_code: str, month: Month, model: ModelRef, why: str) -> Score:
    """No score, and why, as a sentence."""
    return Score(la_code, month, model, None, None, None, None, (), None, None, why)
