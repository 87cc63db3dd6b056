"""Finds which sheet of a workbook is which list, where its header is, and which column is which.

Both sheet names and headers count. If they contradict each other, if two sheets are the same list, or if
two headers are the same column, the workbook is refused with a sentence: only the council knows which one is meant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from features.errors import HeaderMismatch, UnreadableExtract
from features.registry import EXTRACTS, Kind
from features.words import listed
from flows.extracts.formats.annex_a.layout import (
    BY_NUMBER,
    EVERYWHERE,
    LISTS,
    AnnexList,
    columns_of_list,
    is_dropped,
    lists_named,
)
from flows.extracts.personal.headers import column_letters, is_plain_label
from flows.extracts.reading.excel import Book, Sheet, cell_text
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.table import Limits
from flows.extracts.reading.where import Where

#: How many rows are searched for a header: titles and notes may come above it.
HEADER_WITHIN = 30
#: A row is a list's header if it names this many of the list's columns, the child's among them.
FEWEST_HEADERS = 3
#: Headers about the child are in every list, so they do not help to tell lists apart.
_ABOUT_THE_CHILD = frozenset(
    normalised(h)
    for h in (
        "Child Unique ID",
        "Gender",
        "Ethnicity",
        "Date of Birth",
        "Age of Child (Years)",
        "Age of Child",
        "Age",
        "Does the Child have a Disability",
        "Allocated Team",
        "Allocated Worker",
        "Family identifier",
    )
)


@dataclass(frozen=True, slots=True)
class FoundList:
    annex: AnnexList
    sheet: Sheet
    place: str
    """The sheet, for sentences: its name if that is a list's name, else its position."""
    header_row: int
    positions: Mapping[str, int]
    """Our column -> position, counted from 0."""
    headers: Mapping[str, str]
    """Our column -> the header the workbook gives it."""
    cells: Mapping[str, Sequence[Any]]
    """Our column -> its cells below the header."""

    @property
    def height(self) -> int:
        """How many rows are below the header."""
        return len(self.cells["child"])


@dataclass(frozen=True, slots=True)
class SheetContents:
    """What a workbook holds."""

    lists: Mapping[int, FoundList]
    """The lists that are read, by number."""
    without_header: Mapping[int, str]
    """Lists whose sheet has no recognisable header, and where."""
    notes: tuple[str, ...]


def find_lists(book: Book, where: Where, limits: Limits) -> SheetContents:
    """The lists that are read, among the visible sheets.

    Raises HeaderMismatch if a choice would be a guess, and UnreadableExtract if none of the lists is there.
    """
    found: dict[int, FoundList] = {}
    without_header: dict[int, str] = {}
    others: list[str] = []
    unseen: list[str] = []
    known = 0
    for position, sheet in enumerate(book.sheets, start=1):
        if not sheet.visible:
            continue
        number, named = _list_by_name(sheet, position, where)
        if number is not None and not BY_NUMBER[number].is_read:
            known += 1
            continue
        # A sheet may be named “6 Jane's cases”, so sentences give its place and not its name.
        place = f"sheet “{sheet.name.strip()}”" if named and is_plain_label(sheet.name) else f"sheet {position}"
        book.check_extent(sheet, Kind.CASELOAD, EXTRACTS[Kind.CASELOAD].max_rows + limits.blank_rows)
        rows = book.row_by_row(sheet)
        try:
            one = _read_sheet(sheet, rows, number, place, where)
        finally:
            # What is damaged further down is said first, as of a sheet that is read to its end.
            deque(rows, maxlen=0)
        if one is None:
            if number is None:
                others.append(str(position))
            else:
                _once(number, place, {**{n: f.place for n, f in found.items()}, **without_header}, where)
                without_header[number] = place
            continue
        known += 1
        if not one.annex.is_read:
            continue
        _once(one.annex.number, place, {**{n: f.place for n, f in found.items()}, **without_header}, where)
        found[one.annex.number] = one
        unseen += _unseen(book, one)
    if not found:
        raise UnreadableExtract(
            f"{where}: no visible sheet of the workbook is list 3 to 8 of Annex A, by its name and its headers. "
            "Send Ofsted's workbook with its lists on sheets of their own, the header at the top."
        )
    notes = [_hidden_sheets(book, found), *unseen] if any(not s.visible for s in book.sheets) else unseen
    if others:
        notes.append(f"Not read, as by name and headers no list of Annex A: {_sheets(others)}.")
    return SheetContents(found, without_header, tuple(notes))


