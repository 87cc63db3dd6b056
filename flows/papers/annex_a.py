"""The tables of docs/annex-a.md, written from the layout."""

from __future__ import annotations

import re

from expectations.report.council import measures_needing
from features.registry import CASELOAD, Kind
from flows.extracts.formats.annex_a.layout import BY_NUMBER, LISTS
from flows.extracts.formats.annex_a.needs import NEEDS, NOT_CARRIED
from flows.papers.markdown import between_marks, markdown_table

BEGIN, END = "<!-- from the layout: begin -->", "<!-- from the layout: end -->"


def tables() -> str:
    """Where each field comes from, what each list gives, and the patterns that recognise names."""
    return "\n\n".join((_fields(), _lists(), _patterns()))


def page(text: str) -> str:
    """The page with its tables brought up to date with the layout."""
    return between_marks(text, BEGIN, END, tables())


def _fields() -> str:
    rows = []
    for field in CASELOAD.fields:
        measures = "; ".join(measures_needing(Kind.CASELOAD, field.name))
        if field.name in NEEDS:
            needs = "; ".join(f"list {n} {BY_NUMBER[n].column(name).header}" for n, name in NEEDS[field.name])
            rows.append((f"`{field.name}`", needs, measures or "–"))
        elif field.name in NOT_CARRIED:
            rows.append((f"`{field.name}`", f"**Not carried.** {NOT_CARRIED[field.name]}", measures))
    return "### What each field needs, and which measures rest on it\n\n" + markdown_table(
        ("Field of the caseload extract", "Needs", "Withheld without it"), rows
    )


def _lists() -> str:
    rows = [
        (
            str(one.number),
            one.title,
            "; ".join(c.header for c in one.columns) or "nothing: no measure rests on it",
            "; ".join(one.dropped),
        )
        for one in LISTS
    ]
    return "### What is read of each list, and what is known and never read\n\n" + markdown_table(
        ("List", "Title", "Read", "Never read"), rows
    )


def _patterns() -> str:
    sheets = [(str(one.number), one.title, f"`{_cell(one.names)}`") for one in LISTS]
    columns = [
        (str(one.number), column.header, f"`{_cell(column.pattern)}`") for one in LISTS for column in one.columns
    ]
    return (
        "### What sheets and headers may be called\n\n"
        "Regular expressions of the whole name, in lower case, without spaces and punctuation. A sheet may carry its "
        "list's number with or instead of these (“6”, “List 6”, “6 - CIN”); a header may carry something in brackets "
        "at its end.\n\n"
        + markdown_table(("List", "Title", "Sheet names"), sheets)
        + "\n\n"
        + markdown_table(("List", "Ofsted's header", "Also"), columns)
    )


def _cell(pattern: str) -> str:
    return re.sub(r"\s+", "", pattern)
