"""Boundary changes and joint returns: whose history a council inherits, and with what weight.

Sources: the Local Government Changes orders of 2018 (Bournemouth, Dorset and Poole), 2020 (Northamptonshire) and 2022
(Cumbria). To add an order, add a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True, slots=True)
class Succession:
    """A boundary change: on that day the predecessors ended and the successors began."""

    on: date
    predecessors: tuple[str, ...]
    successors: tuple[str, ...]


SUCCESSIONS: tuple[Succession, ...] = (
    # Christchurch, a part of the old county of Dorset, went to Bournemouth, Christchurch and Poole.
    Succession(date(2019, 4, 1), ("835", "836", "837"), ("838", "839")),
    Succession(date(2021, 4, 1), ("928",), ("940", "941")),
    Succession(date(2023, 4, 1), ("909",), ("942", "943")),
)
#: The successors that received part of each predecessor's area.
_PARTS: dict[str, tuple[str, ...]] = {
    "835": ("838", "839"),
    "836": ("839",),
    "837": ("839",),
    "928": ("940", "941"),
    "909": ("942", "943"),
}

#: Councils that are inspected separately but send one workforce return (a shared trust or company).
JOINT_RETURNS: tuple[tuple[str, str], ...] = (("314", "318"), ("940", "941"))

#: First and last day of councils that began or ended.
EXISTED: dict[str, tuple[date, date]] = {
    **{p: (date.min, date(s.on.year, 3, 31)) for s in SUCCESSIONS for p in s.predecessors},
    **{c: (s.on, date.max) for s in SUCCESSIONS for c in s.successors},
}

LINEAGE = pl.Schema(
    {
        "predecessor": pl.String(),
        "successor": pl.String(),
        "on": pl.Date(),
        "of_predecessor": pl.Float64(),
        "of_successor": pl.Float64(),
    }
)


def lineage(population: Mapping[str, float]) -> pl.DataFrame:
    """The share of each predecessor's children that went to a successor, and their share of the successor's children.

    `population` is children per council: before the change for predecessors, after it for successors. A successor with
    only one predecessor takes children equal to its own size from it; the rest go to the other successors. Councils
    without a population share equally. Columns: LINEAGE.
    """
    rows = []
    for change in SUCCESSIONS:
        flows = _flows(change, population)
        for (old, new), children in flows.items():
            out = sum(v for (o, _), v in flows.items() if o == old)
            into = sum(v for (_, n), v in flows.items() if n == new)
            rows.append((old, new, change.on, children / out, children / into))
    return pl.DataFrame(rows, schema=LINEAGE, orient="row").sort("successor", "predecessor")


def _flows(change: Succession, population: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """The number of children who went from each predecessor to each successor."""
    flows: dict[tuple[str, str], float] = {}
    parents = {new: [old for old in change.predecessors if new in _PARTS[old]] for new in change.successors}
    for old in change.predecessors:
        left = population.get(old, float(len(_PARTS[old])))
        sole = [new for new in _PARTS[old] if len(parents[new]) == 1]
        shared = [new for new in _PARTS[old] if new not in sole]
        claims = {new: population.get(new, left / len(_PARTS[old])) for new in sole}
        scale = 1.0 if shared and sum(claims.values()) < left else left / sum(claims.values()) if claims else 1.0
        for new, children in claims.items():
            flows[old, new] = children * scale
            left -= children * scale
        for new in shared:
            flows[old, new] = left / len(shared)
    return flows
