"""Published figures as returns: DfE's counts and percentages by council and period; symbols become reasons."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from features.registry import RETURN, FieldType
from models.record import layouts
from models.record.cells import missing_reason, number, unknown_symbols
from models.record.tables import Layout, RecordTable, claim

#: Last day of the year that each collection describes: workforce 30 September, children in need 31 March.
WORKFORCE_YEAR_END = (9, 30)
CHILDREN_YEAR_END = (3, 31)

#: LAIT item -> (registry measure, year end): percentages DfE publishes without their counts.
LAIT_MEASURES: dict[str, tuple[str, tuple[int, int]]] = {
    "Continue_Assess_Comp": ("assessments_in_time_rate", CHILDREN_YEAR_END),
    "CP_conf_15days": ("icpc_in_time_rate", CHILDREN_YEAR_END),
    "RevCP": ("cp_reviews_in_time_rate", CHILDREN_YEAR_END),
}

#: One published count: `count` is a column of the `return` extract (or the child population).
COUNTS = pl.Schema(
    {
        "la_code": pl.String(),
        "period_end": pl.Date(),
        "count": pl.String(),
        "value": pl.Float64(),
        "reason": pl.String(),
        "source": pl.String(),
    }
)
#: One published percentage, as a fraction.
RATES = pl.Schema(
    {
        "la_code": pl.String(),
        "period_end": pl.Date(),
        "measure": pl.String(),
        "value": pl.Float64(),
        "reason": pl.String(),
        "source": pl.String(),
    }
)

_RETURN_COUNTS = {f.name for f in RETURN.fields if f.type in (FieldType.DECIMAL, FieldType.INTEGER)}


def counts(tables: Iterable[RecordTable]) -> tuple[pl.DataFrame, list[str]]:
    """All published counts, long: each council, period and count once; and notes on unknown symbols.

    Where releases overlap, the newest that has a number is used; a release is dated by its latest period. Workforce
    counts are of the year to 30 September, the others of the year to 31 March.
    """
    found: list[pl.DataFrame] = []
    notes: list[str] = []
    for table in tables:
        for layout in (*layouts.WORKFORCE, *layouts.CHILDREN):
            frame = claim(layout, table)
            if frame is not None:
                year_end = WORKFORCE_YEAR_END if layout in layouts.WORKFORCE else CHILDREN_YEAR_END
                found.append(_counts_of(layout, frame, year_end, table.file))
                names = [n for n in frame.columns if n in _RETURN_COUNTS or n.startswith("icpc_")]
                notes += [f"{table.where}: unknown symbol “{s}” read as missing" for s in unknown_symbols(frame, names)]
    return _newest(found, COUNTS, "count"), notes


def population(tables: Iterable[RecordTable]) -> pl.DataFrame:
    """Children aged 0 to 17 per council and mid-year (`period_end` is 30 June), in the shape of `counts`."""
    found = []
    for table in tables:
        frame = claim(layouts.POPULATION, table)
        if frame is not None:
            children = frame.filter(pl.col("age_group").str.to_lowercase().str.contains("0 to 17"))
            found.append(_counts_of(layouts.POPULATION, children, (6, 30), table.file))
    return _newest(found, COUNTS, "count")


def published_percentages(tables: Iterable[RecordTable]) -> pl.DataFrame:
    """Percentages that are published without their counts (in LAIT), as fractions."""
    found = []
    for table in tables:
        frame = claim(layouts.LAIT, table)
        if frame is None:
            continue
        measure = {item: name for item, (name, _) in LAIT_MEASURES.items()}
        known = frame.filter(pl.col("item").is_in(list(measure)), pl.col("old_la_code").str.contains(r"^\d{3}$"))
        latest = _years(known["year"])
        found.append(
            known.select(
                la_code=pl.col("old_la_code"),
                period_end=_period_end("year", CHILDREN_YEAR_END),
                measure=pl.col("item").replace_strict(measure, return_dtype=pl.String()),
                value=number("value") / 100,
                reason=missing_reason("value"),
                source=pl.lit(table.file),
                release=pl.lit(latest),
            ).filter(pl.col("period_end").is_not_null())
        )
    return _newest(found, RATES, "measure")


def _counts_of(layout: Layout, frame: pl.DataFrame, year_end: tuple[int, int], source: str) -> pl.DataFrame:
    councils = frame.filter(pl.col("geographic_level") == "Local authority")
    wanted = [n for n in councils.columns if n in _RETURN_COUNTS or n == "population_0_17"]
    values = councils.select(
        # A joint code is written `314 / 318`, however it is spaced.
        la_code=pl.col("old_la_code").str.strip_chars().str.replace_all(r"\s*/\s*", " / "),
        period_end=_period_end("time_period", year_end),
        **{f"{n}|value": number(n) for n in wanted},
        **{f"{n}|reason": missing_reason(n) for n in wanted},
    )
    if layout is layouts.SECTION_47:
        early, late = number("icpc_0_10"), number("icpc_11_15")
        in_time = councils.select(v=early + late, r=missing_reason("icpc_0_10").fill_null(missing_reason("icpc_11_15")))
        values = values.with_columns(
            in_time["v"].alias("icpcs_in_time_12m|value"), in_time["r"].alias("icpcs_in_time_12m|reason")
        )
        wanted = [*wanted, "icpcs_in_time_12m"]
    latest = _years(councils["time_period"])
    return pl.concat(
        values.select(
            "la_code",
            "period_end",
            pl.lit(n).alias("count"),
            pl.col(f"{n}|value").alias("value"),
            pl.col(f"{n}|reason").alias("reason"),
            pl.lit(source).alias("source"),
            pl.lit(latest).alias("release"),
        )
        for n in wanted
    ).filter(pl.col("la_code").is_not_null() & pl.col("period_end").is_not_null())


def _newest(found: list[pl.DataFrame], schema: pl.Schema, what: str) -> pl.DataFrame:
    if not found:
        return schema.to_frame()
    together = pl.concat(found).sort(
        "la_code",
        "period_end",
        what,
        pl.col("value").is_null(),
        pl.col("release"),
        "source",
        descending=[False, False, False, False, True, False],
    )
    return together.unique(["la_code", "period_end", what], keep="first", maintain_order=True).select(list(schema))


def _period_end(column: str, year_end: tuple[int, int]) -> pl.Expr:
    """The end of a period: `2023`, `202223` and `2022-23` all mean the year that ends in 2023."""
    text = pl.col(column).str.strip_chars()
    century = text.str.slice(0, 2)
    year = (
        pl.when(text.str.contains(r"^\d{4}$"))
        .then(text)
        .when(text.str.contains(r"^\d{4}[-/]?\d{2}$"))
        .then(century + text.str.slice(-2))
        .cast(pl.Int32(), strict=False)
    )
    return pl.date(year, year_end[0], year_end[1])


def _years(column: pl.Series) -> date:
    latest = column.to_frame("y").select(_period_end("y", (12, 31)).max()).item() if len(column) else None
    return latest if isinstance(latest, date) else date.min
