"""Writes the made-up region as councils would deliver it: a landing folder, with faults in some files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from features.councils import write_register
from features.errors import HoldfastError
from features.months import Month, nth_working_day
from features.private_files import write_private
from features.registry import Kind
from flows.sample_region.councils import MadeUpCouncil, Region, SampleForm, Trouble, region
from flows.sample_region.formats import encode, encode_each, suffix_of
from flows.sample_region.simulation import MonthFrames, as_sent, generate

#: A month's files are due on the fifth working day of the next; most arrive on the third, late ones on the seventh.
DUE_WORKING_DAY, USUAL_WORKING_DAY, LATE_WORKING_DAY, RESTATED_WORKING_DAY = 5, 3, 7, 15
#: The restated month is this many months before the last one.
RESTATED_MONTHS_BEFORE_LAST = 4

TRUTH = pl.Schema(
    {
        "la_code": pl.String(),
        "month": pl.Date(),
        "storyline": pl.String(),
        "trouble": pl.String(),
        "onset": pl.Date(),
        "stage": pl.UInt8(),
    }
)

LandingProgress = Callable[[Month, int, int], None]
"""Called after each month with the month, the number written so far and the total."""


@dataclass(frozen=True, slots=True)
class Sample:
    region: Region
    files: int
    truth: pl.DataFrame
    """Schema TRUTH: one row per council and month. Months are their last days, `onset` is one too."""


def sample_extracts(
    folder: Path,
    councils: int,
    months: int,
    seed: int,
    last_month: Month,
    progress: LandingProgress | None = None,
) -> Sample:
    """Write a made-up region into `folder` as a landing, with `register.csv` and `truth.csv` at its root.

    Twelve councils are the demonstration, with its storylines and troubles; any other size has generic councils of the
    same levels. The same arguments give the same bytes. `truth.csv` has what no extract shows: storyline, onset and
    stage. Raises HoldfastError if the folder holds something else.
    """
    made = region(councils, months, seed, last_month)
    return write_landing(folder, made, generate(made), progress)


def write_landing(
    folder: Path, made: Region, months: Iterable[MonthFrames], progress: LandingProgress | None = None
) -> Sample:
    """Write the months' files, then the truth and finally the register. Times of receipt are also made up."""
    register = write_register(c.council for c in made.councils)
    _only_ours(folder, register)
    files = 0
    for number, frames in enumerate(months, start=1):
        files += write_month(folder, made, frames)
        if progress is not None:
            progress(frames.month, number, made.months)
    truth = truth_table(made)
    began = received_at(made.councils[0], made.first, made.last)
    _put(folder / "truth.csv", truth.write_csv().encode(), began)
    _put(folder / "register.csv", register.encode(), began)
    return Sample(made, files + 2, truth)


def write_month(folder: Path, made: Region, frames: MonthFrames) -> int:
    """Write one month's files, one per council and kind, and return how many."""
    written = 0
    for kind, frame in frames.frames.items():
        ready = as_sent(frame, kind)
        ends = np.searchsorted(frame["la_code"].to_physical().to_numpy(), np.arange(len(made.councils) + 1))
        rows = [(int(a), int(b)) for a, b in itertools.pairwise(ends)]
        plain = _plain_files(made, kind, ready, rows)
        for number, council in enumerate(made.councils):
            own = ready[slice(*rows[number])]
            for name, content, when in _deliveries(made, council, frames.month, kind, own, plain.get(number)):
                _put(folder / str(frames.month) / council.council.folder / name, content, when)
                written += 1
    return written


def _plain_files(made: Region, kind: Kind, ready: pl.DataFrame, rows: Sequence[tuple[int, int]]) -> dict[int, bytes]:
    """The CSV files of a month by number of the council; each form is written in one call."""
    out: dict[int, bytes] = {}
    for form in SampleForm:
        who = [n for n, c in enumerate(made.councils) if c.form is form and suffix_of(form, kind) == "csv"]
        if not who:
            continue
        ends = list(itertools.accumulate(b - a for a, b in (rows[n] for n in who)))
        together = pl.concat([ready[slice(*rows[n])] for n in who])
        out.update(zip(who, encode_each(together, list(zip([0, *ends], ends, strict=False)), kind, form), strict=True))
    return out


