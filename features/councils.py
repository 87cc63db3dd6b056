"""The council register: which councils report, since when, their predecessors and their neighbours.

Councils change: Cumbria became two councils in 2023; Kingston and Richmond report as one ("314 / 318"). Codes are text,
and each has the months in which it is valid.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import polars as pl

from features.addresses import MOST_RECIPIENTS, is_plain_address
from features.errors import HoldfastError, ReferenceDataError
from features.frameworks import Judgement, judgement_written, undeclared_note
from features.months import Month
from features.registry import Kind


@dataclass(frozen=True, slots=True)
class Council:
    """One reporting unit. `la_code` is DfE's text code, or both codes of a joint return."""

    la_code: str
    name: str
    valid_from: Month
    valid_to: Month | None = None
    predecessors: tuple[str, ...] = ()
    region: str = ""
    council_type: str = ""
    expects: tuple[Kind, ...] = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)
    neighbours: tuple[str, ...] = ()
    """la_codes of the statistical neighbours, nearest first."""
    population_0_17: int | None = None
    imd_score: float | None = None
    """Index of Multiple Deprivation, average score; higher is more deprived."""
    judgements: tuple[Judgement, ...] = ()
    director: str = ""
    recipients: tuple[str, ...] = ()
    """Addresses of the director and of anyone the director names; alerts go here and nowhere else."""
    data_officer: str = ""
    """The address that receives the validation report of the council's own files."""

    @property
    def folder(self) -> str:
        """The code as a folder or object name: “314 / 318” becomes `314-318`."""
        return folder_name(self.la_code)

    def exists_in(self, month: Month) -> bool:
        """Whether the council reports for a month."""
        return self.valid_from <= month and (self.valid_to is None or month <= self.valid_to)

    def judged_by(self, day: date) -> Judgement | None:
        """The latest judgement of a declared framework published on or before `day`, if any."""
        known = self.judgements_by(day)
        return known[-1] if known else None

    def judgements_by(self, day: date) -> list[Judgement]:
        """The judgements of declared frameworks published on or before `day`, oldest first."""
        known = [j for j in self.judgements if j.published <= day and j.grade is not None]
        return sorted(known, key=lambda j: j.published)


def undeclared_judgements(councils: Iterable[Council], day: date = date.max) -> tuple[str, ...]:
    """A sentence on each judgement up to a day whose framework nobody has declared: it is kept and not used."""
    return tuple(
        undeclared_note(f"Register, {c.name}", j.published, words=(j.impact_of_leaders,))
        for c in councils
        for j in c.judgements
        if j.grade is None and j.published <= day
    )


def members_of(la_code: str) -> tuple[str, ...]:
    """The codes of the councils that a joint code (“314 / 318”) stands for; else the one code."""
    return tuple(part.strip() for part in la_code.split("/"))


def folder_name(la_code: str) -> str:
    """A council code as a path segment: the spaces and slash of a joint code become one dash."""
    return "-".join(members_of(la_code))


@dataclass(frozen=True)
class Register:
    """All councils of a group, in order of la_code."""

    councils: tuple[Council, ...]
    by_code: dict[str, Council] = field(init=False, repr=False)
    by_folder: dict[str, Council] = field(init=False, repr=False)
    """The council whose landing folder has this name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "councils", tuple(sorted(self.councils, key=lambda c: c.la_code)))
        codes: dict[str, Council] = {}
        for council in self.councils:
            if council.la_code in codes:
                raise ReferenceDataError(
                    f"The council register lists {council.la_code} twice. Give each code one row with its valid months."
                )
            codes[council.la_code] = council
        object.__setattr__(self, "by_code", codes)
        object.__setattr__(self, "by_folder", {c.folder: c for c in reversed(self.councils)})

    def valid_in(self, month: Month) -> tuple[Council, ...]:
        """The councils that exist in a month, and are therefore expected to report."""
        return tuple(c for c in self.councils if c.exists_in(month))

    def neighbours_frame(self) -> pl.DataFrame:
        """`la_code, neighbour, rank`: one row per council and statistical neighbour."""
        rows = [(c.la_code, n, i) for c in self.councils for i, n in enumerate(c.neighbours, start=1)]
        return pl.DataFrame(
            rows, schema={"la_code": pl.String(), "neighbour": pl.String(), "rank": pl.UInt32()}, orient="row"
        )

    def context_frame(self) -> pl.DataFrame:
        """`la_code, name, region, council_type, population_0_17, imd_score`: one row per council."""
        return pl.DataFrame(
            [(c.la_code, c.name, c.region, c.council_type, c.population_0_17, c.imd_score) for c in self.councils],
            schema={
                "la_code": pl.String(),
                "name": pl.String(),
                "region": pl.String(),
                "council_type": pl.String(),
                "population_0_17": pl.Int64(),
                "imd_score": pl.Float64(),
            },
            orient="row",
        )


REGISTER_COLUMNS = (
    "la_code",
    "name",
    "valid_from",
    "valid_to",
    "predecessors",
    "region",
    "council_type",
    "expects",
    "neighbours",
    "population_0_17",
    "imd_score",
    "judgements",
    "director",
    "recipients",
    "data_officer",
)


def read_register(text: str, where: str) -> Register:
    """Read the register from CSV text; lists are separated by `;`, judgements are `YYYY-MM-DD grade`.

    Raises ReferenceDataError naming file, line and column; `where` is the file name that the user knows.
    """
    rows = _register_rows(text.lstrip("\ufeff"), where)
    header = next(rows, (1, []))[1]
    found = set(header)
    if missing := [c for c in REGISTER_COLUMNS if c not in found]:
        raise ReferenceDataError(f"{where}: the council register lacks the columns {', '.join(missing)}.")
    if unknown := sorted(found - set(REGISTER_COLUMNS)):
        raise ReferenceDataError(f"{where}: the council register has columns nobody reads: {', '.join(unknown)}.")
    councils: dict[str, Council] = {}
    for line, cells in rows:
        if len(cells) != len(header):
            raise ReferenceDataError(
                f"{where}, line {line}: the row has {len(cells)} cells and the header {len(header)}. Lists in a cell "
                "are separated by “;”, and a cell with a comma stands in quotation marks."
            )
        try:
            council = _council(dict(zip(header, cells, strict=True)))
        except HoldfastError as error:
            raise ReferenceDataError(f"{where}, line {line}, {error}") from None
        if council.la_code in councils:
            raise ReferenceDataError(
                f"{where}, line {line}, column la_code: {council.la_code} is listed twice. Give each code one row "
                "with its valid months."
            )
        councils[council.la_code] = council
    return Register(tuple(councils.values()))


def _register_rows(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank. Raises ReferenceDataError if the text is not CSV."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ReferenceDataError(
                f"{where}, line {line}: the row cannot be read ({error}). A quotation mark may be open there."
            ) from None
        if row is None:
            return
        if any(c.strip() for c in row):
            yield line, row
        line = reader.line_num + 1


def write_register(councils: Iterable[Council]) -> str:
    """The register as CSV text; `read_register` reads it back to an equal register."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(REGISTER_COLUMNS)
    for c in councils:
        writer.writerow(
            [
                c.la_code,
                c.name,
                c.valid_from,
                c.valid_to or "",
                ";".join(c.predecessors),
                c.region,
                c.council_type,
                ";".join(c.expects),
                ";".join(c.neighbours),
                "" if c.population_0_17 is None else c.population_0_17,
                "" if c.imd_score is None else c.imd_score,
                ";".join(f"{j.published} {j.impact_of_leaders}" for j in c.judgements),
                c.director,
                ";".join(c.recipients),
                c.data_officer,
            ]
        )
    return out.getvalue()


