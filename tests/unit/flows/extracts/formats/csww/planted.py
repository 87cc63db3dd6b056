"""Returns with planted markers, and the search for them in whatever is there afterwards."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence

import polars as pl

from tests.field.planted import tables_in
from tests.unit.flows.extracts.formats.csww.made_up import IN_POST, csww, header, message, record, vacancies, worker

#: What only the planted records say. Codes of gender are single digits, so words stand where none may.
BIRTH_DATE, NUMBER, UNIVERSITY, ETHNICITY, GENDER = "1961-07-23", "86753094", "Zebedee College", "MWBA", "Nonbinaryx"
MARKERS = (BIRTH_DATE, BIRTH_DATE.replace("-", ""), "23/07/1961", NUMBER, UNIVERSITY, ETHNICITY, GENDER)
_PLANTED = {
    **IN_POST,
    "SWENo": f"SW{NUMBER}",
    "PersonBirthDate": BIRTH_DATE,
    "Ethnicity": ETHNICITY,
    "QualInst": UNIVERSITY,
    "GenderCurrent": GENDER,
}


def returns(codes: Sequence[str], year: int) -> tuple[bytes, bytes, bytes]:
    """For three councils: a return that can be taken in, a damaged one, and one of nobody's."""
    head = {"Year": str(year), "ReferenceDate": f"{year}-09-30"}
    usual = [worker(_PLANTED, SWENo=f"SW{NUMBER}{n:02}") for n in range(33)]
    odd = worker(_PLANTED, FTE30=UNIVERSITY, OrgRole=ETHNICITY, Cases30=NUMBER)
    good = csww(*usual, odd, LEA=codes[0], **head)
    damaged = good[: len(good) // 2].replace(b"</CSWWWorker>\n", f"<{ETHNICITY}>{NUMBER}</{GENDER}>".encode(), 1)
    others = message(header(LEA=UNIVERSITY, **head), vacancies(NumberOfVacancies=NUMBER), record(worker(_PLANTED)))
    return good, damaged, others


def as_text(content: bytes) -> str:
    """A file as text: a table as JSON with every column, the rest as Latin-1."""
    if content.startswith(b"PAR1"):
        tables = [pl.read_parquet(io.BytesIO(table)).to_dicts() for table in tables_in(content)]
        return json.dumps(tables, default=str, ensure_ascii=False)
    return content.decode("latin-1")


def found_in(texts: Mapping[str, str]) -> list[str]:
    """Every marker that stands anywhere, and where: short ones as a word of their own, long ones in any place."""
    return [
        f"{marker} in {name}"
        for name, text in texts.items()
        for marker in MARKERS
        if (marker in text if len(marker) > 5 else re.search(rf"(?<![A-Za-z0-9]){marker}(?![A-Za-z0-9])", text))
    ]