def _deliveries(
    made: Region, council: MadeUpCouncil, month: Month, kind: Kind, own: pl.DataFrame, plain: bytes | None
) -> Iterator[tuple[str, bytes, datetime]]:
    """Name, bytes and time of receipt of the council's files of this kind for this month.

    `plain` has the bytes of `own`, if already made.
    """
    suffix = suffix_of(council.form, kind)
    when = received_at(council, month, made.last) + timedelta(minutes=list(Kind).index(kind))
    is_last = month == made.last
    right = encode(own, kind, council.form) if plain is None else plain
    if council.trouble is Trouble.RESTATED and kind is Kind.WORKFORCE and month == _restated_month(made):
        yield f"{kind}.{suffix}", encode(_before_restatement(own), kind, council.form), when
        later = _at(_working_day_after(month, RESTATED_WORKING_DAY), 11)
        yield f"{kind}.restated-1.{suffix}", right, later
    elif council.trouble is Trouble.PERSONAL_DATA and kind is Kind.CASELOAD and is_last:
        yield f"{kind}.{suffix}", encode(_with_birth_dates(own), kind, council.form), when
    elif council.trouble is Trouble.BROKEN and kind is Kind.WORKFORCE and is_last:
        yield f"{kind}.{suffix}", _damaged(right), when
    else:
        yield f"{kind}.{suffix}", right, when


def received_at(council: MadeUpCouncil, month: Month, last: Month) -> datetime:
    """When the council's files of a month arrive. A council in difficulty is late every third month, because difficulty
    begins with losing sight of one's own figures."""
    late = council.trouble is Trouble.LATE and month == last
    onset = council.story.onset
    if onset is not None and council.story.stage(month) and month != last:
        late = month.minus(onset) % 3 == 2
    day = _working_day_after(month, LATE_WORKING_DAY if late else USUAL_WORKING_DAY)
    return _at(day, 14 if late else 9) + timedelta(minutes=5 * (sum(council.la_code.encode()) % 60))


def due_on(month: Month) -> date:
    """The day by which a month's files are due."""
    return _working_day_after(month, DUE_WORKING_DAY)


def truth_table(made: Region) -> pl.DataFrame:
    """What really happened: one row per council and month, schema TRUTH."""
    rows = []
    for council in made.councils:
        story = council.story
        onset = None if story.onset is None else story.onset.last_day
        for offset in range(made.months):
            month = made.first.plus(offset)
            rows.append(
                (
                    council.la_code,
                    month.last_day,
                    story.line.value,
                    council.trouble.value,
                    onset,
                    story.stage(month),
                )
            )
    return pl.DataFrame(rows, schema=TRUTH, orient="row")


@lru_cache(maxsize=64)
def _working_day_after(month: Month, n: int) -> date:
    return nth_working_day(month.plus(1), n)


def _restated_month(made: Region) -> Month:
    return max(made.first, made.last.plus(-RESTATED_MONTHS_BEFORE_LAST))


def _before_restatement(right: pl.DataFrame) -> pl.DataFrame:
    """The file as first sent: this month's leavers and sickness are not recorded yet."""
    empty = [pl.lit(None, dtype=right.schema[n]).alias(n) for n in ("role_end_date", "reason_leave")]
    return right.with_columns(
        *empty,
        pl.lit(None, dtype=right.schema["leaver_destination"]).alias("leaver_destination"),
        pl.lit(0.0).alias("working_days_lost"),
    )


def _with_birth_dates(own: pl.DataFrame) -> pl.DataFrame:
    """The file with a column that nobody asked for, with made-up dates."""
    days = (pl.int_range(pl.len()) * 37 % 6000).cast(pl.Int32)
    return own.with_columns((pl.lit(date(2009, 3, 1)) + pl.duration(days=days)).cast(pl.Date).alias("date_of_birth"))


def _damaged(content: bytes) -> bytes:
    """A third of the file, followed by what an interrupted transfer leaves behind."""
    return content[: len(content) // 3] + b"\x00" * 1024 + bytes(range(128, 256)) * 8


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=UTC)


def _put(path: Path, content: bytes, modified: datetime) -> None:
    stamp = modified.timestamp()
    write_private(path, content, stamp)


def _only_ours(folder: Path, register: str) -> None:
    """Refuse a folder that holds anything but an earlier copy of the same region."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    there = folder / "register.csv"
    files = [path for path in folder.rglob("*") if path.is_file()]
    if files == [there] and len(there.read_text(encoding="utf-8").splitlines()) <= 1:
        return  # as `holdfast init` leaves it: a register with nobody in it
    if not there.is_file() or there.read_text(encoding="utf-8") != register:
        raise HoldfastError(
            f"{folder} is not empty and holds something else than this made-up region. "
            "Give a new folder, or empty this one."
        )
