"""Matches councils' codes and names across publishers, with region, type, deprivation and neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from features.errors import ReferenceDataError
from models.record import layouts
from models.record.cells import number
from models.record.identity import EXISTED
from models.record.tables import RecordTable, claim

COUNCILS = pl.Schema({"la_code": pl.String(), "name": pl.String(), "region": pl.String(), "council_type": pl.String()})
DEPRIVATION = pl.Schema({"la_code": pl.String(), "edition": pl.Int32(), "imd_score": pl.Float64()})
NEIGHBOURS = pl.Schema({"la_code": pl.String(), "neighbour": pl.String(), "rank": pl.UInt32(), "edition": pl.Date()})

_FILLER = re.compile(r"\b(?:city of|county of|council|london borough of|royal borough of|the|borough|county)\b")


@dataclass(frozen=True)
class Places:
    """Look-ups from every code and name in the files to the three-digit code."""

    by_area_code: dict[str, str]
    """ONS code -> three-digit code; a council that changed its ONS code has several."""
    by_urn: dict[str, str]
    by_name: dict[str, tuple[str, ...]]
    """Plain name -> codes that have had this name (Dorset: 835 until 2019, 838 since)."""
    councils: pl.DataFrame

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every three-digit code."""
        return frozenset(self.councils["la_code"])

    def find(
        self,
        *,
        la_code: str | None = None,
        area_code: str | None = None,
        urn: str | None = None,
        name: str | None = None,
        on: date | None = None,
    ) -> str | None:
        """The council meant, by the most reliable of what is given; the date decides if a name was used by several."""
        candidates: tuple[str, ...] = ()
        if la_code and la_code.strip() in self.codes:
            return la_code.strip()
        if area_code and (code := self.by_area_code.get(area_code.strip())):
            return code
        if urn and (code := self.by_urn.get(urn.strip())):
            return code
        if name:
            candidates = self.by_name.get(plain_name(name), ())
        if on is not None:
            candidates = tuple(c for c in candidates if _existed(c, on)) or candidates
        return candidates[-1] if candidates else None


def plain_name(name: str) -> str:
    """A council's name without case, punctuation and the words that publishers add or leave out."""
    text = name.lower().replace("&", " and ").replace("-", " ")
    text = re.sub(r"[^a-z ]", "", text.replace(",", " ").replace(".", ""))
    return " ".join(_FILLER.sub(" ", text).split())


def places(tables: list[RecordTable]) -> Places:
    """Every council named in the DfE tables and the look-up.

    Raises ReferenceDataError when no table names councils at all.
    """
    rows: dict[str, dict[str, str]] = {}
    area: dict[str, str] = {}
    urns: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    for frame in _named(tables):
        for row in frame.unique(maintain_order=True).iter_rows(named=True):
            code = (row["old_la_code"] or "").strip()
            if not re.fullmatch(r"\d{3}", code):
                continue
            known = rows.setdefault(code, {})
            for key in ("la_name", "region_name", "council_type"):
                if row.get(key):
                    known.setdefault(key, row[key])
            if row["new_la_code"] and "/" not in row["new_la_code"]:
                area[row["new_la_code"].strip()] = code
            if row.get("urn"):
                urns[row["urn"].strip()] = code
            for alias in (row["la_name"] or "", *(row.get("also_known_as") or "").strip("[]").split(", ")):
                if plain := plain_name(alias):
                    bearers = names.setdefault(plain, [])
                    if code not in bearers:
                        bearers.append(code)
    if not rows:
        raise ReferenceDataError("No file names the councils: put DfE's tables or the council look-up into the folder.")
    councils = pl.DataFrame(
        [
            (
                code,
                r.get("la_name", code),
                region_of(r.get("region_name", "")),
                type_of(code, r.get("council_type", "")),
            )
            for code, r in sorted(rows.items())
        ],
        schema=COUNCILS,
        orient="row",
    )
    return Places(area, urns, {n: tuple(sorted(c)) for n, c in names.items()}, councils)


def region_of(name: str) -> str:
    """One of the nine regions of England: Inner and Outer London are London."""
    text = " ".join(name.split())
    if "london" in text.lower():
        return "London"
    return re.sub(r"^East$|^East of England$", "East of England", text.replace("The Humber", "the Humber"))


