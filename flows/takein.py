"""One month's extracts become one edition of that month: read, checked, counted, remembered.

Plain functions; `flows.monthly` calls them as Prefect tasks. A file that cannot be used is that
council's problem: it is recorded with its reason, and the others go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from expectations.batch import FAILURES, PROBLEMS, PROFILE, Batch, Outcome
from expectations.batch import History as CheckHistory
from features.councils import Council, Register
from features.errors import ExtractError, PersonalDataRefused
from features.frames import REASONS, counts_schema
from features.inputs import UNREPORTED
from features.months import Month, nth_working_day
from features.records import CASE_STATE, RECEIVED, WORKER_STATE, count, withhold
from features.registry import EXTRACTS, Extract, Kind, Missing
from features.returns import CELL_REASONS
from flows.extracts.ingest import IngestedExtract
from flows.history import ACCEPTED, MISSING, QUARANTINED, REFUSED, ExtractRecord, History, Manifest

RECORD_KINDS = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)
_STATES = {Kind.WORKFORCE: WORKER_STATE, Kind.CASELOAD: CASE_STATE}
#: A dynamic check looks at a council's own last 12 months.
CHECK_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Submission:
    """A file as it lies in the landing folder: what a run may use, without its content."""

    council: Council
    kind: Kind
    name: str
    """Object name in the landing store."""
    size: int
    received: date
    """Day of its last change, in UTC."""
    stamp: str
    """The same to the second, for the fingerprint."""
    earlier: tuple[str, ...] = ()
    """Names of earlier submissions of the same extract."""


@dataclass(frozen=True, slots=True)
class Read:
    """What became of reading one submission: an extract, or the sentence that says why not."""

    submission: Submission
    sha256: str
    extract: IngestedExtract | None
    refusal: ExtractError | None
    restates: str | None = None
    """Fingerprint of the submission it replaces."""
    first_received: date | None = None
    """When the first submission of this extract came."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A month after ingest and validation."""

    manifest: Manifest
    outcome: Outcome | None
    """None when the edition was already there and nothing had to be done."""
    before: Manifest | None = None
    """The edition this one replaces, if any: the difference is a restatement."""


def fingerprint(submissions: Sequence[Submission], state_before: str) -> str:
    """Names what would be taken in: equal fingerprints mean there is nothing new to do."""
    digest = hashlib.sha256(state_before.encode())
    for s in sorted(submissions, key=lambda s: s.name):
        digest.update(f"\n{s.name} {s.size} {s.stamp}".encode())
    return digest.hexdigest()[:16]


def state_print(manifest: Manifest | None) -> str:
    """What a month's counts owe to the month before: the fingerprints of its accepted record extracts."""
    if manifest is None:
        return ""
    return ",".join(
        f"{e.la_code}:{e.kind}:{(e.sha256 or '')[:12]}"
        for e in manifest.extracts
        if e.outcome == ACCEPTED and e.kind in _STATES
    )


def month_batch(month: Month, reads: Sequence[Read]) -> Batch:
    """The month's readable extracts of all councils, concatenated per kind, with what reading found."""
    frames: dict[Kind, pl.DataFrame] = {}
    for kind, extract in EXTRACTS.items():
        found = [r.extract.frame for r in reads if r.extract is not None and r.extract.kind is kind]
        if found:
            frames[kind] = pl.concat(found).sort("la_code", *(k for k in extract.key if k != "la_code"), "file_row")
    return Batch(
        month=month,
        frames=frames,
        problems=pl.concat([PROBLEMS.to_frame(), *(r.extract.problems for r in reads if r.extract is not None)]),
        absent_columns=frozenset(
            (r.extract.la_code, r.extract.kind, column)
            for r in reads
            if r.extract is not None
            for column in r.extract.absent_columns
        ),
        files={(r.submission.council.la_code, r.submission.kind): r.submission.name for r in reads},
        refused={(r.submission.council.la_code, r.submission.kind): r.refusal for r in reads if r.refusal is not None},
    )


