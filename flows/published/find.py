"""`holdfast reference find`: finds a data set in DfE's statistics API and writes it into the settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import tomli_w
from pydantic import ValidationError

from features.errors import ReferenceDataError, SettingsError
from flows.published.api import DataSet, csv_address
from flows.published.contents import read_contents
from flows.published.download import Downloader
from flows.settings.published_sources import Holds, ReferenceSettings

_SUMMARY = 200


def data_sets_in_words(found: tuple[DataSet, ...]) -> str:
    """The data sets below their publications, numbered, each with its id and what it covers."""
    lines, above = [], ""
    for number, one in enumerate(found, start=1):
        if one.publication != above:
            lines.append(one.publication)
            above = one.publication
        to = f", figures to {one.last_period}" if one.last_period else ""
        levels = f", {', '.join(one.levels)}" if one.levels else ""
        lines.append(f"  {number:>2} {one.title}\n     {one.id}, version {one.version or 'none'}{to}{levels}")
        if one.status != "Published":
            instead = f"; {one.superseded_by} takes its place" if one.superseded_by else ""
            lines.append(f"     {one.status.lower()}: {_FATES.get(one.status, 'see the publication')}{instead}")
        if one.summary:
            lines.append(f"     {' '.join(re.sub('<[^>]*>', ' ', one.summary).split())[:_SUMMARY]}")
    return "\n".join(lines)


_FATES = {
    "Deprecated": "it gets no more figures and will be taken away",
    "Withdrawn": "it can no longer be used",
}


def chosen_data_set(found: tuple[DataSet, ...], which: str) -> DataSet:
    """The data set with this number in the list, or this id. Raises SettingsError."""
    by_id = [one for one in found if one.id == which.strip().lower()]
    by_number = [one for number, one in enumerate(found, start=1) if which.strip() == str(number)]
    if not (meant := by_id or by_number):
        raise SettingsError(f"{which} is neither a number of the list nor an id in it.")
    if not meant[0].usable:
        raise SettingsError(f"“{meant[0].title}” is {meant[0].status.lower()} and has no file. Choose another one.")
    return meant[0]


def what_it_holds(downloader: Downloader, api: str, one: DataSet) -> Holds:
    """What the data set's file is for Holdfast, by its headers. Raises ReferenceDataError if it is nothing it reads."""
    fetched = downloader.fetch(csv_address(api, one.id, one.version), one.title)
    fitting = []
    for holds in Holds:
        try:
            read_contents(fetched.content, holds, one.title, whole=fetched.whole)
        except ReferenceDataError:
            continue
        fitting.append(holds)
    if len(fitting) != 1:
        raise ReferenceDataError(
            f"“{one.title}”: Holdfast does not know a file with these columns, so it was not written into the "
            f"settings. It reads: {', '.join(Holds)} (docs/reference-refresh.md says which files these are)."
        )
    return fitting[0]


def as_settings(one: DataSet, holds: Holds, *, pinned: bool) -> str:
    """The lines for the settings."""
    source = {
        "name": str(holds),
        "holds": str(holds),
        "data_set": one.id,
        **({"version": one.version} if pinned else {}),
    }
    # A table of its own, however short: a second [reference] would not fit into a file that has one.
    return f"# {one.publication}: {' '.join(one.title.split())}\n[[reference.sources]]\n{tomli_w.dumps(source)}"


def write_into(settings: Path, lines: str) -> None:
    """Add the lines at the end of the settings file, if it can still be read then.

    Raises SettingsError with the lines if they do not fit, for example because a source of that name is there.
    """
    try:
        after = f"{settings.read_text(encoding='utf-8-sig').rstrip()}\n\n{lines}"
        ReferenceSettings.model_validate(tomllib.loads(after).get("reference", {}))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        why = error.errors(include_input=False)[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise SettingsError(f"{settings} was left as it is: {why}. Change it by hand:\n\n{lines}") from None
    with settings.open("r+", encoding="utf-8") as file:
        file.write(after)
