"""A council register made from DfE's published file itself, so that all of England can be run without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

import polars as pl

from features.councils import Council, Register, members_of
from features.frameworks import Judgement, framework_named
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.dfe.workforce_file import PublishedWorkforce
from models.judgements.labels import graded
from models.record.identity import SUCCESSIONS
from models.record.places import region_of, type_of
from models.record.read import PublicRecord

_NEIGHBOURS = 10


def register_from_published(
    published: PublishedWorkforce, record: PublicRecord | None = None, *, known_by: date | None = None
) -> Register:
    """Every council of the file, valid in the years for which the file has it, and expected to send a `return`.

    With the public `record`: statistical neighbours, child population, deprivation and judgements, each as known by
    `known_by` (the day after the file's last September, if not given). A joint return (“314 / 318”) has both members'
    neighbours by nearness, the sum of their children and the judgements of both. If a new council is too young to be in
    the editions of deprivation and neighbours, it gets those of the councils whose area it took over.
    """
    known_by = known_by or published.months[-1].last_day
    last = published.councils["last"].max()
    councils = [
        Council(
            la_code=row["la_code"],
            name=row["name"],
            valid_from=Month.of(row["first"]).plus(-11),
            valid_to=None if row["last"] == last else Month.of(row["last"]),
            predecessors=_predecessors(row["la_code"]),
            region=region_of(row["region"] or ""),
            council_type=type_of(members_of(row["la_code"])[0], ""),
            expects=(Kind.RETURN,),
        )
        for row in published.councils.iter_rows(named=True)
    ]
    if record is not None:
        context = _Context(record, councils, known_by)
        councils = [context.given_to(c) for c in councils]
    return Register(tuple(councils))


def _predecessors(la_code: str) -> tuple[str, ...]:
    """The councils that ended when this one began."""
    members = set(members_of(la_code))
    return tuple(p for s in SUCCESSIONS if members & set(s.successors) for p in s.predecessors)


class _Context:
    """What the public record says about the councils, as known by a day."""

    def __init__(self, record: PublicRecord, councils: Iterable[Council], known_by: date) -> None:
        self.unit = {member: c.la_code for c in councils for member in members_of(c.la_code)}
        self.population = _latest(
            record.population.filter(pl.col("period_end") <= known_by).sort("period_end"), "value"
        )
        self.deprivation = _latest(
            record.deprivation.filter(pl.col("edition") <= known_by.year).sort("edition"), "imd_score"
        )
        near = record.neighbours.filter(pl.col("edition") <= known_by)
        self.neighbours = near.filter(pl.col("edition") == pl.col("edition").max()).sort("rank", "la_code")
        self.judgements = graded(record.judgements).filter(pl.col("published") <= known_by)

    def given_to(self, council: Council) -> Council:
        members = members_of(council.la_code)
        area = members if set(members) <= set(self.deprivation) else council.predecessors
        children = [self.population.get(m) for m in members]
        known = [c for c in children if c is not None]
        return replace(
            council,
            neighbours=self._neighbours(council.la_code, members)
            or self._neighbours(council.la_code, council.predecessors),
            population_0_17=round(sum(known)) if known and len(known) == len(members) else None,
            imd_score=self._deprivation(area),
            judgements=self._judgements(members),
        )

    def _neighbours(self, la_code: str, members: tuple[str, ...]) -> tuple[str, ...]:
        near = self.neighbours.filter(pl.col("la_code").is_in(list(members)))["neighbour"].to_list()
        units = dict.fromkeys(self.unit[n] for n in near if n in self.unit)
        return tuple(u for u in units if u != la_code)[:_NEIGHBOURS]

    def _deprivation(self, members: tuple[str, ...]) -> float | None:
        """The members' average scores, weighted by their children."""
        weighed = [(self.deprivation[m], self.population.get(m, 1.0)) for m in members if m in self.deprivation]
        if not weighed or len(weighed) < len(members):
            return None
        return round(sum(score * weight for score, weight in weighed) / sum(weight for _, weight in weighed), 3)

    def _judgements(self, members: tuple[str, ...]) -> tuple[Judgement, ...]:
        rows = self.judgements.filter(pl.col("la_code").is_in(list(members))).sort("published", "la_code")
        return tuple(
            Judgement(published, words or framework_named(framework).word_of(grade))
            for published, grade, words, framework in rows.select(
                "published", "grade", "words", "framework"
            ).iter_rows()
        )


def _latest(frame: pl.DataFrame, value: str) -> Mapping[str, float]:
    """The last value of each council; the frame is in order of time."""
    known = frame.drop_nulls(value).unique("la_code", keep="last", maintain_order=True)
    return {str(la_code): float(number) for la_code, number in known.select("la_code", value).iter_rows()}
