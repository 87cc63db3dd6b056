"""Figures that contradict each other or a council's own past, computed from a month's counts. Defines all limits.

A jump of one figure may be true. Some changes almost never are: a share that is turned round, hours that are suddenly
the same for everybody, vacancies in another unit. Where the figures that depend on a column cannot be right, the column
is withheld.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from expectations.batch import CheckHistory, Severity
from expectations.suites.plausible import ROWS_TO_JUDGE, SPREADS, compared, error_where, share_text, with_past
from features.registry import Kind

SHARE, WHOLE_HOURS, UNIT, PERCENTAGE, EXCHANGED = "share", "whole_hours", "unit", "percentage", "exchanged"

#: How far a share may move within a month. In the published years the share of agency workers moved by 0.15 in a whole
#: year at one council of sixty; it moves less in a month.
SHARE_MOVES = 0.15
#: At this many times the limit the column no longer means what it did, and is withheld.
TURNED_OVER = 3.0
#: The number of standard errors that a share of few people may move; it avoids false alarms for small councils.
CHANCE = 4.0
#: Up to this FTE per person, hours are taken to vary.
HOURS_VARY = 0.98
#: Vacancies in hours are 35 to 37.5 times those in FTE, so this many times the usual number means another unit.
OTHER_UNIT = 20.0
#: Vacant posts for each filled post. Three of 1,053 published figures are higher.
VACANT_PER_FILLED = 1.5
#: How close vacancies must be to the usual vacancy rate in per cent, and how far from the usual number.
NEAR, FAR = 0.05, 0.25

FAMILIES: dict[str, str] = {
    SHARE: f"A share of a month's rows lies within {SHARE_MOVES:.0%} points of its usual one.",
    WHOLE_HOURS: "FTE is not 1 for everybody where hours varied before.",
    UNIT: f"Vacancies are below {OTHER_UNIT:g} times the usual and {VACANT_PER_FILLED:g} for each post that is filled.",
    PERCENTAGE: "Vacancies are a number of posts, not a percentage.",
    EXCHANGED: "Vacancies and agency workers have not changed places.",
}

#: Families whose errors withhold other fields than the one they name.
WITHHOLDS: dict[str, tuple[str, ...]] = {EXCHANGED: ("vacancy_fte", "agency_fte")}


@dataclass(frozen=True)
class WatchedShare:
    """A part and a whole, both counted, and the column that says which rows belong to the part."""

    extract: Kind
    column: str
    part: str
    whole: tuple[str, ...]
    words: str


SHARES: tuple[WatchedShare, ...] = (
    WatchedShare(
        Kind.WORKFORCE,
        "agency_worker",
        "agency_worker_headcount",
        ("agency_worker_headcount", "inpost_headcount"),
        "the workers in post are agency workers",
    ),
    WatchedShare(
        Kind.WORKFORCE,
        "absent_at_reference_date",
        "absent_headcount",
        ("inpost_headcount",),
        "the directly paid workers are absent on the last day",
    ),
    WatchedShare(
        Kind.WORKFORCE,
        "org_role",
        "managers_headcount",
        ("managers_headcount", "practitioners_headcount"),
        "the workers in post are managers",
    ),
    WatchedShare(Kind.CASELOAD, "re_referral", "re_referrals", ("referrals",), "the referrals are re-referrals"),
    WatchedShare(
        Kind.CASELOAD, "allocated_worker_ref", "unallocated_cases", ("open_cases",), "the open cases have no worker"
    ),
    WatchedShare(
        Kind.CASELOAD,
        "assessment_authorised_date",
        "assessments_in_time",
        ("assessments_completed",),
        "the assessments completed are in time",
    ),
    WatchedShare(Kind.CASELOAD, "icpc_date", "icpcs_in_time", ("icpcs",), "the conferences held are in time"),
    WatchedShare(
        Kind.CASELOAD,
        "cp_review_due_date",
        "cp_reviews_in_time",
        ("cp_reviews_due",),
        "the reviews are in time",
    ),
    WatchedShare(Kind.CASELOAD, "last_visit_date", "visits_overdue", ("visits_due",), "the visits are overdue"),
    WatchedShare(Kind.CASELOAD, "cp_plan_start_date", "cp_plans_open", ("open_cases",), "the open cases have a plan"),
    WatchedShare(
        Kind.CASELOAD,
        "worker_changes_12m",
        "cases_three_workers",
        ("cases_with_history",),
        "the cases had three workers or more",
    ),
)
_BY_COLUMN = {(str(s.extract), s.column): s for s in SHARES}


def comparisons(files: pl.DataFrame, history: CheckHistory) -> pl.DataFrame:
    """COMPARISONS of the files of a pass (`la_code, month, extract`) that have counts in `history`."""
    counts = {kind: history.counts_of(kind) for kind in (Kind.WORKFORCE, Kind.CASELOAD, Kind.ESTABLISHMENT)}
    parts = [_whole_hours(files, counts[Kind.WORKFORCE])]
    parts += [_shares(kind, files, counts[kind]) for kind in (Kind.WORKFORCE, Kind.CASELOAD)]
    parts += _establishment(files, counts[Kind.ESTABLISHMENT], counts[Kind.WORKFORCE])
    return pl.concat(parts).sort("month", "la_code", "extract", "check")


def message(family: str, row: Mapping[str, object]) -> str:
    """The message about one failed comparison; `row` is a row of COMPARISONS."""
    column, value, expected = str(row["column"]), row["value"], row["expected"]
    if family == SHARE:
        words = _BY_COLUMN[str(row["extract"]), column].words
        return (
            f"{share_text(value)} of {words}; in this council's last 12 months the middle value was "
            f"{share_text(expected)}. Check that {column} still means what it did, and that codes or columns are "
            "not swapped."
        )
    if family == WHOLE_HOURS:
        return (
            f"fte is 1 for everybody in post; before, it was {_number(expected)} a head. This looks like a headcount. "
            "Give contracted hours over standard hours."
        )
    if family == PERCENTAGE:
        return (
            f"vacancy_fte is {_number(value)}, usually {_number(expected)}, and equals the usual vacancy rate in "
            "per cent. Give the vacant posts in FTE."
        )
    if family == EXCHANGED:
        return (
            f"vacancy_fte is {_number(value)}, usually {_number(expected)}, and agency_fte is what vacancies "
            "were: the two look swapped. Send each figure in its own column."
        )
    return (
        f"vacancy_fte is {_number(value)}, but at most {_number(expected)} is possible: it looks like hours or another "
        "unit. Give the vacant posts in FTE."
    )


def _number(value: object) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else "unknown"


def _of(files: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    return files.filter(pl.col("extract") == str(kind))


def _shares(kind: Kind, files: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """The watched shares of one extract, all at once: what a comparison costs whatever it holds is paid once."""
    series = []
    for share in (s for s in SHARES if s.extract is kind):
        whole = pl.sum_horizontal(*share.whole, ignore_nulls=False)
        series.append(
            counts.select(
                "la_code",
                "month",
                pl.lit(share.column).alias("column"),
                whole.cast(pl.Float64).alias("of"),
                pl.when(whole >= ROWS_TO_JUDGE).then(pl.col(share.part) / whole).alias("value"),
            )
        )
    frame = with_past(_of(files, kind), pl.concat(series), ["column"]).filter(pl.col("value").is_not_null())
    usual = pl.col("median")
    chance = CHANCE * (usual * (1 - usual) / pl.col("of")).sqrt()
    allowed = pl.max_horizontal(pl.lit(SHARE_MOVES), SPREADS * pl.col("spread"), chance)
    rows = compared(
        frame.with_columns(pl.lit(str(kind)).alias("extract")),
        SHARE,
        Severity.QUERY,
        pl.format("{}.{}.share", pl.lit(str(kind)), pl.col("column")),
        (pl.col("value") - usual).abs() / allowed,
    )
    return error_where(rows, pl.col("excess") >= TURNED_OVER)


def _whole_hours(files: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    people = pl.col("inpost_headcount")
    series = counts.select(
        "la_code",
        "month",
        pl.lit("fte").alias("column"),
        pl.when(people >= ROWS_TO_JUDGE).then(pl.col("inpost_fte") / (100 * people)).alias("value"),
    )
    frame = with_past(_of(files, Kind.WORKFORCE), series, ["column"]).filter(pl.col("value").is_not_null())
    # 2 (a failure) where everybody has 1 and it was less before, else 0; there is nothing in between.
    alike = (pl.col("value") == 1.0) & (pl.col("median") <= HOURS_VARY)
    return compared(
        frame.with_columns(pl.lit(str(Kind.WORKFORCE)).alias("extract")),
        WHOLE_HOURS,
        Severity.ERROR,
        pl.lit(f"{Kind.WORKFORCE}.fte.{WHOLE_HOURS}"),
        alike.cast(pl.Float64) * 2,
    )


def _establishment(files: pl.DataFrame, counts: pl.DataFrame, workforce: pl.DataFrame) -> list[pl.DataFrame]:
    """Compares vacancies with their own past, with the agency workers and with the filled posts."""
    kind, key = Kind.ESTABLISHMENT, ["la_code", "month"]
    staff = workforce.select(*key, pl.col("inpost_fte") / 100)
    figures = counts.select(*key, pl.col("vacancy_fte", "agency_fte") / 100).join(staff, on=key, how="left")
    of = {
        "vacancies": pl.col("vacancy_fte"),
        "agency": pl.col("agency_fte"),
        "filled": pl.col("inpost_fte"),
        "rate": 100 * pl.col("vacancy_fte") / (pl.col("vacancy_fte") + pl.col("inpost_fte")),
    }
    series = [figures.select(*key, pl.lit(name).alias("of"), value.alias("value")) for name, value in of.items()]
    past = with_past(_of(files, kind), pl.concat(series), ["of"])
    frame = past.filter(pl.col("value").is_not_null(), of="vacancies").drop("of")
    for name in ("agency", "filled", "rate"):
        own = past.filter(of=name).select(*key, pl.col("value").alias(name), pl.col("median").alias(f"usual_{name}"))
        frame = frame.join(own, on=key, how="left")
    now, usual, filled = pl.col("value"), pl.col("median"), pl.col("usual_filled")
    agency, usual_agency = pl.col("agency"), pl.col("usual_agency")
    apart = (usual - usual_agency).abs() >= FAR * pl.max_horizontal(usual, usual_agency)
    swapped = (now - usual_agency).abs() + (agency - usual).abs()
    straight = (now - usual).abs() + (agency - usual_agency).abs()
    rate = pl.col("usual_rate")
    # At a council with about a hundred posts, the number of vacancies and their percentage are the same.
    told_apart = (usual - rate).abs() > 2 * FAR * usual
    looks_like_rate = told_apart & ((now - rate).abs() <= NEAR * rate)
    exchanged = apart & (swapped < FAR * straight)
    most = pl.min_horizontal(OTHER_UNIT * pl.max_horizontal(usual, 1.0), VACANT_PER_FILLED * filled)
    tests = (
        (UNIT, Severity.ERROR, now / most),
        (EXCHANGED, Severity.ERROR, exchanged.cast(pl.Float64) * 2),
        (PERCENTAGE, Severity.QUERY, (looks_like_rate & exchanged.not_()).cast(pl.Float64) * 2),
    )
    parts = []
    for family, severity, excess in tests:
        rows = frame.with_columns(
            pl.lit(str(kind)).alias("extract"),
            pl.lit("vacancy_fte").alias("column"),
            # What is expected: the usual number, or the most that is possible.
            median=most if family == UNIT else usual,
            far=excess,
        )
        parts.append(
            compared(
                rows,
                family,
                severity,
                pl.lit(f"{kind}.vacancy_fte.{family}"),
                pl.col("far"),
            )
        )
    return parts
