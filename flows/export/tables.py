"""The exported tables: measures, signals, scores, alerts, files and a dictionary, in long form with plain names.

A rate based on one to five people or cases is withheld with its numerator and denominator, as DfE and councils do,
unless the caller may see it. Everything else is what the month's run computed or published; nothing is recomputed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl
from pydantic import BaseModel

from features.councils import Register
from features.months import Month
from features.registry import ALL_MEASURES, BY_NAME
from flows.alerts.alert import ScoreShown
from flows.alerts.disclosure import SUPPRESSED_UP_TO
from flows.alerts.state import Decision, MonthField
from flows.alerts.together import MonthAlerts
from flows.store.manifest import Manifest
from flows.store.port import Store

#: The text in `missing_because` for a rate that Holdfast knows and that is withheld here.
SMALL = f"withheld: rests on {SUPPRESSED_UP_TO} or fewer"

EXPORTED: Mapping[str, pl.Schema] = {
    "measures": pl.Schema(
        {
            "la_code": pl.String(),
            "council": pl.String(),
            "month": pl.Date(),
            "measure": pl.String(),
            "value": pl.Float64(),
            "numerator": pl.Float64(),
            "denominator": pl.Float64(),
            "missing_because": pl.String(),
            "edition": pl.Int64(),
        }
    ),
    "signals": pl.Schema(
        {
            "la_code": pl.String(),
            "council": pl.String(),
            "month": pl.Date(),
            "measure": pl.String(),
            "signal": pl.String(),
            "toward": pl.String(),
            "level": pl.String(),
        }
    ),
    "scores": pl.Schema(
        {
            "la_code": pl.String(),
            "council": pl.String(),
            "month": pl.Date(),
            "band": pl.String(),
            "change": pl.String(),
            "probability_below_good": pl.Float64(),
            "interval_low": pl.Float64(),
            "interval_high": pl.Float64(),
            "not_scored_because": pl.String(),
            "model": pl.String(),
            "model_version": pl.String(),
            "revision": pl.Int64(),
        }
    ),
    "files": pl.Schema(
        {
            "la_code": pl.String(),
            "council": pl.String(),
            "month": pl.Date(),
            "extract": pl.String(),
            "outcome": pl.String(),
            "due": pl.Date(),
            "received": pl.Date(),
            "rows": pl.Int64(),
            "withheld_fields": pl.String(),
            "reason": pl.String(),
            "edition": pl.Int64(),
        }
    ),
    "dictionary": pl.Schema(
        {
            "measure": pl.String(),
            "label": pl.String(),
            "group": pl.String(),
            "unit": pl.String(),
            "concern": pl.String(),
            "formula": pl.String(),
            "source": pl.String(),
        }
    ),
}


def measures_table(
    measures: pl.DataFrame, manifests: Iterable[Manifest], register: Register, *, small_counts: bool
) -> pl.DataFrame:
    """MEASURES_SCHEMA in its exported form. With `small_counts` nothing is withheld."""
    editions = pl.DataFrame(
        [(m.month.last_day, m.edition) for m in manifests],
        schema={"month": pl.Date(), "edition": pl.Int64()},
        orient="row",
    )
    numerator, denominator = pl.col("numerator"), pl.col("denominator")
    bounded = pl.col("measure").is_in([m.name for m in ALL_MEASURES if m.bounded])
    official = pl.col("measure").is_in([m.name for m in ALL_MEASURES if m.official])
    small = ~official & (
        ((numerator > 0) & (numerator < SUPPRESSED_UP_TO + 1))
        | (bounded & (denominator > numerator) & (denominator - numerator < SUPPRESSED_UP_TO + 1))
    ).fill_null(False)
    hide = pl.lit(False) if small_counts else small
    return (
        _with_names(measures, register)
        .join(editions, on="month", how="left", validate="m:1")
        .select(
            "la_code",
            "council",
            "month",
            "measure",
            *(pl.when(~hide).then(pl.col(name)).alias(name) for name in ("value", "numerator", "denominator")),
            pl.when(hide).then(pl.lit(SMALL)).otherwise(pl.col("reason")).alias("missing_because"),
            "edition",
        )
        .sort("la_code", "month", "measure")
    )


def signals_table(features: pl.DataFrame, register: Register) -> pl.DataFrame:
    """Months and measures whose process-behaviour chart signals, or whose level has moved."""
    return (
        _with_names(features, register)
        .filter(pl.col("xmr_signal").is_not_null() | pl.col("xmr_level").is_not_null())
        .select(
            "la_code",
            "council",
            "month",
            "measure",
            pl.col("xmr_signal").alias("signal"),
            pl.col("xmr_toward").alias("toward"),
            pl.col("xmr_level").alias("level"),
        )
        .sort("la_code", "month", "measure")
    )


def scores_table(store: Store, months: Sequence[Month], register: Register) -> pl.DataFrame:
    """Band, change and score of the latest revision of every alert published for the months."""
    with ThreadPoolExecutor(_READERS) as threads:
        found = [a for each in threads.map(lambda month: _alerts_of(store, month), months) for a in each]
    rows = [
        (
            a.la_code,
            a.council,
            a.month.last_day,
            a.decision.state.band.value,
            a.decision.change.value,
            a.score.probability_below_good,
            a.score.interval_low,
            a.score.interval_high,
            a.score.not_scored,
            a.score.model,
            a.score.model_version,
            a.revision,
        )
        for a in found
    ]
    return pl.DataFrame(rows, schema=EXPORTED["scores"], orient="row").sort("la_code", "month")


#: One waits for the store while the other reads.
_READERS = 2


class _Shown(BaseModel):
    """What the table shows of an alert."""

    la_code: str
    council: str
    folder: str
    month: MonthField
    revision: int = 1
    decision: Decision
    score: ScoreShown


def _alerts_of(store: Store, month: Month) -> list[_Shown]:
    there = MonthAlerts(store, month)
    found = (there.read(folder, _Shown.model_validate_json) for folder in there.folders)
    return [alert for alert in found if alert is not None]


def files_table(manifests: Iterable[Manifest], register: Register) -> pl.DataFrame:
    """Which extracts were expected from whom, and what became of each."""
    rows = [
        (
            e.la_code,
            m.month.last_day,
            str(e.kind),
            str(e.outcome),
            e.due,
            e.received,
            e.rows,
            ", ".join(e.withheld) or None,
            e.reason,
            m.edition,
        )
        for m in manifests
        for e in m.extracts
    ]
    schema = {name: kind for name, kind in EXPORTED["files"].items() if name != "council"}
    frame = _with_names(pl.DataFrame(rows, schema=schema, orient="row"), register)
    return frame.select(list(EXPORTED["files"])).sort("la_code", "month", "extract")


def dictionary_table() -> pl.DataFrame:
    """The meaning of each measure."""
    rows = [
        (m.name, m.label, str(m.group), str(m.unit), str(m.direction), m.formula, m.source)
        for m in sorted(BY_NAME.values(), key=lambda m: m.name)
    ]
    return pl.DataFrame(rows, schema=EXPORTED["dictionary"], orient="row")


def _with_names(frame: pl.DataFrame, register: Register) -> pl.DataFrame:
    """Add each council's name. Rows with a code that is not in the register are kept without a name."""
    names = pl.DataFrame(
        [(c.la_code, c.name) for c in register.by_code.values()],
        schema={"la_code": pl.String(), "council": pl.String()},
        orient="row",
    )
    return frame.join(names, on="la_code", how="left", validate="m:1")
