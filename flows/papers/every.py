"""The list of all documents that are generated from code. `holdfast papers` checks or writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from features.registry import Kind
from flows.papers import (
    alert_schema,
    annex_a,
    contract,
    csww_rules,
    dictionary,
    formats,
    model_card,
    suites,
    transparency,
)
from flows.settings.alert_rules import AlertRules, rules_as_toml


@dataclass(frozen=True, slots=True)
class Paper:
    """One generated document."""

    name: str
    """Its name in the folder of documents."""
    write: Callable[[str], str]
    """Makes the new text from the present text, since some documents are written by hand except for a table."""

    def fresh(self, folder: Path) -> str:
        """The text that it should have."""
        return self.write(self._there(folder))

    def is_stale(self, folder: Path) -> bool:
        """Whether the document differs from what the code says."""
        return self._there(folder) != self.fresh(folder)

    def _there(self, folder: Path) -> str:
        path = folder / self.name
        return path.read_text(encoding="utf-8") if path.is_file() else ""


PAPERS = (
    Paper("alert-rules.toml", lambda _: rules_as_toml(AlertRules())),
    Paper("alert.schema.json", lambda _: alert_schema.schema_text()),
    Paper("annex-a.md", annex_a.page),
    Paper("csww-rules.md", lambda _: csww_rules.text()),
    Paper("data-contract.md", lambda _: contract.contract()),
    Paper("data-dictionary.md", lambda _: dictionary.dictionary()),
    Paper("formats.md", formats.page),
    Paper("model-card.md", lambda _: model_card.page()),
    *(Paper(f"suites/{kind}.json", partial(suites.page, kind)) for kind in Kind),
    Paper("transparency-record.md", lambda _: transparency.page()),
)


def stale_papers(folder: Path) -> tuple[Paper, ...]:
    """The documents in the folder that are missing or differ from what the code says."""
    return tuple(paper for paper in PAPERS if paper.is_stale(folder))


def write_papers(folder: Path) -> tuple[Paper, ...]:
    """Write the stale documents, and return them."""
    stale = stale_papers(folder)
    for paper in stale:
        (folder / paper.name).parent.mkdir(exist_ok=True)
        (folder / paper.name).write_text(paper.fresh(folder), encoding="utf-8")
    return stale