def check_history(history: History, month: Month, cutoff: date, current: Mapping[Kind, pl.DataFrame]) -> CheckHistory:
    """What the dynamic checks compare with: the 12 months before, as known by the cut-off, and the month itself."""
    earlier = [m for offset in range(CHECK_MONTHS, 0, -1) if (m := history.as_of(month.plus(-offset), cutoff))]
    return CheckHistory(
        counts={
            kind: pl.concat([history.tables(earlier, f"counts-{kind}", counts_schema(kind)), frame])
            for kind, frame in current.items()
        },
        profiles=history.tables(earlier, "profile", PROFILE),
    )


@dataclass(frozen=True, slots=True)
class CountedMonth:
    counts: Mapping[Kind, pl.DataFrame]
    reasons: pl.DataFrame
    states: Mapping[Kind, pl.DataFrame]


def count_month(
    history: History,
    month: Month,
    cutoff: date,
    frames: Mapping[Kind, pl.DataFrame],
    reads: Sequence[Read],
) -> CountedMonth:
    """Count every record extract; leavers’ FTE and changed workers are found against the month before."""
    before = history.as_of(month.plus(-1), cutoff)
    counts: dict[Kind, pl.DataFrame] = {}
    states: dict[Kind, pl.DataFrame] = {}
    reasons = [REASONS.to_frame()]
    for kind in RECORD_KINDS:
        frame = frames.get(kind)
        if frame is None:
            continue
        received = pl.DataFrame(
            [
                (r.extract.la_code, r.extract.received.date(), r.sha256)
                for r in reads
                if r.extract is not None and r.extract.kind is kind
            ],
            schema=RECEIVED,
            orient="row",
        ).filter(pl.col("la_code").is_in(frame["la_code"].unique().to_list()))
        state = None
        if kind in _STATES and before is not None:
            state = history.table(before, f"state-{kind}", _STATES[kind])
        counted = count(kind, frame, month, state, received)
        counts[kind] = counted.counts
        reasons.append(counted.reasons)
        if counted.state is not None:
            states[kind] = counted.state
    return CountedMonth(counts, pl.concat(reasons), states)


def usable(frames: Mapping[Kind, pl.DataFrame], outcome: Outcome) -> dict[Kind, pl.DataFrame]:
    """The frames without quarantined files, without rows set aside, and with cells set aside emptied."""
    kept: dict[Kind, pl.DataFrame] = {}
    for kind, frame in frames.items():
        gone = [la for la, k in outcome.quarantined if k is kind]
        frame = frame.filter(~pl.col("la_code").is_in(gone))
        aside = outcome.set_aside.filter(pl.col("extract") == str(kind))
        rows = aside.filter(pl.col("column").is_null()).select("la_code", "file_row").unique()
        frame = frame.join(rows, on=["la_code", "file_row"], how="anti", maintain_order="left")
        for (column,), cells in (
            aside.filter(pl.col("column").is_not_null()).partition_by("column", as_dict=True).items()
        ):
            marked = cells.select("la_code", "file_row", pl.lit(True).alias("_aside")).unique()
            frame = (
                frame.join(marked, on=["la_code", "file_row"], how="left", validate="m:1", maintain_order="left")
                .with_columns(pl.when(pl.col("_aside").is_null()).then(pl.col(str(column))).alias(str(column)))
                .drop("_aside")
            )
        if not frame.is_empty():
            kept[kind] = frame
    return kept


