"""The input of a check: extracts as one batch, the counts that may be made of them, and the remembered months.

Both a run and `holdfast check` use this module, so both say the same about the same file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from expectations.accepted import Accepted
from expectations.batch import ORIGINS, PROBLEMS, PROFILE, Batch, CheckHistory, Effect, Outcome
from expectations.passing.effects import usable
from features.councils import Register
from features.counting.records import CASE_STATE, RECEIVED, WORKER_STATE, count_side_by_side, withhold
from features.errors import ExtractError
from features.frames import REASONS, counts_schema
from features.months import Month, london_day, month_range
from features.registry import EXTRACTS, Kind, Missing
from flows.extracts.ingest import IngestedExtract
from flows.extracts.reading.cells import PROBLEM_TEXTS
from flows.extracts.reading.table import Limits
from flows.store.editions import History
from flows.store.reading import stacked

RECORD_KINDS = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)
#: What counting the next month needs from each kind of extract.
STATES = {Kind.WORKFORCE: WORKER_STATE, Kind.CASELOAD: CASE_STATE}
#: A dynamic check looks at a council's own last 12 months.
CHECK_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Past:
    """The records that a run on the same day would compare a file with."""

    history: History
    cutoff: date
    register: Register
    accepted: Sequence[Accepted]
    key: bytes
    limits: Limits


def batch_of(
    month: Month,
    extracts: Sequence[IngestedExtract],
    files: Mapping[tuple[str, Kind], str],
    refused: Mapping[tuple[str, Kind], ExtractError],
) -> Batch:
    """The readable extracts of all councils for the month, concatenated per kind, with the findings of reading."""
    frames: dict[Kind, pl.DataFrame] = {}
    # Each extract is of one council and in the order of its key, so these stand in order too.
    ordered = sorted(extracts, key=lambda e: e.la_code)
    for kind in EXTRACTS:
        found = [e.frame for e in ordered if e.kind is kind]
        if found:
            frames[kind] = pl.concat(found, rechunk=True)
    return Batch(
        month=month,
        frames=frames,
        problems=pl.concat([PROBLEMS.to_frame(), *(e.problems for e in extracts)]),
        absent_columns=frozenset((e.la_code, e.kind, column) for e in extracts for column in e.absent_columns),
        files=files,
        refused=refused,
        problem_texts=PROBLEM_TEXTS,
        notes={(e.la_code, e.kind): e.notes for e in extracts},
        absent_because={(e.la_code, e.kind, c): why for e in extracts for c, why in e.absent_because.items()},
        lost_columns=frozenset((e.la_code, e.kind, column) for e in extracts for column in e.lost_columns),
        origins=pl.concat([ORIGINS.to_frame(), *(e.origins for e in extracts)]),
        workers_by_name=frozenset(e.la_code for e in extracts if e.workers_by_name),
    )


def check_history(history: History, months: Sequence[tuple[Month, date]]) -> CheckHistory:
    """The history that these months (oldest first, each with its cut-off) are compared with.

    It has the months from 12 before the first up to the last, without the months being checked.
    """
    checked = {month for month, _ in months}
    (first, _), (last, cutoff) = months[0], months[-1]
    window = month_range(first.plus(-CHECK_MONTHS), last)
    earlier = [m for month in window if month not in checked and (m := history.as_of(month, cutoff))]
    return CheckHistory(
        counts={kind: history.tables(earlier, f"counts-{kind}", counts_schema(kind)) for kind in RECORD_KINDS},
        profiles=history.tables(earlier, "profile", PROFILE),
        records={kind: _records_before(history, kind, months) for kind in STATES},
    )


def _records_before(history: History, kind: Kind, months: Sequence[tuple[Month, date]]) -> pl.DataFrame:
    """The rows of the months just before those to be checked, unless they are checked themselves."""
    checked = {month for month, _ in months}
    schema = EXTRACTS[kind].schema
    kept_from = history.records_kept_from
    wanted = [(month.plus(-1), cutoff) for month, cutoff in months if month.plus(-1) not in checked]
    editions = [history.as_of(m, cutoff) for m, cutoff in wanted if kept_from is None or m >= kept_from]
    return stacked(schema, [history.table(e, str(kind), schema) for e in editions if e])


@dataclass(frozen=True, slots=True)
class CountedMonth:
    """The counts of a month's record extracts, by kind in the order of `RECORD_KINDS`."""

    counts: Mapping[Kind, pl.DataFrame]
    unknown: Mapping[Kind, pl.DataFrame]
    """REASONS of counts that could not be made."""
    withheld: Mapping[Kind, pl.DataFrame]
    """REASONS of counts that validation withholds."""
    states: Mapping[Kind, pl.DataFrame]

    @property
    def reasons(self) -> pl.DataFrame:
        """Why counts are null (REASONS)."""
        return pl.concat([REASONS.to_frame(), *self.unknown.values(), *self.withheld.values()])

    @classmethod
    def together(cls, groups: Sequence[CountedMonth]) -> CountedMonth:
        """The counts of one month's groups of councils, in order of la_code, as one."""

        def joined(name: str) -> dict[Kind, pl.DataFrame]:
            tables: list[Mapping[Kind, pl.DataFrame]] = [getattr(group, name) for group in groups]
            kinds = [kind for kind in RECORD_KINDS if any(kind in one for one in tables)]
            return {kind: pl.concat([one[kind] for one in tables if kind in one]) for kind in kinds}

        return cls(joined("counts"), joined("unknown"), joined("withheld"), joined("states"))