def _once(number: int, place: str, there: Mapping[int, str], where: Where) -> None:
    if number in there:
        raise HeaderMismatch(
            f"{where}: {there[number]} and {place} are both {BY_NUMBER[number]}. "
            "Keep the one that is meant, and hide or delete the other."
        )


def _list_by_name(sheet: Sheet, position: int, where: Where) -> tuple[int | None, bool]:
    """The list that a sheet's name means, and whether it means one."""
    named = lists_named(sheet.name)
    if len(named) > 1 and any(BY_NUMBER[n].is_read for n in named):
        raise HeaderMismatch(
            f"{where}: sheet {position} is by its name list {' and list '.join(map(str, named))} of "
            "Annex A at once. Name it by its number, for example “List 6”."
        )
    return (named[0], True) if named else (None, False)


def _read_sheet(
    sheet: Sheet, rows: Iterator[list[Any]], number: int | None, place: str, where: Where
) -> FoundList | None:
    """The list on a sheet, or None if no header could be recognised."""
    candidates = [BY_NUMBER[number]] if number is not None else list(LISTS)
    top = list(islice(rows, HEADER_WITHIN))
    for index, row in enumerate(top):
        headers = [cell_text(v) for v in row]
        if sum(1 for h in headers if h.strip()) < FEWEST_HEADERS:
            continue
        fitting = [one for one in candidates if _fits(one, headers)]
        if not fitting:
            if number is not None:
                _refuse_other_list(number, headers, place, where)
            continue
        annex = _the_one(fitting, headers, place, where) if number is None else fitting[0]
        if annex is None:
            continue
        if number is not None:
            _refuse_other_list(number, headers, place, where)
        positions = _positions(annex, headers, place, where) if annex.is_read else {}
        return FoundList(
            annex,
            sheet,
            place,
            index + 1,
            positions,
            {name: _for_a_sentence(headers[p], annex.column(name).header) for name, p in positions.items()},
            _columns(chain(top[index + 1 :], rows), positions) if positions else {},
        )
    return None


def _columns(rows: Iterable[list[Any]], positions: Mapping[str, int]) -> dict[str, Sequence[Any]]:
    """The cells of each of these columns; a row is let go as soon as they are taken from it."""
    # The last stands twice, so that one column gives tuples too.
    taken = map(itemgetter(*positions.values(), positions["child"]), rows)
    return dict(zip(positions, zip(*taken, strict=True), strict=False)) or dict.fromkeys(positions, ())


def _for_a_sentence(header: str, official: str) -> str:
    """A header as the workbook gives it, if it is Ofsted's or plainly a label; else the words for another header."""
    known = normalised(header) == normalised(official) or is_plain_label(header)
    return " ".join(header.split()) if known else "another wording"


def _fits(one: AnnexList, headers: list[str]) -> bool:
    known = [h for h in headers if h.strip() and (columns_of_list(one.number, h) or is_dropped(one.number, h))]
    if not one.is_read:
        return len(known) >= FEWEST_HEADERS
    return len(known) >= FEWEST_HEADERS and any("child" in columns_of_list(one.number, h) for h in known)


def _telling(number: int, headers: list[str]) -> int:
    """How many headers are in this list but not in every list."""
    return sum(
        1
        for h in headers
        if h.strip()
        and normalised(h) not in _ABOUT_THE_CHILD
        and (set(columns_of_list(number, h)) - EVERYWHERE or is_dropped(number, h))
    )


