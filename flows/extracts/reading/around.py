"""Removes what report writers put around a table: titles above the header, rules below it, footers, blank columns.

A row is left out only if it cannot belong to anybody: it is a rule of dashes, repeats the header, or is prose or a
count below the table. Another table on the same sheet is refused, because only the council can say which one is meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from features.errors import UnreadableExtract
from flows.extracts.personal.headers import column_letters
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.table import is_total
from flows.extracts.reading.where import Where, rows_in_words

#: How many rows are searched for a header.
HEADER_WITHIN = 30
#: A row below row 1 is the header if it names this many of the wanted columns.
FEWEST_NAMED = 3
#: Row 1 is the header if it names this many of them, whatever else it has.
_FEWEST_IN_FIRST = 2
#: How many rows at the end of a file are checked one by one.
_LAST_ROWS = 60

_RULE = re.compile(r"[-=_+|*~–—.]{2,}|-")
_FOOTERS = (
    r"\(?\d[\d,.]* ?(?:rows?|records?|lines?|results?)\b",
    r"(?:no )?(?:applied )?filters?\b",
    r"(?:end|start) (?:of )?(?:report|file|data|extract|output|table|list)",
    r"\W*end of\b|\W*(?:eof|end|trailer)\W*$|\d+ (?:of|/) \d+$",
    r"(?:report|extract|query|data|file|list)?\s*(?:was |last )?"
    r"(?:run|ran|generated|printed|produced|exported|created|extracted|refreshed|updated|executed|completed|prepared)"
    r"(?: (?:on|at|by|from|date|time|in)\b|:| \d)",
    r"(?:report|extract|query|data|file)"
    r"(?: (?:name|title|id|run|date|time|source|owner|parameters?|as at|as of|for))?:",
    r"(?:data|position|figures|snapshot|extract|report)? ?(?:as at|as of|correct (?:as )?at)\b",
    r"page \d+",
    r"(?:total )?(?:rows?|records?|row count|record count|count|number of (?:rows|records))\b\W*\d*$",
    r"(?:completion|execution|elapsed|query|run|print|export) ?(?:time|date)\b",
    r"(?:source|notes?|confidential|official|restricted|copyright|©|disclaimer|warning|parameters?|prompts?|criteria|"
    r"selection|sorted by|order(?:ed)? by|user|author|contact|version|run date|date run|sql>|pl/sql)\b",
)
#: A footer that says how many rows the table has.
_COUNT = re.compile(
    r"\(?(\d[\d,]*) ?(?:rows?|records?|lines?|results?)\b"
    r"|(?:total )?(?:(?:number of )?(?:rows?|records?)(?: count)?|count)"
    r"(?: returned| affected| selected| written| exported)?\W*(\d[\d,]*)$"
    r"|(?:showing|displaying|rows?|records?)\W+(?:1 ?(?:to|-|–) ?)?[\d,]+ (?:out )?of ([\d,]+)",
    re.IGNORECASE,
)
#: A footer that says that the export failed, as a database or a tool writes it into the file.
_FAILED = re.compile(
    r"\bORA-\d{3,5}\b|\bSQLSTATE\b|\bMsg \d+, Level \d+|\bTraceback \(|\berror\b\W*(?:[:#\d]|occurred|code|while)"
    r"|\b(?:query|export|report|job|command|connection|execution|extract|results?)\b.{0,30}"
    r"\b(?:failed|aborted|timed out|cancelled|terminated|truncated|interrupted|lost|incomplete)\b"
    r"|\b(?:timeout expired|execution timeout|deadlock|snapshot too old|out of memory|row limit"
    r"|maximum (?:number of )?rows|(?:first|limited to) [\d,]+ (?:rows|records|results))\b",
    re.IGNORECASE,
)
_FOOTER = re.compile("|".join(f"(?:{p})" for p in _FOOTERS), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bare:
    """A table without the text around it."""

    header_row: int
    """Counted as a person does: the first row is 1."""
    headers: list[str]
    rows: list[tuple[int, list[str]]]
    """Number and cells of each row that is not blank."""
    notes: list[str]
    aside: list[str]
    """Texts of cells above, below and beside the table, which do not belong to it."""


def headers_named(cells: Sequence[str], known: Collection[str]) -> int:
    """How many cells are headers of wanted columns."""
    return sum(1 for c in cells if normalised(c) in known)


def header_at(rows: Sequence[Sequence[str]], known: Collection[str]) -> int:
    """The header's position among the first rows (from 0): the first filled row, unless one below it is plainly it."""
    filled = [i for i, row in enumerate(rows[:HEADER_WITHIN]) if any(c.strip() for c in row)]
    if not filled or headers_named(rows[filled[0]], known) >= _FEWEST_IN_FIRST:
        return filled[0] if filled else 0
    below = [i for i in filled if headers_named(rows[i], known) >= min(FEWEST_NAMED, len(known))]
    if below:
        return below[0]
    # In a council's home-made file no header is known; there a title is one cell above a row of many.
    counts = {i: sum(1 for c in rows[i] if c.strip()) for i in filled}
    most = max(counts.values())
    if most < FEWEST_NAMED or counts[filled[0]] > 1:
        return filled[0]
    return next(i for i in filled if counts[i] > most / 2)