def count_usable(
    batch: Batch, outcome: Outcome, extracts: Sequence[IngestedExtract], states: Mapping[Kind, pl.DataFrame]
) -> CountedMonth:
    """Count the rows that validation allows; counts of withheld and absent fields are null, with the reason.

    Leavers' FTE and changed workers are found in the `states` of the month before, except for councils with newly
    issued references.
    """
    frames = usable(batch, outcome)
    records = {kind: frames[kind] for kind in RECORD_KINDS if kind in frames}
    received = {kind: _received(kind, frame, extracts) for kind, frame in records.items()}
    followed = {kind: state.filter(~_reissued(outcome, kind)) for kind, state in states.items()}
    counted = count_side_by_side(records, batch.month, followed, received)
    unknown = {kind: _with_reissued(one.reasons, kind, outcome) for kind, one in counted.items()}
    allowed = {k: withhold(one.counts, k, outcome.withheld, batch.absent_columns) for k, one in counted.items()}
    return CountedMonth(
        {kind: counts for kind, (counts, _) in allowed.items()},
        unknown,
        {kind: withheld for kind, (_, withheld) in allowed.items()},
        {kind: one.state for kind, one in counted.items() if one.state is not None},
    )


def _reissued(outcome: Outcome, kind: Kind) -> pl.Expr:
    """Whether a row belongs to a council whose references of this kind differ from the month before."""
    return pl.col("la_code").is_in(sorted(la_code for la_code, k in outcome.reissued if k is kind))


def _with_reissued(reasons: pl.DataFrame, kind: Kind, outcome: Outcome) -> pl.DataFrame:
    """REASONS that say the month before is missing because its references cannot be found again, and if so confirmed.

    A confirmed break is recorded here, where it outlives the rows: charts begin anew at it.
    """
    if not any(k is kind for _, k in outcome.reissued):
        return reasons
    broken = outcome.failures.filter(pl.col("effect") == str(Effect.BROKEN_OFF), pl.col("accepted"))
    confirmed = broken.filter(extract=str(kind))["la_code"].unique().to_list()
    new = (
        pl.when(pl.col("la_code").is_in(confirmed))
        .then(pl.lit(str(Missing.NEW_REFERENCES)))
        .otherwise(pl.lit(str(Missing.REISSUED)))
    )
    lost = _reissued(outcome, kind) & (pl.col("reason") == str(Missing.WINDOW_INCOMPLETE))
    return reasons.with_columns(pl.when(lost).then(new).otherwise(pl.col("reason")).alias("reason"))


def _received(kind: Kind, frame: pl.DataFrame, extracts: Sequence[IngestedExtract]) -> pl.DataFrame:
    """When the file of each council with rows in the frame was received."""
    there = set(frame["la_code"].unique().to_list())
    rows = [(e.la_code, london_day(e.received), e.sha256) for e in extracts if e.kind is kind and e.la_code in there]
    return pl.DataFrame(rows, schema=RECEIVED, orient="row")