def _the_one(fitting: list[AnnexList], headers: list[str], place: str, where: Where) -> AnnexList | None:
    """The list with most of its own headers there; None if no list has any."""
    scores = sorted(((_telling(one.number, headers), -one.number) for one in fitting), reverse=True)
    if scores[0][0] == 0:
        return None
    first = [BY_NUMBER[-n] for score, n in scores if score == scores[0][0]]
    if len(first) > 1 and any(one.is_read for one in first):
        raise HeaderMismatch(
            f"{where}: by its headers {place} could be {' or '.join(map(str, first))}. "
            f"Name the sheet by its number, for example “List {first[0].number}”."
        )
    return first[0]


def _refuse_other_list(number: int, headers: list[str], place: str, where: Where) -> None:
    if _telling(number, headers) > 0:
        return
    others = [one for one in LISTS if one.number != number and _fits(one, headers)]
    telling = [one for one in others if _telling(one.number, headers) > 1]
    if telling:
        best = max(telling, key=lambda one: _telling(one.number, headers))
        raise HeaderMismatch(
            f"{where}: {place} is {BY_NUMBER[number]} by its name and {best} by its headers. "
            "Put the right table on the sheet, or name the sheet after what it holds."
        )


def _positions(annex: AnnexList, headers: list[str], place: str, where: Where) -> dict[str, int]:
    """Each column's position; Ofsted's own wording comes before other words with the same meaning."""
    claims: dict[str, list[int]] = {}
    for position, header in enumerate(headers):
        meant = columns_of_list(annex.number, header) if header.strip() else ()
        if len(meant) > 1:
            raise HeaderMismatch(
                f"{where}: on {place} the header of column {column_letters(position)} could mean "
                f"“{'” or “'.join(annex.column(m).header for m in meant)}”. Use Ofsted's wording."
            )
        for name in meant:
            claims.setdefault(name, []).append(position)
    for name, positions in claims.items():
        if len(positions) > 1:
            official = normalised(annex.column(name).header)
            exact = [p for p in positions if normalised(headers[p]) == official]
            if len(exact) != 1:
                where_they_are = " and ".join(column_letters(p) for p in positions)
                raise HeaderMismatch(
                    f"{where}: on {place} columns {where_they_are} both mean “{annex.column(name).header}”. "
                    "Keep the one that is meant and send the workbook again."
                )
            claims[name] = exact
    return {c.name: claims[c.name][0] for c in annex.columns if c.name in claims}


def _unseen(book: Book, one: FoundList) -> list[str]:
    """The notes on a list's hidden rows, and on its hidden columns that are read."""
    if not book.hides(one.sheet):
        return []
    last = one.header_row + one.height
    if not any(cells and cells[-1] != "" for cells in one.cells.values()):
        filled = (n for n, row in enumerate(book.row_by_row(one.sheet), start=1) if any(v != "" for v in row))
        last = max(one.header_row, *filled)
    return book.hidden(
        one.sheet, one.header_row, last, set(one.positions.values()), place=f"{one.annex}, {one.place}: "
    )


def _hidden_sheets(book: Book, found: Mapping[int, FoundList]) -> str:
    hidden = [(i, s) for i, s in enumerate(book.sheets, start=1) if not s.visible]
    wanted = [
        str(BY_NUMBER[n]) for _, s in hidden for n in lists_named(s.name)[:1] if BY_NUMBER[n].is_read and n not in found
    ]
    note = f"Hidden and not read: {_sheets([str(i) for i, _ in hidden])}."
    if wanted:
        note += f" By name there is {', '.join(wanted)} among them; unhide the sheet if it is meant to be read."
    return note


def _sheets(named: Sequence[str]) -> str:
    return f"sheet{'' if len(named) == 1 else 's'} {listed(named)}"
