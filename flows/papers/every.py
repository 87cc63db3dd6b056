"""Every document that is written from code, in one list: `holdfast papers` checks or writes them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.papers import alert_schema, annex_a, contract, csww_rules, dictionary, formats, model_card, transparency


@dataclass(frozen=True, slots=True)
class Paper:
    """One generated document."""

    name: str
    """In the folder of the documents."""
    write: Callable[[str], str]
    """The document as it should be, from the document as it is: some are written by hand but for a table."""

    def fresh(self, folder: Path) -> str:
        """The text it should have."""
        return self.write(self._there(folder))

    def is_stale(self, folder: Path) -> bool:
        """Whether the document says something else than the code does."""
        return self._there(folder) != self.fresh(folder)

    def _there(self, folder: Path) -> str:
        path = folder / self.name
        return path.read_text(encoding="utf-8") if path.is_file() else ""


PAPERS = (
    Paper("alert-rules.toml", lambda _: alert_schema.rules_text()),
    Paper("alert.schema.json", lambda _: alert_schema.schema_text()),
    Paper("annex-a.md", annex_a.page),
    Paper("csww-rules.md", lambda _: csww_rules.text()),
    Paper("data-contract.md", lambda _: contract.contract()),
    Paper("data-dictionary.md", lambda _: dictionary.dictionary()),
    Paper("formats.md", formats.page),
    Paper("model-card.md", lambda _: model_card.page()),
    Paper("transparency-record.md", lambda _: transparency.page()),
)


def stale_papers(folder: Path) -> tuple[Paper, ...]:
    """The documents of the folder that are missing or say something else than the code does."""
    return tuple(paper for paper in PAPERS if paper.is_stale(folder))


def write_papers(folder: Path) -> tuple[Paper, ...]:
    """Write what is stale; which documents that were."""
    stale = stale_papers(folder)
    for paper in stale:
        (folder / paper.name).write_text(paper.fresh(folder), encoding="utf-8")
    return stale
