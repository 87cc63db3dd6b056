"""DfE's statistics API: which versions a data set has, and the address of each version's file.

The API does not promise that a data set's CSV stays compatible. So a version is always requested by its number, and
its headers are checked like those of any other file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID

from features.errors import ReferenceDataError
from flows.published.download import Downloader
from flows.settings.published_sources import ReferenceSource

#: Versions in one page of the API's response, which lists the newest first.
_PAGE_SIZE = 20
#: The most publications in one page, and the most pages that a search reads.
_MOST_PUBLICATIONS, _MOST_PAGES = 40, 5
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,2}")


@dataclass(frozen=True, slots=True)
class DataSetVersion:
    """One published version of a data set."""

    number: str
    published: date | None
    last_period: str
    """The newest period that it covers, as the publisher writes it; empty if the API does not say."""
    deprecated: bool = False
    """Whether the publisher will take it away. Until then it is read as any other."""

    @property
    def order(self) -> tuple[int, ...]:
        """Sort key of the version: 2.0 comes after 1.10."""
        return tuple(int(part) for part in self.number.split("."))


def csv_address(api: str, data_set: str, number: str) -> str:
    """The address of the file of one version of a data set."""
    return f"{api.rstrip('/')}/data-sets/{data_set}/csv?dataSetVersion={number}"


def published_versions(downloader: Downloader, api: str, source: ReferenceSource) -> tuple[DataSetVersion, ...]:
    """The published versions of a source's data set, newest first. Raises ReferenceDataError if there is none."""
    address = f"{api.rstrip('/')}/data-sets/{source.data_set}/versions?page=1&pageSize={_PAGE_SIZE}"
    content = downloader.fetch(address, f"{source.name}, list of versions", json=True).content
    try:
        answer: Any = json.loads(content)
        listed = [_version(one) for one in answer["results"]]
    except (ValueError, KeyError, TypeError):
        raise ReferenceDataError(
            f"{source.name}: the statistics API’s list of versions has another form than version 1 of the API gives. "
            "Give the file’s link as url instead of data_set, or have the new form added."
        ) from None
    found = sorted((v for v in listed if v is not None), key=lambda v: v.order, reverse=True)
    if not found:
        raise ReferenceDataError(f"{source.name}: the data set has no published version. Check its id in the settings.")
    return tuple(found)


def _version(one: Any) -> DataSetVersion | None:
    """The version if it has a file; None for withdrawn and unpublished ones."""
    status = str(one.get("status", "Published")).lower()
    if status not in ("published", "deprecated"):
        return None
    number = str(one["version"])
    if not _NUMBER.fullmatch(number):
        raise ValueError("no version number")
    day = str(one.get("published") or "")[:10]
    published = date.fromisoformat(day) if day else None
    return DataSetVersion(number, published, _last_period(one), status == "deprecated")


def _last_period(version: Any) -> str:
    return str((version.get("timePeriods") or {}).get("end", ""))[:20]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that a search found."""

    publication: str
    id: str
    title: str
    summary: str
    status: str
    """Published, Deprecated or Withdrawn."""
    superseded_by: str
    version: str
    last_period: str
    levels: tuple[str, ...]

    @property
    def usable(self) -> bool:
        return self.status != "Withdrawn" and bool(self.version)


def find_data_sets(downloader: Downloader, api: str, words: str) -> tuple[DataSet, ...]:
    """The data sets of every publication that the words find, in the API's order. Raises ReferenceDataError."""
    root, found = api.rstrip("/"), []
    for publication in _pages(downloader, f"{root}/publications?search={quote(words)}", _MOST_PUBLICATIONS):
        sets = _pages(downloader, f"{root}/publications/{_id(publication)}/data-sets?", _PAGE_SIZE)
        found += [_data_set(str(publication["title"]), one) for one in sets]
    return tuple(found)


def _pages(downloader: Downloader, address: str, size: int) -> list[Any]:
    results: list[Any] = []
    page, pages = 1, 1
    while page <= min(pages, _MOST_PAGES):
        joined = f"{address}{'' if address.endswith('?') else '&'}page={page}&pageSize={size}"
        content = downloader.fetch(joined, "the search of the statistics API", json=True).content
        try:
            answer = json.loads(content)
            results += [one for one in answer["results"] if _id(one)]
            pages = int(answer["paging"]["totalPages"])
        except (ValueError, KeyError, TypeError):
            raise ReferenceDataError(
                "The statistics API’s list has another form than version 1 of the API gives. Download the file from "
                "the publication’s page and add it by hand: docs/reference-refresh.md."
            ) from None
        page += 1
    return results


def _id(one: Any) -> str:
    """An id as the settings take it, so that nothing else gets into an address."""
    return str(UUID(str(one["id"])))


def _data_set(publication: str, one: Any) -> DataSet:
    latest = one.get("latestVersion") or {}
    return DataSet(
        publication=publication,
        id=_id(one),
        title=str(one.get("title", "")),
        summary=str(one.get("summary", "")),
        status=str(one.get("status", "Published")),
        superseded_by=str(one.get("supersedingDataSetId") or ""),
        version=str(latest.get("version", "")),
        last_period=_last_period(latest),
        levels=tuple(map(str, latest.get("geographicLevels") or ())),
    )
