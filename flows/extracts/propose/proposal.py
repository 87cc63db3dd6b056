"""Proposes which column of a home-made file is which field, with the evidence, and never decides by a guess.

A match is sure only if it needs no judgement: a documented name, or nearly the same name, if all cells fit the field
and no other match comes near. Everything else is a question for a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from features.registry import EXTRACTS, Field, FieldType, Kind
from flows.extracts.mapping import FROM_THE_FOLDER
from flows.extracts.propose.hints import HINTS
from flows.extracts.propose.words import BY_WORDS, declared_words, is_category, known_words, near, words_in
from flows.extracts.reading.cells import read_cells
from flows.extracts.reading.declared_dates import FORMATS, fits
from flows.extracts.reading.headers import meanings, normalised
from flows.extracts.reading.table import RawTable

#: A match with a name this near, cells that all fit, and this lead over all other matches needs no question.
_SURE_NAME, _SURE_CELLS, _LEAD = 0.9, 0.98, 0.08
#: A column is offered for a field if its name is at least this near and this share of its cells could be right.
_OFFERED_NAME, _OFFERED_CELLS = 0.6, 0.3
#: A column is proposed to a person from this score on.
_GUESSED = 0.4
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ColumnCandidate:
    """One column that may be a field."""

    header: str
    score: float
    evidence: str
    """The evidence for it, without a value: “a documented name; 214 of 214 cells are dates”."""


@dataclass(frozen=True, slots=True)
class FieldProposal:
    field: Field
    sure: str | None
    """The header that matches, if that needs no question."""
    candidates: tuple[ColumnCandidate, ...]
    """Best first."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is known about a file, and what must be asked."""

    kind: Kind
    fields: tuple[FieldProposal, ...]
    unread: tuple[str, ...] = field(default=())
    """Headers that come near no field."""

    @property
    def sure(self) -> dict[str, str]:
        """Field -> header, where no question is needed."""
        return {p.field.name: p.sure for p in self.fields if p.sure is not None}


def propose(table: RawTable, kind: Kind) -> Proposal:
    """Compare every column with every field. The table has no personal data: that was refused earlier."""
    fields = EXTRACTS[kind].fields
    known = meanings(kind)
    documented = {i: known[normalised(h)] for i, h in enumerate(table.headers) if normalised(h) in known}
    scored: dict[tuple[str, int], ColumnCandidate] = {}
    name_of: dict[tuple[str, int], float] = {}
    fit_of: dict[tuple[str, int], float] = {}
    for position, header in enumerate(table.headers):
        for declared in fields:
            name, why = likeness(header, declared)
            if position in documented:
                name = 1.0 if documented[position] == declared.name else name * 0.5
            if name < _OFFERED_NAME:
                continue
            fit, cells = _fit(table.cells[str(position)], declared)
            if fit < _OFFERED_CELLS and name < 1.0:
                continue
            key = (declared.name, position)
            name_of[key], fit_of[key] = name, fit
            scored[key] = ColumnCandidate(header, name * (0.4 + 0.6 * fit), f"{why}; {cells}")
    for declared in (f for f in fields if f.name in BY_WORDS):
        for position, header in enumerate(table.headers):
            filled = table.cells[str(position)].drop_nulls()
            # A list of posts may also say who is an agency worker.
            other = documented.get(position) not in (None, *(("org_role",) if declared.name == "agency_worker" else ()))
            if (declared.name, position) in scored or other or not is_category(filled):
                continue
            if rows := BY_WORDS[declared.name](filled, declared):
                key = (declared.name, position)
                name_of[key] = fit_of[key] = 0.5
                scored[key] = ColumnCandidate(header, 0.5, f"{rows:,} of {filled.len():,} cells have a word for it")
    proposals = []
    taken: set[int] = set()
    for declared in fields:
        own = sorted(
            ((c, p) for (f, p), c in scored.items() if f == declared.name), key=lambda cp: (-cp[0].score, cp[1])
        )
        sure = next((p for _, p in own if _is_sure(declared.name, p, documented, scored, name_of, fit_of)), None)
        if sure is not None:
            taken.add(sure)
        offered = tuple(c for c, _ in own)
        proposals.append(
            FieldProposal(
                declared,
                table.headers[sure] if sure is not None else None,
                offered[:_SHOWN],
            )
        )
    spoken_for = {table.headers[p] for p in taken}
    proposals = [_without(p, spoken_for) for p in proposals]
    offered_headers = {c.header for p in proposals for c in p.candidates} | spoken_for
    unread = tuple(h for h in table.headers if h and h not in offered_headers)
    return Proposal(kind, tuple(proposals), unread)


def best_guess(proposal: Proposal) -> dict[str, ColumnCandidate]:
    """Field -> the column it most likely is; a column is used once, but may also say who is an agency worker."""
    ranked = sorted(
        ((c.score + (one.sure == c.header), one.field.name, c) for one in proposal.fields for c in one.candidates),
        key=lambda found: -found[0],
    )
    guessed: dict[str, ColumnCandidate] = {}
    for score, name, candidate in ranked:
        used = candidate.header in {c.header for n, c in guessed.items()} and name != "agency_worker"
        if name not in guessed and not used and score >= _GUESSED:
            guessed[name] = candidate
    return guessed


