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

from features.errors import ReferenceDataError
from flows.published.download import Downloader
from flows.settings.published_sources import ReferenceSource

#: Versions in one page of the API's response, which lists the newest first.
_PAGE_SIZE = 20
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,2}")


@dataclass(frozen=True, slots=True)
class DataSetVersion:
    """One published version of a data set."""

    number: str
    published: date | None
    last_period: str
    """The newest period that it covers, as the publisher writes it; empty if the API does not say."""

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
    """The version if it is published; None for withdrawn and unpublished ones, which have no file."""
    if str(one.get("status", "Published")).lower() != "published":
        return None
    number = str(one["version"])
    if not _NUMBER.fullmatch(number):
        raise ValueError("no version number")
    periods = one.get("timePeriods") or {}
    day = str(one.get("published") or "")[:10]
    return DataSetVersion(number, date.fromisoformat(day) if day else None, str(periods.get("end", ""))[:20])
