"""A small made-up region with a past, whose last month the field tests spoil and run, without Prefect."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from features.councils import read_register, write_register
from features.frames import NATIONAL
from features.months import Month
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Published, publish_alert
from flows.month import inputs, steps
from flows.month.edition import TakenIn
from flows.month.measure import Measured, measure
from flows.month.portions import Portion, begin_reading, take_in_portions
from flows.month.score import load_model, score_councils
from flows.sample_region import sample_extracts
from flows.settings.settings import Settings
from flows.store.context import RunContext, begin

LAST = Month(2026, 10)
MONTHS = 14
COUNCILS = 4
CUTOFF = date(2026, 11, 20)
ARRIVED = datetime(2026, 11, 4, 9, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Ran:
    """What a run of the last month made."""

    taken: TakenIn
    measured: Measured
    alerting: steps.Alerting
    published: tuple[Published, ...]
    objects: Mapping[str, bytes]
    """Of each council: alert, message and counted rows, by `la_code/what`."""

    @property
    def faults(self) -> tuple[str, ...]:
        return (*self.taken.faults, *self.alerting.faults)

    def of_others(self, la_code: str) -> dict[str, bytes]:
        return {name: content for name, content in self.objects.items() if not name.startswith(f"{la_code}/")}

    def measure(self, la_code: str, name: str) -> tuple[float | None, str | None]:
        """A measure of the last month and, where there is none, why."""
        rows = self.measured.measures.filter(la_code=la_code, measure=name, month=LAST.last_day)
        return rows["value"][0], rows["reason"][0]

    def checks(self, la_code: str) -> set[str]:
        return set(self.taken.outcome.failures.filter(la_code=la_code)["check"])

    def fate(self, la_code: str) -> dict[str, str]:
        return {str(e.kind): e.outcome for e in self.taken.manifest.of(la_code)}


@dataclass(frozen=True)
class FieldRegion:
    """A landing folder and a store in one folder; `copy` it before spoiling."""

    folder: Path

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def accepted(self) -> Path:
        return self.folder / "accepted.toml"

    def context(self, month: Month = LAST) -> RunContext:
        settings = Settings.load(
            environment="demo",
            accepted_failures=str(self.accepted) if self.accepted.exists() else None,
            landing=str(self.landing),
            store=str(self.folder / "store"),
            mail={"outbox": str(self.folder / "outbox")},
        )
        return begin(settings, month, now=datetime(2026, 11, 20, 7, tzinfo=UTC), as_of=CUTOFF)

    def copy(self, to: Path) -> FieldRegion:
        shutil.copytree(self.folder, to, symlinks=True)
        return FieldRegion(to)

    def file(self, la_code: str, kind: str, month: Month = LAST) -> Path:
        return next((self.landing / str(month) / la_code).glob(f"{kind}*"))

    def table(self, la_code: str, kind: str, month: Month = LAST) -> pl.DataFrame:
        """A council's file as text."""
        return pl.read_csv(self.file(la_code, kind, month), infer_schema=False)

    def put(self, la_code: str, kind: str, table: pl.DataFrame | bytes) -> None:
        """Put another content in the place of a council's file of the last month; it came on the same day."""
        path = self.file(la_code, kind)
        path.unlink()
        path = path.with_name(f"{kind}.csv")
        path.write_bytes(table if isinstance(table, bytes) else table.write_csv().encode())
        os.utime(path, (ARRIVED, ARRIVED))

    def take_in(self, month: Month = LAST) -> TakenIn:
        context = self.context(month)
        due = [d for d in inputs.due_now(context) if d.month == month]
        with ThreadPoolExecutor(1) as pool:
            portion = Portion(due, [begin_reading(one, pool, inputs.reader(context))() for one in due])
        return inputs.check_months_of(context, portion.retried(), portion.reads, reports=True)[-1]

    def run(self) -> Ran:
        return self.decide(self.take_in())

    def decide(self, taken: TakenIn) -> Ran:
        """All that follows taking in: measure, score, decide, publish."""
        context = self.context()
        model = load_model(context.settings, context.store)
        measured = measure(
            context.history,
            context.register,
            LAST,
            context.cutoff,
            model.reference.select(list(NATIONAL)),
            history_months=MONTHS,
            usual_cutoff=context.usual_cutoff,
        )
        scores = score_councils(model, measured, context.register, LAST, context.cutoff)
        every, by = context.register.valid_in(LAST), inputs.deciding(context)
        decided = steps.decide_month(context.store, context.register, every, measured, scores, by)
        alerting = inputs.to_publish(context, decided, measured)
        contact = Contact.of(context.settings)
        published = tuple(publish_alert(context.store, alerting.alert_of(one), contact) for one in alerting.decided)
        return Ran(taken, measured, alerting, published, self._objects(context, taken, published))

    def _objects(self, context: RunContext, taken: TakenIn, published: tuple[Published, ...]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for one in published:
            found[f"{one.alert.la_code}/alert"] = one.alert.to_bytes()
            if one.message is not None:
                found[f"{one.alert.la_code}/message"] = (one.message.text + one.message.standalone_html()).encode()
        for kind in ("workforce", "establishment", "caseload"):
            content = context.history.content(taken.manifest, f"counts-{kind}") or b""
            for (la_code,), rows in pl.read_parquet(io.BytesIO(content)).partition_by("la_code", as_dict=True).items():
                found[f"{la_code}/{kind}"] = rows.write_csv().encode()
        return found


def make(folder: Path) -> FieldRegion:
    """Thirteen months taken in, the last lying in the landing folder; no council is another's neighbour."""
    sample_extracts(folder / "landing", COUNCILS, MONTHS, 7, LAST)
    register = folder / "landing" / "register.csv"
    councils = read_register(register.read_text(encoding="utf-8"), "register.csv").councils
    register.write_text(write_register(replace(c, neighbours=()) for c in councils), encoding="utf-8")
    made = FieldRegion(folder)
    context = made.context(LAST.plus(-1))
    with ThreadPoolExecutor(2) as pool:
        take_in_portions(
            inputs.due_in_history(context, LAST.plus(1 - MONTHS), LAST.plus(-1)),
            lambda one: begin_reading(one, pool, inputs.reader(context)),
            lambda portion: inputs.check_months_of(context, portion.retried(), portion.reads, reports=False),
        )
    return made
