"""Exports the figures of a group: what a month's run computed and published, up to that month."""

from __future__ import annotations

from dataclasses import dataclass

from features.frames import NATIONAL
from features.months import Month
from flows.export.files import write_export
from flows.export.tables import dictionary_table, files_table, measures_table, scores_table, signals_table
from flows.month.measure import measure
from flows.month.score import load_model
from flows.store import Store
from flows.store.context import RunContext


@dataclass(frozen=True, slots=True)
class Exported:
    """The files that were written, and the months in them."""

    names: tuple[str, ...]
    months: tuple[Month, ...]

    def in_words(self, where: str) -> str:
        """`12 files in export, 24 months up to 2026-10-31.`"""
        newest = self.months[-1].last_day if self.months else "none"
        return f"{len(self.names)} files in {where}, {len(self.months)} months up to {newest}."


def export_group(run: RunContext, to: Store, *, small_counts: bool = False) -> Exported:
    """Write everything up to the run's month. With `small_counts` no small count is withheld."""
    measured = measure(
        run.history,
        run.register,
        run.month,
        run.cutoff,
        load_model(run.settings, run.store).reference.select(list(NATIONAL)),
        history_months=run.settings.ingest.history_months,
        usual_cutoff=run.usual_cutoff,
    )
    months = tuple(m.month for m in measured.manifests)
    names = write_export(
        {
            "measures": measures_table(measured.measures, measured.manifests, run.register, small_counts=small_counts),
            "signals": signals_table(measured.features, run.register),
            "scores": scores_table(run.store, months, run.register),
            "files": files_table(measured.manifests, run.register),
            "dictionary": dictionary_table(),
        },
        to,
    )
    return Exported(tuple(names), months)
