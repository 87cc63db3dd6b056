"""Refreshes one source: fetches, checks, compares and stores it. A version that passes replaces the one in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from features.errors import ReferenceDataError, SettingsError
from flows.published.api import DataSetVersion, csv_address, published_versions
from flows.published.changes import compare_versions, header_sentences, in_words
from flows.published.contents import Contents, read_contents
from flows.published.download import Downloader, Fetched, Patience
from flows.published.form import headers_in
from flows.published.shelf import Shelf, Version, version_id
from flows.settings.published_sources import ReferenceSettings, ReferenceSource

NOTHING_CONFIGURED = (
    "No published file is configured. List the sources under [[reference.sources]] in holdfast.toml: "
    "docs/reference-refresh.md shows how."
)


class SourceStatus(StrEnum):
    FIRST = "stored for the first time"
    RELEASE = "new release"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    NOT_FETCHED = "not fetched"
    BY_HAND = "added by hand"


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """The outcome of refreshing one source."""

    source: str
    status: SourceStatus
    sentence: str
    version: Version | None = None
    """The version in use after the refresh; None if there is none."""
    refused: str = ""
    """The id of the note of a refusal."""
    newer: DataSetVersion | None = None
    """A version of the data set that is newer than the one pinned in the settings."""

    @property
    def trouble(self) -> bool:
        """Whether a person must look at it."""
        return self.status in (SourceStatus.REFUSED, SourceStatus.NOT_FETCHED)


def downloader(settings: ReferenceSettings) -> Downloader:
    """A downloader with the limits in the settings."""
    patience = Patience(
        connect_seconds=settings.connect_seconds,
        read_seconds=settings.read_seconds,
        total_seconds=settings.total_seconds,
        max_bytes=settings.max_file_mb * 1_000_000,
        attempts=settings.attempts,
    )
    return Downloader(patience, settings.redirect_hosts)


def chosen(settings: ReferenceSettings, names: Sequence[str] = ()) -> tuple[ReferenceSource, ...]:
    """The sources with these names, or all. Raises SettingsError for an unknown name or if there is no source."""
    known = {s.name: s for s in settings.sources}
    if not known:
        raise SettingsError(NOTHING_CONFIGURED)
    if unknown := sorted(set(names) - set(known)):
        raise SettingsError(f"No source is called {', '.join(unknown)}. The settings know {', '.join(sorted(known))}.")
    return tuple(s for s in settings.sources if not names or s.name in names)


def refresh_source(
    shelf: Shelf, downloads: Downloader, settings: ReferenceSettings, source: ReferenceSource, at: datetime
) -> SourceOutcome:
    """Fetch a source and store it if it passes. A fault is a sentence in the outcome.

    Raises only StoreError, because without the store nothing can be kept.
    """
    used = shelf.in_use(source.name)
    present = used[0] if used else None
    if source.by_hand:
        since = f"stored {present.id[:10]}" if present else "not stored yet"
        hint = f"{source.name}: {since}; it is added by hand with `holdfast reference add {source.name} FILE`."
        return SourceOutcome(source.name, SourceStatus.BY_HAND, hint, present)
    try:
        address, release, newer, remark = _address(downloads, settings, source)
        if release and present is not None and present.release == release:
            # A published version of a data set never changes, so its file need not be downloaded again.
            return _remarked(_unchanged(source, present, newer), remark)
        fetched = downloads.fetch(address, source.name)
    except ReferenceDataError as error:
        kept = f"The version of {present.id[:10]} stays in use" if present else "No version of it is stored yet"
        said = f"{error} {kept}; the next refresh tries again."
        return SourceOutcome(source.name, SourceStatus.NOT_FETCHED, said, present)
    outcome = take_file(shelf, source, fetched, at, release=release)
    if newer is not None and not outcome.trouble:
        outcome = replace(outcome, sentence=f"{outcome.sentence} {_pinned(source, newer)}", newer=newer)
    return _remarked(outcome, remark)


def _remarked(outcome: SourceOutcome, remark: str) -> SourceOutcome:
    return replace(outcome, sentence=f"{outcome.sentence} {remark}") if remark else outcome


def take_file(
    shelf: Shelf, source: ReferenceSource, fetched: Fetched, at: datetime, *, release: str = ""
) -> SourceOutcome:
    """Check a file and compare it with the version in use. If it passes, put it in use."""
    used = shelf.in_use(source.name)
    present = used[0] if used else None
    digest = sha256(fetched.content).hexdigest()
    if present is not None and present.sha256 == digest:
        return _unchanged(source, present, None)
    try:
        contents = read_contents(fetched.content, source.holds, source.name, whole=fetched.whole)
        changes = compare_versions(present.contents, contents, source.name) if present is not None else None
    except ReferenceDataError as error:
        reason = " ".join([str(error), *_header_changes(fetched.content, present, source.name)])
        noted = shelf.note_refusal(source.name, fetched.content, reason, fetched.url, at)
        return SourceOutcome(source.name, SourceStatus.REFUSED, reason, present, refused=noted)
    version = shelf.keep(
        Version(
            source=source.name,
            id=version_id(at, digest),
            fetched=at,
            sha256=digest,
            size=len(fetched.content),
            origin=fetched.url,
            release=release,
            replaces=present.id if present else "",
            contents=contents,
            changes=changes.sentences() if changes else (),
            is_release=changes.is_release if changes else False,
        ),
        fetched.content,
    )
    if changes is None:
        return SourceOutcome(source.name, SourceStatus.FIRST, f"{source.name}: stored. {_holds(contents)}", version)
    status = SourceStatus.RELEASE if changes.is_release else SourceStatus.REVISED
    return SourceOutcome(source.name, status, " ".join([f"{source.name}: {status}.", *changes.sentences()]), version)


def _address(
    downloads: Downloader, settings: ReferenceSettings, source: ReferenceSource
) -> tuple[str, str, DataSetVersion | None, str]:
    """The file's address, its version number if it has one, any version newer than the pinned one, and a remark."""
    if source.url:
        return source.url, "", None, ""
    versions = published_versions(downloads, settings.api, source)
    newest = versions[0]
    number = source.version or newest.number
    pinned = DataSetVersion(number, None, "")
    newer = newest if newest.order > pinned.order else None
    remark = ""
    if any(v.number == number and v.deprecated for v in versions):
        remark = (
            f"Version {number} of the data set is deprecated: the publisher will take it away. It was read. "
            "`holdfast reference find` shows what takes its place."
        )
    return csv_address(settings.api, source.data_set, number), number, newer, remark