def type_of(code: str, given: str) -> str:
    """Type of council by DfE's number ranges; `given` is used for numbers outside them."""
    number_ = int(code)
    if 201 <= number_ <= 320:
        return "London borough"
    if 330 <= number_ <= 394:
        return "Metropolitan district"
    if code in _COUNTIES:
        return "County"
    if 420 <= number_ <= 998:
        return "Unitary authority"
    return given or "Other"


#: Upper-tier shire counties, by DfE number; other numbers from 420 up are unitary authorities.
# fmt: off
_COUNTIES = frozenset(
    (
        "830", "835", "845", "850", "855", "860", "873", "878", "881", "885", "886", "888",
        "891", "909", "916", "919", "925", "926", "928", "931", "935", "936", "937", "938",
    )
)
# fmt: on


def deprivation(tables: Iterable[RecordTable], where: Places) -> pl.DataFrame:
    """Average score of the Index of Multiple Deprivation per council and edition; higher is more deprived."""
    found = []
    for table in tables:
        frame = claim(layouts.DEPRIVATION, table)
        if frame is None:
            continue
        header = next(h for h in table.headers if re.fullmatch(layouts.DEPRIVATION.needs["new_la_code"], h))
        code_year = int(re.sub(r"\D", "", header[header.index("(") :]))
        # The editions are those of 2015, 2019 and 2025; the header gives the year of the boundaries.
        edition = max((e for e in (2015, 2019, 2025) if e <= code_year + 1), default=code_year)
        codes = [
            where.find(area_code=area, name=name, on=date(code_year, 12, 31))
            for area, name in frame.select("new_la_code", "name").iter_rows()
        ]
        found.append(
            frame.select(
                la_code=pl.Series(codes, dtype=pl.String()),
                edition=pl.lit(edition, dtype=pl.Int32()),
                imd_score=number("imd_score"),
            ).drop_nulls()
        )
    if not found:
        return DEPRIVATION.to_frame()
    return pl.concat(found).unique(["la_code", "edition"], keep="first", maintain_order=True).sort("la_code", "edition")


def neighbours(tables: Iterable[RecordTable]) -> pl.DataFrame:
    """Ten statistical neighbours per council, nearest first, of each edition in the folder.

    The older layout (headers SN1, SN2 …) is DfE's set of April 2021, the newer (SN_1 …) that of 2025.
    """
    found = []
    for table in tables:
        frame = claim(layouts.NEIGHBOURS, table)
        if frame is None:
            continue
        edition = date(2025, 5, 1) if "sn_1" in table.headers else date(2021, 4, 1)
        for rank in range(1, 11):
            found.append(
                frame.select(
                    la_code=pl.col("old_la_code").str.strip_chars(),
                    neighbour=pl.col(f"n{rank}").str.strip_chars(),
                    rank=pl.lit(rank, dtype=pl.UInt32()),
                    edition=pl.lit(edition),
                ).filter(pl.col("la_code").str.contains(r"^\d{3}$") & pl.col("neighbour").str.contains(r"^\d{3}$"))
            )
    if not found:
        return NEIGHBOURS.to_frame()
    return (
        pl.concat(found)
        .unique(["edition", "la_code", "rank"], keep="first", maintain_order=True)
        .sort("edition", "la_code", "rank")
    )


def _named(tables: list[RecordTable]) -> Iterable[pl.DataFrame]:
    """Tables that name councils: first the look-up, because its names are the ONS's, then DfE's, newest first."""
    wanted = ("urn", "old_la_code", "new_la_code", "la_name", "region_name", "also_known_as", "council_type")
    # Each is read by its own layout; here they differ only in which columns they have.
    every = (layouts.LOOKUP, layouts.POPULATION, *layouts.CHILDREN, *layouts.WORKFORCE)
    for layout in every:
        for table in tables:
            frame = claim(layout, table)
            if frame is not None:
                if "time_period" in frame.columns:
                    frame = frame.sort("time_period", descending=True)
                yield frame.select([c for c in wanted if c in frame.columns])


def _existed(code: str, on: date) -> bool:
    first, last = EXISTED.get(code, (date.min, date.max))
    return first <= on <= last