def edition(
    *,
    history: History,
    register: Register,
    month: Month,
    cutoff: date,
    due_working_day: int,
    print_of_month: str,
    batch: Batch,
    reads: Sequence[Read],
    outcome: Outcome,
) -> Manifest:
    """Count what may be used, withhold what may not, and store the edition. Returns its manifest."""
    frames = usable(batch.frames, outcome)
    counted = count_month(history, month, cutoff, frames, reads)
    counts: dict[Kind, pl.DataFrame] = {}
    reasons = [counted.reasons]
    for kind, frame in counted.counts.items():
        counts[kind], withheld = withhold(frame, kind, outcome.withheld, batch.absent_columns)
        reasons.append(withheld)
    manifest = Manifest(
        month=month,
        edition=len(history.editions(month)) + 1,
        fingerprint=print_of_month,
        known_to=max((r.submission.received for r in reads), default=month.last_day),
        extracts=records_of(register, month, reads, outcome, due=nth_working_day(month.plus(1), due_working_day)),
        checks={
            "rows": float(outcome.statistics.rows),
            "checks": float(outcome.statistics.checks_run),
            "errors": float(outcome.errors),
            "failures": float(outcome.failures.height),
        },
    )
    cell_reasons = [CELL_REASONS.to_frame(), *(r.extract.reasons for r in reads if r.extract is not None)]
    tables = {
        **{str(kind): frame for kind, frame in frames.items()},
        **{f"counts-{kind}": frame for kind, frame in counts.items()},
        **{f"state-{kind}": frame for kind, frame in counted.states.items()},
        "reasons": pl.concat(reasons),
        "cell-reasons": pl.concat(cell_reasons),
        "failures": outcome.failures.select(list(FAILURES)),
        "profile": outcome.profile,
    }
    history.write(manifest, tables)
    return manifest


def records_of(
    register: Register, month: Month, reads: Sequence[Read], outcome: Outcome, *, due: date
) -> tuple[ExtractRecord, ...]:
    """One record per extract that was expected or came, in order of council and kind."""
    by_key = {(r.submission.council.la_code, r.submission.kind): r for r in reads}
    expected = [(c.la_code, kind) for c in register.valid_in(month) for kind in c.expects]
    found: list[ExtractRecord] = []
    for la_code, kind in dict.fromkeys([*expected, *by_key]):
        read = by_key.get((la_code, kind))
        if read is None:
            found.append(ExtractRecord(la_code, kind, MISSING, due=due))
            continue
        record = ExtractRecord(
            la_code=la_code,
            kind=kind,
            outcome=ACCEPTED,
            due=due,
            received=read.submission.received,
            first_received=read.first_received,
            sha256=read.sha256,
            name=read.submission.name,
            restates=read.restates,
        )
        if read.refusal is not None:
            found.append(replace(record, outcome=REFUSED, reason=str(read.refusal)))
        elif read.extract is not None:
            found.append(_record_of_extract(record, read.extract, EXTRACTS[kind], outcome))
    return tuple(sorted(found, key=lambda e: (e.la_code, e.kind)))


def _record_of_extract(
    record: ExtractRecord, extract: IngestedExtract, declared: Extract, outcome: Outcome
) -> ExtractRecord:
    record = replace(record, rows=extract.frame.height, absent_columns=extract.absent_columns, notes=extract.notes)
    key = (record.la_code, record.kind)
    if key in outcome.quarantined:
        why = outcome.failures.filter(
            (pl.col("la_code") == record.la_code)
            & (pl.col("extract") == str(record.kind))
            & (pl.col("severity") == "error")
        )
        reason = why["message"][0] if why.height else "The file cannot be trusted."
        return replace(record, outcome=QUARANTINED, reason=reason)
    withheld = {field for la, kind, field in outcome.withheld if (la, kind) == key}
    return replace(record, withheld=tuple(f.name for f in declared.fields if f.name in withheld))


def unreported(manifests: Sequence[Manifest]) -> pl.DataFrame:
    """UNREPORTED: why whole extracts are not there, from the months' records."""
    reasons = {
        MISSING: str(Missing.NOT_REPORTED),
        REFUSED: str(Missing.QUARANTINED),
        QUARANTINED: str(Missing.QUARANTINED),
    }
    rows = [
        (e.la_code, m.month.last_day, str(e.kind), reasons[e.outcome])
        for m in manifests
        for e in m.extracts
        if e.outcome in reasons
    ]
    return pl.DataFrame(rows, schema=UNREPORTED, orient="row")


def keeps_bytes(read: Read) -> bool:
    """Whether the received bytes may be kept: never those of a file refused for personal data."""
    return not isinstance(read.refusal, PersonalDataRefused)