def join_header(rows: Sequence[Sequence[str]], known: Collection[str]) -> tuple[int, list[str]]:
    """The position of the lower row of a header on two rows, and the two joined, cell by cell.

    A cell of the upper row also holds for blank cells to its right, as in “Contract | | Absence” above “Start | End |
    Start”. The rows meant are those whose joined cells name most of the wanted columns.
    """
    pairs = {at: _joined(rows[at - 1], rows[at]) for at in range(1, min(len(rows), HEADER_WITHIN))}
    best = max(pairs, key=lambda at: headers_named(pairs[at], known), default=0)
    return best, pairs.get(best, list(rows[0]))


def _joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    group, joined = "", []
    for position, below in enumerate(lower):
        above = upper[position].strip() if position < len(upper) else ""
        group = above or (group if below.strip() else "")
        joined.append(f"{group} {below.strip()}".strip())
    return joined


def is_rule(cells: Sequence[str]) -> bool:
    """Whether the row is a line of dashes, as report writers draw below a header or above a total."""
    first = next((c.strip() for c in cells if c and not c.isspace()), "")
    if not first or first[0].isalnum():
        return False
    filled = [c for c in cells if c and not c.isspace()]
    is_line = any(len(c.strip()) > 1 for c in filled) or 1 < len(filled) == len(cells)
    return is_line and all(_is_rule(c) for c in filled)


def _is_rule(cell: str) -> bool:
    return _RULE.fullmatch("".join(cell.split())) is not None


def bare(
    rows: Sequence[tuple[int, list[str]]], known: Collection[str], where: Where, *, ends_open: bool = False
) -> Bare:
    """The table among these numbered rows. `ends_open`: the last line has no line end, so it may be incomplete.

    Raises UnreadableExtract if a second table follows.
    """
    at = header_at([cells for _, cells in rows[:HEADER_WITHIN]], known)
    header_row, headers = rows[at]
    same = [normalised(h) for h in headers]
    body: list[tuple[int, list[str]]] = []
    left_out: list[int] = []
    for number, cells in rows[at + 1 :]:
        first = next((c for c in cells if c and not c.isspace()), None)
        if first is None:
            continue
        if (_is_rule(first) and is_rule(cells)) or _repeats(cells, same):
            left_out.append(number)
            continue
        if normalised(first) in known and headers_named(cells, known) >= FEWEST_NAMED:
            raise UnreadableExtract(
                f"{where}: another table begins in row {number}, so which one is meant would be a guess. "
                "Send one table, and each other one in a file of its own."
            )
        body.append((number, cells))
    below = _footers(body, len(headers), ends_open)
    footers = body[len(body) - below :]
    left_out += [number for number, _ in footers]
    body = body[: len(body) - below]
    _refuse_fewer_than_said(footers, len(body), where)
    headers, body, beside, from_column = _without_beside(headers, body, known)
    notes = []
    if header_row > 1:
        notes.append(f"The header was found in row {header_row}; what stands above it was not read.")
    if left_out:
        notes.append(f"Not read, as lines, repeated headers or footers of a report: {rows_in_words(sorted(left_out))}.")
    if beside:
        notes.append(f"What stands beside the table, from column {column_letters(from_column)} on, was not read.")
    around = [c for _, cells in (*rows[:at], *footers) for c in cells if c.strip()]
    return Bare(header_row, headers, body, notes, [*around, *beside])


