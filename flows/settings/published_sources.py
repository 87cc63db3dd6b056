"""The sources of the published files: section `reference` of the settings."""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: DfE's statistics service, version 1 of its API.
STATISTICS_API = "https://api.education.gov.uk/statistics/v1"

_DATA_SET = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,2}")


class Holds(StrEnum):
    """What a file must hold; it is recognised by its headers, and a file that holds something else is refused."""

    WORKFORCE = "workforce"
    REFERRALS = "referrals"
    SECTION_47 = "section-47"
    CHILDREN_IN_NEED = "children-in-need"
    REPEAT_PLANS = "repeat-plans"
    POPULATION = "population"
    LAIT = "lait"
    DEPRIVATION = "deprivation"
    NEIGHBOURS = "neighbours"
    COUNCILS = "councils"
    JUDGEMENTS = "judgements"
    REPORTS = "reports"


class ReferenceSource(BaseModel):
    """One published file: a link to it, or a data set of DfE's statistics API, or neither if it is added by hand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    """Its name for people and in the store."""
    holds: Holds
    url: str = ""
    """Link to the file. Redirects may stay on its host or go to one of `redirect_hosts`."""
    data_set: str = ""
    """Id of a data set in the statistics API."""
    version: str = ""
    """The version to which the data set is pinned, such as `2.0`; empty means the newest published version."""

    @model_validator(mode="after")
    def _one_way_in(self) -> ReferenceSource:
        if self.url and self.data_set:
            raise ValueError(f"{self.name}: give a url or a data_set, not both")
        if self.url:
            check_address(self.url, self.name)
        if self.data_set and not _DATA_SET.fullmatch(self.data_set):
            raise ValueError(f"{self.name}: data_set is an id of 32 hexadecimal digits in five groups")
        if self.version and not (self.data_set and _VERSION.fullmatch(self.version)):
            raise ValueError(f"{self.name}: version is that of a data_set, such as 2.0")
        return self

    @property
    def by_hand(self) -> bool:
        """Whether a person adds the file, so that nothing is downloaded."""
        return not (self.url or self.data_set)


class ReferenceSettings(BaseModel):
    """What the reference refresh fetches and how patient it is. No address of a file is known beforehand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[ReferenceSource, ...] = ()
    api: str = STATISTICS_API
    redirect_hosts: tuple[str, ...] = ()
    """Hosts to which a download may be redirected, besides its own."""
    connect_seconds: Annotated[float, Field(gt=0, le=120)] = 10
    read_seconds: Annotated[float, Field(gt=0, le=600)] = 60
    """The longest silence during a download."""
    total_seconds: Annotated[float, Field(gt=0, le=7200)] = 900
    """The longest duration of one download."""
    max_file_mb: Annotated[int, Field(ge=1, le=2048)] = 100
    attempts: Annotated[int, Field(ge=1, le=10)] = 4
    """How often one download is tried, on silence, broken connections and servers in trouble."""

    @model_validator(mode="after")
    def _names_once(self) -> ReferenceSettings:
        names = [s.name for s in self.sources]
        if doubled := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"two sources are called {', '.join(doubled)}")
        check_address(self.api, "api")
        return self


def check_address(url: str, name: str) -> None:
    """Raise ValueError unless the address is https without a user part. Plain http is allowed only to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise ValueError(f"{name}: the address cannot be read") from None
    if "@" in parts.netloc or not host:
        raise ValueError(f"{name}: write the address as https://host/path, without a user name")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError(f"{name}: only https addresses are fetched")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def shown_address(url: str) -> str:
    """An address for people and records, without its query, which may contain a token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
