"""What errors do to the figures: which cells are left out, which columns are withheld, which files are not used.

Errors are weighed by file and column, not by check: two checks that object to the same cell are one wrong cell. All
limits are defined here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from expectations.batch import Batch, Outcome
from expectations.suites.rows import Prepared
from expectations.suites.rules import CORE, Rule, Spare
from features.registry import EXTRACTS, Kind

#: Up to this share of a column's filled cells, wrong cells are left out one by one. Two in a hundred move a rate by
#: less than its month-to-month noise (200 FTE: two leavers a month), and every real export has some.
CELLS_SHARE = 0.02
#: In mostly empty columns (leaving dates, conferences) a single typing error reaches that share. So this many cells are
#: left out one by one all the same, if they are few among the rows of the file.
CELLS_FEW = 2
#: The same share for rows without a key or of another month. Beyond it, the file is not what it claims to be.
ROWS_SHARE = 0.02
#: Rows that share their key. A few workers hold two posts and a few children have two episodes; a doubled export or a
#: wrong join repeats far more.
REPEATS_SHARE = 0.05
#: If a column on which half of all counts depend is wrong in one row of five, the file was made by another query.
CORE_SHARE = 0.2

#: Columns in which an empty cell has a meaning: nobody has the case, it is open, the worker is in post. A wrong cell
#: there cannot simply be emptied, so its whole row is left out.
EMPTY_SPEAKS = frozenset({"allocated_worker_ref", "closed_date", "role_end_date"})

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
PerFile = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass
class Weighed:
    """The errors in one kind's pass, gathered rule by rule."""

    prepared: Prepared
    cells: dict[str, Mask] = field(default_factory=dict)
    """By column: rows whose cell an error objects to."""
    whole: list[tuple[Rule, Mask]] = field(default_factory=list)
    """Rules that decide about the whole file, with the rows they object to."""

    def object_to(self, columns: Sequence[str], rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        """Mark the cells of these rows (positions) as wrong."""
        for name in columns:
            mask = self.cells.setdefault(name, np.zeros(self.prepared.rows.height, dtype=np.bool_))
            mask[rows] = True


@dataclass(frozen=True)
class Effects:
    """The decision, by file number."""

    withheld: Mapping[str, Mask]
    """By column: files in which it is withheld."""
    not_used: Mapping[str, Mask]
    """By code of the whole-file rule: files that fail it beyond the tolerance."""
    core: Mapping[str, PerFile]
    """By core column: the number of wrong rows in files that are not used because of it, 0 elsewhere."""
    set_aside: pl.DataFrame
    """`file_no, file_row, column`."""


def weigh_effects(weighed: Weighed) -> Effects:
    """Weigh the errors of every file against the limits above."""
    prepared = weighed.prepared
    files = prepared.file_numbers()
    count = prepared.files.height
    rows = np.bincount(files, minlength=count)
    withheld: dict[str, Mask] = {}
    core: dict[str, PerFile] = {}
    aside: list[pl.DataFrame] = []
    for name, mask in weighed.cells.items():
        bad = np.bincount(files[mask], minlength=count)
        filled = prepared.rows[name].is_not_null().to_numpy()
        could = np.bincount(files[mask | filled], minlength=count)
        few = (bad <= CELLS_SHARE * could) | ((bad <= CELLS_FEW) & (bad <= CELLS_SHARE * rows))
        withheld[name] = ~few
        if name in CORE[prepared.kind]:
            core[name] = np.where(bad > CORE_SHARE * rows, bad, 0)
        aside.append(_cells(prepared, mask & ~withheld[name][files], None if name in EMPTY_SPEAKS else name))
    not_used: dict[str, Mask] = {}
    for rule, mask in weighed.whole:
        bad = np.bincount(files[mask], minlength=count)
        share = REPEATS_SHARE if rule.code.endswith(".unique") else ROWS_SHARE
        not_used[rule.code] = bad > share * rows
        if rule.spare in (Spare.ROWS, Spare.REPEATS):
            left_out = mask & ~not_used[rule.code][files]
            if rule.spare is Spare.REPEATS:
                left_out &= prepared.rows["repeat"].to_numpy()
            aside.append(_cells(prepared, left_out, None))
    empty = _cells(prepared, np.zeros(len(files), dtype=np.bool_), None)
    return Effects(withheld, not_used, core, pl.concat([empty, *aside]).unique(maintain_order=True))


def _cells(prepared: Prepared, mask: Mask, column: str | None) -> pl.DataFrame:
    return (
        prepared.rows.select("file_no", "file_row")
        .filter(pl.Series(mask))
        .with_columns(pl.lit(column, dtype=pl.String).alias("column"))
    )


def _without(frame: pl.DataFrame, aside: pl.DataFrame) -> pl.DataFrame:
    """The frame with these cells empty, and without the rows that SET_ASIDE names without a column."""
    key = ["la_code", "file_row"]
    at = frame.select(key).with_row_index("at").join(aside, on=key, how="inner")
    wanted = pl.int_range(pl.len()).is_in(at.filter(pl.col("column").is_null())["at"].implode()).not_()
    for (name,), cells in at.filter(pl.col("column").is_not_null()).group_by("column", maintain_order=True):
        here = pl.int_range(pl.len()).is_in(cells["at"].implode())
        frame = frame.with_columns(pl.when(here.not_()).then(pl.col(str(name))).alias(str(name)))
    return frame.filter(wanted)


def usable(batch: Batch, outcome: Outcome) -> dict[Kind, pl.DataFrame]:
    """The batch's frames for counting: without unused files and set-aside rows, and with set-aside cells empty.

    Withheld columns stay as they are: counting leaves out whatever needs them (`Outcome.withheld`).
    """
    frames: dict[Kind, pl.DataFrame] = {}
    for kind, frame in batch.frames.items():
        gone = [la_code for la_code, k in outcome.quarantined if k is kind]
        kept = frame.filter(pl.col("la_code").is_in(gone).not_())
        aside = outcome.set_aside.filter(pl.col("extract") == str(kind))
        if aside.height:
            kept = _without(kept, aside)
        frames[kind] = kept.select(list(EXTRACTS[kind].schema))
    return frames