def _refuse_fewer_than_said(footers: Sequence[tuple[int, list[str]]], rows: int, where: Where) -> None:
    """Raises UnreadableExtract if a footer counts more rows than there are, or tells of an error: some are missing."""
    for number, cells in footers:
        text = next(c.strip() for c in cells if c and not c.isspace())
        if _FAILED.search(text):
            raise UnreadableExtract(
                f"{where}: row {number}, below the table, tells of an error or a limit, so the file is incomplete. "
                "Export it again."
            )
        found = _COUNT.match(text)
        said = int((found[1] or found[2] or found[3]).replace(",", "")) if found else 0
        if said > rows + 1:  # some count the header
            raise UnreadableExtract(
                f"{where}: row {number} says that the table has {said:,} rows, and {rows:,} are there, so the file is "
                "incomplete. Export it again."
            )


def _repeats(cells: Sequence[str], header: Sequence[str]) -> bool:
    if not cells or normalised(cells[0]) != header[0]:
        return False
    given = [normalised(c) for c in cells]
    return given[: len(header)] == list(header) and not any(given[len(header) :])


def ends_with_footer(last: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the last of these rows is a footer; a quick check that does not need the whole table."""
    filled = [(i, row) for i, row in enumerate(last) if any(c and not c.isspace() for c in row)]
    return not filled or _is_footer(filled[-1][1], width, lambda _: set(), ends_open=False)


def _footers(body: Sequence[tuple[int, list[str]]], width: int, ends_open: bool) -> int:
    """How many rows at the end are footers."""
    columns: dict[int, set[str]] = {}

    def values(position: int) -> set[str]:
        if position not in columns:
            above = body[: max(len(body) - _LAST_ROWS, len(body) // 2)]
            columns[position] = {row[position].strip() for _, row in above if position < len(row)}
        return columns[position]

    count = 0
    for number, cells in reversed(body[-_LAST_ROWS:]):
        if not _is_footer(cells, width, values, ends_open=ends_open and number == body[-1][0]):
            break
        count += 1
    return count


def _is_footer(cells: Sequence[str], width: int, values: Callable[[int], set[str]], *, ends_open: bool) -> bool:
    filled = [(i, c.strip()) for i, c in enumerate(cells) if c and not c.isspace()]
    if not filled or len(filled) > max(1, width // 3):
        return False
    position, text = filled[0]
    if _FOOTER.match(text):
        return True
    # Prose that is not the beginning of a value in the column: a row that breaks off begins like the others.
    is_prose = len(text.split()) > 1 and not text[0].isdigit() and not is_total(text)
    return width > FEWEST_NAMED and is_prose and not ends_open and not any(v.startswith(text) for v in values(position))


def _without_beside(
    headers: list[str], body: list[tuple[int, list[str]]], known: Collection[str]
) -> tuple[list[str], list[tuple[int, list[str]]], list[str], int]:
    """The table without blank columns at its end, and without cells beyond a blank column that do not belong to it."""
    width = max((i + 1 for i, h in enumerate(headers) if h.strip()), default=0)
    gaps = [i for i in range(1, width) if not headers[i].strip()]
    for gap in gaps:
        beside = [h for h in headers[gap:] if h.strip()]
        is_table = headers_named(headers[:gap], known) >= _FEWEST_IN_FIRST and not headers_named(beside, known)
        if is_table and not any(len(row) > gap and row[gap].strip() for _, row in body):
            kept = [(n, row[:gap]) for n, row in body if any(c.strip() for c in row[:gap])]
            return headers[:gap], kept, beside, gap
    return headers, body, [], 0
