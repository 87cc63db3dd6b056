"""Compares two versions of a published file: what is new, what is gone, and whether the newer one may be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from features.errors import ReferenceDataError
from features.words import count_words
from flows.published.contents import JUDGED, Contents

#: A newer version must have at least this share of the councils, rows or judgements of the one it replaces.
_LEAST_COUNCILS = 0.9
_LEAST_ROWS = 0.9
_LEAST_JUDGEMENTS = 0.95
#: At most so many headers are listed in a sentence.
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in a version, compared with the one before it."""

    periods_new: tuple[str, ...]
    periods_gone: tuple[str, ...]
    judgements_new: tuple[str, ...]
    judgements_gone: tuple[str, ...]
    headers_new: tuple[str, ...]
    headers_gone: tuple[str, ...]
    rows: tuple[int, int]
    councils: tuple[int, int]

    @property
    def is_release(self) -> bool:
        """Whether there are new figures or judgements, and not only corrections."""
        return bool(self.periods_new or self.judgements_new)

    def sentences(self) -> tuple[str, ...]:
        """Sentences on what changed; never empty."""
        said = []
        if self.periods_new:
            said.append(f"New: figures for {in_words(self.periods_new)}.")
        if self.judgements_new:
            said.append(f"New: {_judgements(self.judgements_new)}, the last of {max(self.judgements_new)[:10]}.")
        if self.periods_gone:
            said.append(
                f"No longer given: {in_words(self.periods_gone)}; the version before is kept beside it for them."
            )
        if self.judgements_gone:
            said.append(f"No longer listed: {_judgements(self.judgements_gone)}.")
        if not self.is_release:
            said.append("The same years and judgements with other cells: a correction, or a change of form.")
        said += header_sentences(self.headers_new, self.headers_gone)
        for (before, now), what in ((self.rows, "Rows"), (self.councils, "Councils")):
            if before != now:
                said.append(f"{what}: {before} before, {now} now.")
        return tuple(said)


def compare_versions(before: Contents, after: Contents, name: str) -> Changes:
    """Compare `after` with `before`. Raises ReferenceDataError if it lacks what a newer version must have.

    That is, if it ends earlier, has far fewer councils in its newest year, far fewer rows, or has lost judgements.
    """
    changes = Changes(
        periods_new=_beyond(after.periods, before.periods),
        periods_gone=_beyond(before.periods, after.periods),
        judgements_new=_beyond(after.judgements, before.judgements),
        judgements_gone=_beyond(before.judgements, after.judgements),
        headers_new=_beyond(after.headers, before.headers),
        headers_gone=_beyond(before.headers, after.headers),
        rows=(before.rows, after.rows),
        councils=(before.councils, after.councils),
    )
    for problem in (_ends_earlier(before, after), _has_less(before, after, changes)):
        if problem:
            raise ReferenceDataError(f"{name}: {problem} It is not used; the old file stays.")
    return changes


def header_sentences(new: Iterable[str], gone: Iterable[str]) -> list[str]:
    """Sentences that name new and missing columns."""
    said = []
    for headers, what in ((sorted(new), "New column"), (sorted(gone), "Column gone")):
        if headers:
            more = len(headers) - _LISTED
            listed = ", ".join(headers[:_LISTED]) + (f" and {more} more" if more > 0 else "")
            said.append(f"{what if len(headers) == 1 else what.replace('olumn', 'olumns')}: {listed}.")
    return said


def in_words(periods: Iterable[str]) -> str:
    """Periods such as `2023` and `RevCP 2023` as a short list of years, with the item if the file has several."""
    groups: dict[str, list[str]] = {}
    for period in sorted(periods):
        item, _, year = period.rpartition(" ")
        groups.setdefault(item, []).append(year)
    return "; ".join(f"{f'{item} ' if item else ''}{_span(years)}" for item, years in sorted(groups.items()))


def _span(years: list[str]) -> str:
    run = years[-1].isdigit() and years[0].isdigit() and int(years[-1]) - int(years[0]) == len(years) - 1
    return f"{years[0]} to {years[-1]}" if run and len(years) > 2 else ", ".join(years)


def _judgements(found: tuple[str, ...]) -> str:
    return count_words(len(found), "judgement", "judgements")


def _beyond(some: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(some) - set(others)))


def _ends_earlier(before: Contents, after: Contents) -> str:
    if before.periods and after.periods:
        # Each item of LAIT has its own newest year.
        last = {p.rpartition(" ")[0]: p for p in sorted(after.periods)}
        for period in sorted(before.periods):
            item, _, year = period.rpartition(" ")
            now = last.get(item, "").rpartition(" ")[2]
            if now < year:
                end = f"ends with {now}" if now else "no longer has it"
                return f"the stored version has figures for {period}, this file {end}; it is an older release."
    if after.last_judgement < before.last_judgement:
        return (
            f"the stored version has a judgement of {before.last_judgement}, this file ends with "
            f"{after.last_judgement or 'none'}; it is an older release."
        )
    return ""


def _has_less(before: Contents, after: Contents, changes: Changes) -> str:
    if after.holds in JUDGED:
        lost = len(changes.judgements_gone)
        if lost > (1 - _LEAST_JUDGEMENTS) * len(before.judgements):
            return (
                f"{lost} of the {len(before.judgements)} judgements of the stored version are missing from this file."
            )
        return ""
    for period in sorted(set(before.periods) & set(after.periods)):
        if after.periods[period] < _LEAST_COUNCILS * before.periods[period]:
            return (
                f"for {period} it has {after.periods[period]} councils, the stored version {before.periods[period]}; "
                "the file is incomplete."
            )
    newest = max(after.periods, default="")
    known = max(before.periods.values(), default=0)
    if newest not in before.periods and after.periods.get(newest, known) < _LEAST_COUNCILS * known:
        return f"for {newest} it has {after.periods[newest]} councils, earlier years up to {known}; it is incomplete."
    if not after.periods and after.rows < _LEAST_ROWS * before.rows:
        return f"it has {after.rows} rows, the stored version {before.rows}; the file is incomplete."
    return ""