T = TypeVar("T")

_WHOLE = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,12})?")
#: Plausible child populations: the Isles of Scilly have some 400 children, Kent some 350,000.
_CHILDREN = (100, 1_000_000)
#: Limits of the deprivation score: England's councils lie between 5 and 50, and the index cannot leave these limits.
_IMD = (0.0, 100.0)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _judgements(text: str) -> tuple[Judgement, ...]:
    return tuple(_judgement(j) for j in _list(text))


def _judgement(text: str) -> Judgement:
    published, _, grade = text.partition(" ")
    try:
        return judgement_written(date.fromisoformat(published), grade)
    except ValueError:
        raise ReferenceDataError("write each judgement as YYYY-MM-DD and its grade.") from None


def _given(text: str) -> str:
    if not text:
        raise ReferenceDataError("the cell is empty.")
    return text


def _kinds(text: str) -> tuple[Kind, ...]:
    names = _list(text)
    if unknown := [name for name in names if name not in set(Kind)]:
        raise ReferenceDataError(f"{', '.join(unknown)} is no extract; the extracts are {', '.join(Kind)}.")
    return tuple(Kind(name) for name in names)


def _children(text: str) -> int | None:
    if text and not (_WHOLE.fullmatch(text) and _CHILDREN[0] <= int(text) <= _CHILDREN[1]):
        raise ReferenceDataError(f"write a whole number from {_CHILDREN[0]:,} to {_CHILDREN[1]:,}, without commas.")
    return int(text) if text else None


def _imd(text: str) -> float | None:
    if text and not (_NUMBER.fullmatch(text) and _IMD[0] <= float(text) <= _IMD[1]):
        raise ReferenceDataError(f"write a number from {_IMD[0]:g} to {_IMD[1]:g}, such as 21.7.")
    return float(text) if text else None


def _addresses(text: str) -> tuple[str, ...]:
    found = _list(text)
    for number, address in enumerate(found, start=1):
        if not is_plain_address(address):
            raise ReferenceDataError(f"address {number} of {len(found)} is not a usable e-mail address.")
    if len(found) > MOST_RECIPIENTS:
        raise ReferenceDataError(
            f"{len(found)} addresses; a message can go to {MOST_RECIPIENTS} at most. Use a distribution list."
        )
    return found


def _one_address(text: str) -> str:
    found = _addresses(text)
    if len(found) > 1:
        raise ReferenceDataError("give one address.")
    return found[0] if found else ""


def _council(row: dict[str, str]) -> Council:
    def cell(column: str, read: Callable[[str], T]) -> T:
        try:
            return read(row[column].strip())
        except HoldfastError as error:
            raise ReferenceDataError(f"column {column}: {error}") from None

    council = Council(
        la_code=cell("la_code", _given),
        name=cell("name", _given),
        valid_from=cell("valid_from", Month.parse),
        valid_to=cell("valid_to", lambda text: Month.parse(text) if text else None),
        predecessors=cell("predecessors", _list),
        region=cell("region", str),
        council_type=cell("council_type", str),
        expects=cell("expects", _kinds),
        neighbours=cell("neighbours", _list),
        population_0_17=cell("population_0_17", _children),
        imd_score=cell("imd_score", _imd),
        judgements=cell("judgements", _judgements),
        director=cell("director", str),
        recipients=cell("recipients", _addresses),
        data_officer=cell("data_officer", _one_address),
    )
    if council.valid_to is not None and council.valid_to < council.valid_from:
        raise ReferenceDataError("column valid_to: it lies before valid_from.")
    return council