def _unchanged(source: ReferenceSource, present: Version, newer: DataSetVersion | None) -> SourceOutcome:
    sentence = f"{source.name}: unchanged since {present.id[:10]}."
    if newer is not None:
        sentence = f"{sentence} {_pinned(source, newer)}"
    return SourceOutcome(source.name, SourceStatus.UNCHANGED, sentence, present, newer=newer)


def _pinned(source: ReferenceSource, newer: DataSetVersion) -> str:
    published = f", published {newer.published}" if newer.published else ""
    to = f", with figures to {newer.last_period}" if newer.last_period else ""
    return (
        f"Version {newer.number} of the data set is out{published}{to}; the settings pin {source.version}. "
        "Change the pin to take it."
    )


def _header_changes(content: bytes, present: Version | None, name: str) -> list[str]:
    """For a refused file: sentences on the columns that are new or missing since the version in use."""
    now = headers_in(content, name)
    if present is None or not now:
        return []
    return header_sentences(now - present.contents.headers, present.contents.headers - now)


def _holds(contents: Contents) -> str:
    if contents.judgements:
        return f"{len(contents.judgements)} judgements, the last of {contents.last_judgement}."
    if contents.periods:
        return f"{contents.councils} councils, {in_words(contents.periods)}."
    return f"{contents.councils} councils."
