"""Do a council's files agree with each other? Compares totals by council and month, never row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from expectations.batch import CheckHistory, Severity
from expectations.suites.plausible import COMPARISONS, figure_text
from expectations.suites.rows import Prepared
from features.registry import Kind

FAMILY = "agreement"
DESCRIPTION = "The figures of a council's files agree with each other."

#: Two files for the same day, made by two departments, rarely agree to the last worker.
AGREES_WITHIN = 0.1
#: In a council's first month nothing but its other file shows that one was cut off, so the cases are held to this.
FIRST_AGREES_WITHIN = 0.03
#: From so many times that difference on, one of the files is not whole, or not of this council or day: the director's
#: message waits for an answer.
CONTRADICTS = 2.0
_ASKED = 1.9
#: A yearly return may be some months older than the month's extracts. If it differs by half, it is of another council
#: or in another unit.
RETURN_AGREES_WITHIN = 0.5
_RETURN_FLOOR = 10


@dataclass(frozen=True)
class Agreement:
    """A figure that two files both give."""

    extract: Kind
    """The file whose sender is asked to explain the difference."""
    column: str
    other: Kind
    floor: float
    """Differences up to this are ignored."""
    ours: str
    theirs: str
    """What the two figures are, in words for people."""
    within: float = AGREES_WITHIN
    first_within: float | None = None
    """The same in a council's first month, if it is stricter."""
    severity: Severity = Severity.QUERY

    @property
    def code(self) -> str:
        return f"{self.extract}.{self.column}.{self.other}"


AGREEMENTS: tuple[Agreement, ...] = (
    Agreement(
        Kind.ESTABLISHMENT,
        "agency_fte",
        Kind.WORKFORCE,
        2,
        "agency_fte is {ours}",
        "the agency workers of the workforce extract come to {theirs} FTE",
    ),
    Agreement(
        Kind.ESTABLISHMENT,
        "agency_headcount",
        Kind.WORKFORCE,
        2,
        "agency_headcount is {ours}",
        "the workforce extract has {theirs} agency workers in post",
    ),
    Agreement(
        Kind.WORKFORCE,
        "cases",
        Kind.CASELOAD,
        25,
        "The workers in post hold {ours} cases",
        "the caseload extract has {theirs} open cases with a worker",
        first_within=FIRST_AGREES_WITHIN,
    ),
    *(
        Agreement(
            Kind.RETURN,
            column,
            Kind.WORKFORCE,
            _RETURN_FLOOR,
            f"{column} of the return is {{ours}}",
            f"the workforce extract has {{theirs}} {what}",
            RETURN_AGREES_WITHIN,
            severity=Severity.ERROR,
        )
        for column, what in (
            ("agency_fte", "FTE of agency workers in post"),
            ("agency_headcount", "agency workers in post"),
            ("inpost_fte", "FTE of its own workers in post"),
            ("inpost_headcount", "workers of its own in post"),
        )
    ),
)
_BY_CODE = {a.code: a for a in AGREEMENTS}


def first_months(profiles: pl.DataFrame, history: CheckHistory) -> pl.DataFrame:
    """`la_code, month` of the files that have no earlier month."""
    known = pl.concat([p.select("la_code", "month") for p in (history.profiles, profiles)])
    first = known.group_by("la_code").agg(pl.col("month").min())
    return first.join(profiles.select("la_code", "month").unique(), on=["la_code", "month"], how="semi").sort("la_code")