def telling_apart(table: RawTable, but: Collection[str]) -> str | None:
    """The first column with another text in every row, for a file in which no name says what tells its rows apart."""
    for position, header in enumerate(table.headers):
        cells = table.cells[str(position)]
        if header and header not in but and not cells.null_count() and cells.n_unique() == cells.len():
            return header
    return None


def _without(proposal: FieldProposal, spoken_for: set[str]) -> FieldProposal:
    """Leaves out columns that are certainly something else."""
    if proposal.sure is not None or proposal.field.name == "agency_worker":
        return proposal
    return FieldProposal(proposal.field, None, tuple(c for c in proposal.candidates if c.header not in spoken_for))


def _is_sure(
    name: str,
    position: int,
    documented: Mapping[int, str],
    scored: Mapping[tuple[str, int], ColumnCandidate],
    name_of: Mapping[tuple[str, int], float],
    fit_of: Mapping[tuple[str, int], float],
) -> bool:
    key = (name, position)
    if documented.get(position) == name:
        # Two columns have documented names of one field, so neither is chosen.
        return sum(1 for f in documented.values() if f == name) == 1
    if name_of[key] < _SURE_NAME or fit_of[key] < _SURE_CELLS or position in documented:
        return False
    if name in documented.values():
        return False
    rivals = [c.score for (f, p), c in scored.items() if (f == name) != (p == position)]
    return all(scored[key].score - rival >= _LEAD for rival in rivals)


def likeness(header: str, declared: Field) -> tuple[float, str]:
    """How near a header is to a field's names, and the evidence."""
    given = " ".join(words_in(header))
    if not given:
        return 0.0, ""
    names = (declared.name, *declared.synonyms)
    nearest = max(near(given, " ".join(words_in(n))) for n in names)
    hinted = max((near(given, h) for h in HINTS.get(declared.name, ())), default=0.0) * 0.85
    if nearest >= 1.0:
        return 1.0, "a documented name"
    if (bare := re.sub(r"\(.*?\)", "", header).strip()) not in ("", header):
        # What stands in brackets may change the meaning, so the name without it only resembles.
        without = likeness(bare, declared)[0]
        nearest, hinted = max(nearest, min(without, 0.85)), max(hinted, min(without, 0.85) - 0.01)
    if hinted > nearest:
        return hinted, "a word that systems use for it"
    return nearest, "a name like it"


def _fit(cells: pl.Series, declared: Field) -> tuple[float, str]:
    """The share of a column's cells that fit the field, and the same in words."""
    filled = cells.drop_nulls()
    if not filled.len():
        return 0.5, "no cell is filled"
    problems = read_cells(filled, declared).problems
    good = filled.len() - (problems.drop_nulls().len() if problems is not None else 0)
    if declared.type is FieldType.DATE and problems is not None:
        # A mapping can also declare years of two digits, and the month first.
        other = filled.filter(problems.is_not_null()).alias("t").to_frame()
        good += int(other.select(pl.any_horizontal(fits(pl.col("t"), n) for n in FORMATS).sum()).item())
    what = {
        FieldType.DATE: "are dates",
        FieldType.INTEGER: "are whole numbers",
        FieldType.DECIMAL: "are numbers",
        FieldType.FLAG: "are yes or no",
        FieldType.CODE: "are codes of it" if declared.codes else "are text",
        FieldType.REFERENCE: "could be references",
        FieldType.TEXT: "are text",
    }[declared.type]
    share = good / filled.len()
    distinct = filled.n_unique()
    if declared.name in FROM_THE_FOLDER and (distinct > 2 or filled.len() < _SURE_CELLS * cells.len()):
        # A whole extract is for one council and one month; a joint return has two codes.
        share = 0.0
    if declared.type is FieldType.REFERENCE and distinct * 2 < filled.len():
        share *= 0.6 if declared.nullable else 0.0  # what repeats tells no rows apart
    if declared.type in (FieldType.FLAG, FieldType.CODE) and declared_words(declared) and share < _SURE_CELLS:
        if is_category(filled):
            words = f"{distinct} different words" if distinct != 1 else "1 word"
            return 0.5 + 0.3 * known_words(filled, declared), f"{words} that can be mapped to codes"
        return 0.2, f"{distinct:,} different texts, too many for codes"
    if declared.type is FieldType.TEXT:
        share *= 0.5  # anything is text, so the cells say little
    if declared.type in (FieldType.INTEGER, FieldType.DECIMAL) and good:
        within = _in_range(filled, declared)
        if declared.name == "fte" and within < _SURE_CELLS and len(numbers := numbers_of(filled)):
            return 0.8, f"numbers up to {max(numbers.to_list()):g}"
        share *= within
    return share, f"{good:,} of {filled.len():,} cells {what}"


def numbers_of(cells: pl.Series) -> pl.Series:
    """The numbers among cells of text, with or without a sign for per cent."""
    return cells.str.strip_suffix("%").str.strip_chars().cast(pl.Float64, strict=False).drop_nulls()


def _in_range(filled: pl.Series, declared: Field) -> float:
    values = read_cells(filled, declared).values.drop_nulls()
    scale = 10**declared.decimals if declared.type is FieldType.DECIMAL else 1
    low, high = (declared.minimum or 0) * scale, (declared.maximum or 1e12) * scale
    return float(values.is_between(low, high).mean() or 0.0)  # type: ignore[arg-type]
