"""Shows what a restatement did to the measures: the same month before and after, for each council."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.councils import Register
from features.frames import REASONS, counts_schema
from features.measuring.inputs import build_inputs
from features.measuring.rates import compute_measures
from features.months import Month
from features.registry import BY_NAME, WINDOWS
from flows.alerts.letter.figures import value_text
from flows.extracts.checking import RECORD_KINDS
from flows.month.edition import TakenIn, unreported
from flows.store.editions import History
from flows.store.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Restatement:
    """An earlier month that was sent again, and the measures that changed."""

    name: str
    month: Month
    extract: str
    changes: tuple[str, ...]


def restatements(history: History, register: Register, taken: Sequence[TakenIn], cutoff: date) -> list[Restatement]:
    """One entry for each council and extract that was sent again with other content, with the rates that changed."""
    found: list[Restatement] = []
    for one in taken:
        if one.replaces is None:
            continue
        before = {(e.la_code, e.kind): e.sha256 for e in one.replaces.extracts}
        again = [
            e for e in one.manifest.extracts if e.sha256 and before.get((e.la_code, e.kind)) not in (None, e.sha256)
        ]
        if not again:
            continue
        old, new = (_measures(history, register, m, cutoff) for m in (one.replaces, one.manifest))
        for extract in again:
            council = register.by_code[extract.la_code]
            changes = _changes(old, new, extract.la_code)
            found.append(Restatement(council.name, one.manifest.month, str(extract.kind), changes))
    return found


def _measures(history: History, register: Register, manifest: Manifest, cutoff: date) -> pl.DataFrame:
    """The measures of an edition's month, computed with the months before it as known by the cut-off."""
    first = manifest.month.plus(1 - max(WINDOWS))
    earlier = [m for back in range(max(WINDOWS) - 1, 0, -1) if (m := history.as_of(manifest.month.plus(-back), cutoff))]
    manifests = [*earlier, manifest]
    counts = {k: history.tables(manifests, f"counts-{k}", counts_schema(k)) for k in RECORD_KINDS}
    inputs, reasons = build_inputs(
        counts,
        register,
        first,
        manifest.month,
        None,
        count_reasons=history.tables(manifests, "reasons", REASONS),
        unreported=unreported(manifests),
    )
    return compute_measures(inputs, reasons).filter(pl.col("month") == manifest.month.last_day)


def _changes(old: pl.DataFrame, new: pl.DataFrame, la_code: str) -> tuple[str, ...]:
    """`Vacancy rate 14% → 18%` for every rate whose shown value changed, the largest relative change first."""
    key = ["la_code", "measure"]
    both = (
        old.filter(pl.col("la_code") == la_code)
        .join(new, on=key, suffix="_new", how="inner", validate="1:1")
        .drop_nulls(["value", "value_new"])
        .with_columns((pl.col("value_new") - pl.col("value")).alias("moved"))
        .filter(pl.col("moved") != 0)
        .sort((pl.col("moved") / pl.col("value").abs().clip(1e-9)).abs(), descending=True)
    )
    words = []
    for row in both.iter_rows(named=True):
        measure = BY_NAME[row["measure"]]
        was, now = (value_text(measure, row[n]) for n in ("value", "value_new"))
        if was != now:
            words.append(f"{measure.label} {was} → {now}")
    return tuple(words)
