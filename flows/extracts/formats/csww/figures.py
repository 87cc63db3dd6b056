"""The council's own figures in the file, as numbers."""

from __future__ import annotations

import polars as pl

from flows.extracts.formats.csww.elements import VACANCIES
from flows.extracts.formats.csww.stream import Outline
from flows.extracts.formats.csww.typed import typed_text

_ELEMENTS = {e.name: e for e in VACANCIES}


def number_of(outline: Outline, name: str) -> int | None:
    """A figure of LALevelVacancies in its parts (hundredths of FTE, people); None if it is not a number or occurs
    twice."""
    if outline.vacancies.count != 1:
        return None
    text = pl.lit(outline.vacancies.one(name), dtype=pl.String)
    found = pl.select(typed_text(_ELEMENTS[name], text)).item()
    return None if found is None else int(found)