def comparisons(prepared: Mapping[Kind, Prepared], first: pl.DataFrame) -> pl.DataFrame:
    """COMPARISONS of every council's files; `excess` is null where one of the two files is missing.

    `first`: `la_code, month` of councils' first months.
    """
    figures = {kind: _figures(p) for kind, p in prepared.items()}
    parts = [COMPARISONS.to_frame()]
    for agreement in AGREEMENTS:
        ours = figures.get(agreement.extract)
        if ours is None:
            continue
        theirs = figures.get(agreement.other)
        key = ["la_code", "month"]
        name = f"{agreement.column}_seen"
        if theirs is None:
            frame = ours.select(
                *key, pl.col(agreement.column).alias("value"), pl.lit(None, pl.Float64).alias("expected")
            )
        else:
            frame = ours.select(*key, pl.col(agreement.column).alias("value")).join(
                theirs.select(*key, pl.col(name).alias("expected")), on=key, how="left", validate="1:1"
            )
        excess = _excess(agreement.within, agreement.floor)
        if agreement.first_within is not None:
            # Stricter, but nobody's message is held for it.
            asked = pl.min_horizontal(_excess(agreement.first_within, agreement.floor), pl.lit(_ASKED))
            frame = frame.join(first.with_columns(first=pl.lit(True)), on=key, how="left", maintain_order="left")
            excess = (
                pl.when(pl.col("first") & excess.is_not_null()).then(pl.max_horizontal(excess, asked)).otherwise(excess)
            )
        parts.append(
            frame.with_columns(
                pl.lit(FAMILY).alias("family"),
                pl.lit(agreement.code).alias("check"),
                pl.lit(str(agreement.severity)).alias("severity"),
                pl.lit(str(agreement.extract)).alias("extract"),
                pl.lit(agreement.column).alias("column"),
                pl.lit(None, pl.Date).alias("other_month"),
                excess.alias("excess"),
                pl.lit(0, pl.UInt32).alias("rows"),
            ).select(list(COMPARISONS))
        )
    return pl.concat(parts).sort("month", "la_code", "check")


def _excess(within: float, floor: float) -> pl.Expr:
    allowed = pl.max_horizontal(within * pl.max_horizontal("value", "expected"), pl.lit(floor, pl.Float64))
    return (pl.col("value") - pl.col("expected")).abs() / allowed


def message(row: dict[str, object]) -> str:
    """The message about two files that disagree."""
    agreement = _BY_CODE[str(row["check"])]
    ours = agreement.ours.format(ours=figure_text(row["value"]))
    theirs = agreement.theirs.format(theirs=figure_text(row["expected"]))
    held = isinstance(row["excess"], float) and row["excess"] >= CONTRADICTS and agreement.severity is Severity.QUERY
    waits = " Until somebody has answered, no message about the month goes to the director."
    return (
        f"{ours}, and {theirs}. Check that both were made for the same day and the same teams, and that neither is cut "
        f"off.{waits if held else ''}"
    )


def _figures(prepared: Prepared) -> pl.DataFrame:
    """One row per file: its own figures, and those that other files give too (`…_seen`)."""
    rows = prepared.rows
    group = ["la_code", "month"]
    if prepared.kind is Kind.WORKFORCE:
        in_post = pl.col("role_end_date").is_null() | (pl.col("role_end_date") > pl.col("month"))
        agency = in_post & pl.col("agency_worker").fill_null(False)
        own = in_post & ~pl.col("agency_worker").fill_null(False)
        figures = [
            (pl.col("fte") * agency).sum().truediv(100).alias("agency_fte_seen"),
            agency.sum().cast(pl.Float64).alias("agency_headcount_seen"),
            (pl.col("fte") * own).sum().truediv(100).alias("inpost_fte_seen"),
            own.sum().cast(pl.Float64).alias("inpost_headcount_seen"),
            (pl.col("cases") * in_post).sum().cast(pl.Float64).alias("cases"),
        ]
    elif prepared.kind is Kind.CASELOAD:
        still_open = pl.col("closed_date").is_null() | (pl.col("closed_date") > pl.col("month"))
        allocated = still_open & pl.col("allocated_worker_ref").is_not_null()
        figures = [allocated.sum().cast(pl.Float64).alias("cases_seen")]
    elif prepared.kind is Kind.ESTABLISHMENT:
        figures = [
            pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum() / parts).alias(name)
            for name, parts in (("agency_fte", 100), ("agency_headcount", 1))
        ]
    else:
        parts_of_return = {"agency_fte": 100, "agency_headcount": 1, "inpost_fte": 100, "inpost_headcount": 1}
        figures = [
            pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum() / parts).alias(name)
            for name, parts in parts_of_return.items()
        ]
    return rows.group_by(group).agg(figures).sort(group)
