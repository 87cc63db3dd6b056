"""Literal returns: a worker is a dictionary of elements, None takes an element out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from xml.sax.saxutils import escape

import polars as pl

from features.councils import Council
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Asked
from flows.extracts.formats.csww.elements import NAMES
from flows.extracts.formats.csww.stream import Stream
from flows.extracts.formats.csww.typed import typed
from flows.extracts.reading.table import Limits

DAY = date(2022, 9, 30)
SEPTEMBER = Month(2022, 9)
COUNCIL = Council("301", "Made-up", Month(2015, 1))
KEY = b"a key of thirty-two bytes or more"

#: A directly paid case holder in post with whom nothing is wrong.
IN_POST: dict[str, str] = {
    "AgencyWorker": "0",
    "SWENo": "SW1234567",
    "FTE": "0.8",
    "PersonBirthDate": "1985-03-04",
    "GenderCurrent": "2",
    "Ethnicity": "WBRI",
    "QualInst": "A university",
    "QualLevel": "1",
    "StepUpGrad": "0",
    "OrgRole": "5",
    "RoleStartDate": "2019-05-13",
    "StartOrigin": "1",
    "FTE30": "0.8",
    "Cases30": "16",
    "WorkingDaysLost": "4.5",
    "FrontlineGrad": "0",
    "Absat30Sept": "0",
}
#: One who left in the year, and an agency worker.
LEFT: dict[str, str] = IN_POST | {
    "SWENo": "SW7654321",
    "FTE": "0",
    "FTE30": "0",
    "Cases30": "0",
    "RoleEndDate": "2022-03-31",
    "LeaverDestination": "1",
    "ReasonLeave": "1",
}
AGENCY: dict[str, str] = {
    "AgencyWorker": "1",
    "SWENo": "SW5555555",
    "FTE": "1",
    "OrgRole": "5",
    "FTE30": "1",
    "Cases30": "20",
}
HEADER: dict[str, str] = {
    "Collection": "CSWW",
    "Year": "2022",
    "ReferenceDate": "2022-09-30",
    "SourceLevel": "L",
    "LEA": "301",
    "SoftwareCode": "a system",
    "DateTime": "2022-11-01T09:00:00Z",
}
VACANCIES: dict[str, str] = {"NumberOfVacancies": "3.5", "NoAgencyFTE": "1", "NoAgencyHeadcount": "1"}

Worker = Mapping[str, str | None | list[str]]


def worker(base: Mapping[str, str] = IN_POST, **changes: str | list[str] | None) -> dict[str, str | list[str] | None]:
    """A worker with some elements changed; a list writes the element as often."""
    return {**base, **changes}


def record(one: Worker, order: Sequence[str] | None = None) -> str:
    """A CSWWWorker, its elements in the order of the schema unless another is given."""
    names = order or [*(n for n in NAMES if n in one), *(n for n in one if n not in NAMES)]
    lines = []
    for name in names:
        given = one[name]
        for text in given if isinstance(given, list) else [given]:
            if text is not None:
                lines.append(f"    <{name}>{escape(text)}</{name}>\n")
    return f"  <CSWWWorker>\n{''.join(lines)}  </CSWWWorker>\n"


def header(**changes: str | None) -> str:
    """The header with some elements changed."""
    texts = {**HEADER, **changes}

    def part(*names: str) -> str:
        return "".join(f"<{n}>{escape(texts[n] or '')}</{n}>" for n in names if texts[n] is not None)

    return (
        f"  <Header><CollectionDetails>{part('Collection', 'Year', 'ReferenceDate')}</CollectionDetails>"
        f"<Source>{part('SourceLevel', 'LEA', 'SoftwareCode', 'DateTime')}</Source></Header>\n"
    )


def vacancies(**changes: str | None) -> str:
    """The vacancies with some elements changed."""
    texts = {**VACANCIES, **changes}
    inside = "".join(f"<{n}>{escape(t)}</{n}>" for n, t in texts.items() if t is not None)
    return f"  <LALevelVacancies>{inside}</LALevelVacancies>\n"


def message(*parts: str) -> bytes:
    """A Message of these parts."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Message>\n{"".join(parts)}</Message>\n'.encode()


def csww(*workers: Worker, **head: str | None) -> bytes:
    """A return with these workers."""
    return message(header(**head), vacancies(), *(record(w) for w in workers))


def records(*workers: Worker) -> pl.DataFrame:
    """The workers as rules see them."""
    return pl.concat([typed(chunk) for chunk in Stream(csww(*workers), "return.xml").chunks()])


def asked(kind: Kind, council: Council = COUNCIL, month: Month = SEPTEMBER) -> Asked:
    """What a reader is told beside the bytes."""
    return Asked("csww.xml", kind, council, month, KEY, datetime(2022, 11, 1, 9, tzinfo=UTC), Limits())
