"""Refuses a file with personal data anywhere in it, and names the places."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from features.errors import PersonalDataRefused
from flows.extracts.personal.headers import named_column, names_kind_of_person, personal_header
from flows.extracts.personal.values import FREE_TEXT, SHORT, first_personal, personal_in_column, personal_in_text
from flows.extracts.personal.workbooks import personal_in_workbook
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.table import RawTable
from flows.extracts.reading.where import Where

_ZIP = b"PK\x03\x04"


def refuse_in_headers(table: RawTable, *, contract: Collection[str], where: Where) -> None:
    """Raises PersonalDataRefused for the columns whose headers announce personal data.

    `contract`: normalised headers that mean a column of the contract, even if they resemble something else.
    """
    _refuse([f"{named_column(h, p)} ({what})" for h, p, what in _announced(table, contract)], where)


def refuse_personal_data(
    content: bytes, table: RawTable, *, contract: Collection[str], read: Collection[str] = (), where: Where
) -> None:
    """Raises PersonalDataRefused if headers, values of other columns, or a workbook's other places hold personal data.

    `read`: normalised headers that a council's mapping reads as columns of the contract. The message gives the kind and
    the place of what was found, by number and letter; it repeats nothing from the file except plain labels.
    """
    found = [f"{named_column(h, p)} ({what})" for h, p, what in _announced(table, contract)]
    found += [f"{named_column(h, p)} ({what})" for h, p, what in _seen(table, {*contract, *read}, where)]
    found += [f"{what} above, below or beside the table" for what in _around(table)]
    if (
        not found
        and content.startswith(_ZIP)
        and (place := personal_in_workbook(content, table.sheet, where)) is not None
    ):
        found = [place]
    _refuse(found, where)


def _announced(table: RawTable, contract: Collection[str]) -> list[tuple[str, int, str]]:
    return [
        (header, place, what)
        for header, place in _columns(table)
        if normalised(header) not in contract and (what := personal_header(header) or personal_in_text(header))
    ]


def _seen(table: RawTable, contract: Collection[str], where: Where) -> list[tuple[str, int, str]]:
    """Columns outside the contract whose values look like personal data."""
    return [
        (header, place, what)
        for position, (header, place) in enumerate(_columns(table))
        if normalised(header) not in contract and not personal_header(header)
        if (what := personal_in_column(
            header, table.cells[str(position)], people=names_kind_of_person(header), on=where.month.last_day
        ))
    ]  # fmt: skip


def _around(table: RawTable) -> list[str]:
    """Personal data in the cells around the table; the maker of a report, and a footnote, do not count there."""
    announced = [
        what
        for text in table.aside
        if len(text) <= SHORT and (what := personal_header(text)) and (what != FREE_TEXT or len(text.split()) <= 2)
    ]
    return [what for what in (next(filter(None, announced), None), first_personal(table.aside, makers=False)) if what][
        :1
    ]


def _columns(table: RawTable) -> list[tuple[str, int]]:
    return [(header, table.place(position)) for position, header in enumerate(table.headers)]


def _refuse(found: Sequence[str], where: Where) -> None:
    if found:
        raise PersonalDataRefused(
            f"{where}: the file carries personal data that Holdfast must not hold: {', '.join(found)}. "
            "It was not kept. Remove what is named and send the file again."
        )
