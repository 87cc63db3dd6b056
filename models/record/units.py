"""Assigns published figures to the councils that are judged: splits joint returns, passes history to successors."""

from __future__ import annotations

import polars as pl

from features.registry import Missing
from models.record.identity import JOINT_RETURNS

_KEY = ("la_code", "period_end")


def split_joint(counts: pl.DataFrame) -> pl.DataFrame:
    """Give each member of a joint return the joint figures; `counts` is long with column `count`.

    DfE has published such a return under both codes (`314 / 318`), or under one of them with the other marked not
    applicable. The figures are those of the joint service either way, and rates hold for both councils.
    """
    joint = counts.filter(pl.col("la_code").str.contains("/"))
    single = counts.filter(~pl.col("la_code").str.contains("/"))
    members = joint.with_columns(pl.col("la_code").str.split(" / ")).explode("la_code")
    twins = []
    for one, other in JOINT_RETURNS:
        for mine, partner in ((one, other), (other, one)):
            theirs = single.filter(pl.col("la_code") == partner, pl.col("value").is_not_null())
            empty = single.filter(pl.col("la_code") == mine, pl.col("reason") == str(Missing.NOT_APPLICABLE))
            shared = theirs.join(empty.select("period_end", "count"), on=["period_end", "count"], how="semi")
            twins.append(shared.with_columns(la_code=pl.lit(mine)))
    ranked = [f.with_columns(order=pl.lit(i)) for i, f in enumerate((members, pl.concat(twins), single))]
    return (
        pl.concat(ranked)
        .sort(*_KEY, "count", "order")
        .unique([*_KEY, "count"], keep="first", maintain_order=True)
        .drop("order")
    )


def hand_down(figures: pl.DataFrame, lineage: pl.DataFrame, name: str) -> pl.DataFrame:
    """Add to each successor its predecessors' figures for periods before its own first figure.

    Counts (`name` = "count") are summed, each predecessor weighted by the share of its children that went to the
    successor. Rates (`name` = "measure") are averaged, weighted by the share of the successor's children. A figure that
    one predecessor lacks is missing for the successor.
    """
    weight = "of_predecessor" if name == "count" else "of_successor"
    inherited = (
        figures.join(lineage, left_on="la_code", right_on="predecessor", how="inner")
        .filter(pl.col("period_end") < pl.col("on"), pl.col(weight) > 0)
        .group_by("successor", "period_end", name)
        .agg(
            whole=pl.col("value").is_not_null().all(),
            value=(pl.col("value") * pl.col(weight)).sum(),
            reason=pl.col("reason").drop_nulls().sort().first(),
            source=pl.col("source").sort().first(),
        )
        .with_columns(value=pl.when("whole").then("value"), reason=pl.when(~pl.col("whole")).then("reason"))
        .rename({"successor": "la_code"})
        .select(figures.columns)
    )
    own = figures.select(*_KEY, name)
    return pl.concat([figures, inherited.join(own, on=[*_KEY, name], how="anti")]).sort(*_KEY, name)
