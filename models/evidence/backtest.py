"""The back-test: every model forecasts every past inspection and council from what was known then, under both variants.

Performance is judged *given an inspection*. When inspectors come is modelled and shown separately: time since the last
inspection predicts their timing, and would make any model of it look splendid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features.errors import ModelError
from features.private_files import write_private
from models.evidence.document import ReportBlock, ReportBullets, Text, html, markdown
from models.evidence.sections import GIVEN, Section, build_section
from models.judgements.asof import Variant
from models.judgements.design import build_design
from models.learning.candidates import CANDIDATES, Candidate
from models.learning.training import ASKED_FROM, until
from models.learning.tries import tried
from models.learning.walkforward import walk_forward
from models.record import read_record


@dataclass(frozen=True)
class BacktestReport:
    """Everything that a back-test or an evaluation found, as Markdown, JSON or a page."""

    title: str
    what: str
    """What was asked, of which data, in a sentence."""
    code_version: str
    files: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    disagreements: tuple[tuple[str, ...], ...]
    sections: tuple[Section, ...]
    candidates: int
    tries: int

    def blocks(self) -> list[ReportBlock]:
        found: list[ReportBlock] = [
            Text(self.what),
            Text(f"{GIVEN} {self.candidates} forecasts are shown; {self.tries} configurations were ever tried."),
        ]
        for section in self.sections:
            found += section.blocks()
        disagree = f"Sources disagree on {len(self.disagreements)} entries; the JSON lists them."
        return [*found, ReportBullets((*self.notes, *((disagree,) if self.disagreements else ())))]

    def to_markdown(self) -> str:
        """The report as Markdown; this is what the terminal prints."""
        return markdown(self.title, self.blocks())

    def to_html(self) -> str:
        """One self-contained page with plots; nothing is fetched."""
        return html(f"Holdfast: {self.title.lower()}", self.blocks())

    def to_json(self) -> dict[str, Any]:
        """Every figure as plain values."""
        return {
            "title": self.title,
            "what": self.what,
            "code_version": self.code_version,
            "files": dict(self.files),
            "notes": list(self.notes),
            "disagreements": [list(d) for d in self.disagreements],
            "candidates": self.candidates,
            "tries": self.tries,
            "variants": [s.to_json() for s in self.sections],
        }

    def to_json_text(self) -> str:
        return json.dumps(self.to_json(), indent=1, ensure_ascii=False, default=str)

    def write(self, folder: Path, name: str = "backtest") -> tuple[Path, ...]:
        """Write the page, JSON and Markdown to a folder; each file is complete or not written at all."""
        contents = {
            f"{name}.html": self.to_html(),
            f"{name}.json": self.to_json_text() + "\n",
            f"{name}.md": self.to_markdown(),
        }
        for file, content in contents.items():
            write_private(folder / file, content.encode())
        return tuple(folder / file for file in contents)


def backtest(
    data_dir: Path,
    out_dir: Path | None = None,
    *,
    code_version: str,
    published_before: date | None = None,
    variants: Sequence[Variant] = tuple(Variant),
    candidates: Sequence[Candidate] = CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> BacktestReport:
    """Run the back-test on a folder of published files; write the reports if `out_dir` is given.

    `published_before`: leave out judgements published from that day on. `progress` is called with each step.
    Raises ReferenceDataError for unreadable files and ModelError for too few judgements.
    """
    progress("reading the published files")
    record = read_record(data_dir)
    sections = []
    for variant in variants:
        progress(f"{variant}: what was known when")
        design = until(build_design(record, variant), published_before)
        progress(f"{variant}: walking forward")
        try:
            walked = walk_forward(design, candidates, ASKED_FROM)
        except ValueError as error:
            raise ModelError(f"There are too few judgements to walk forward: {error}.") from error
        progress(f"{variant}: tables, level, audit and flags")
        sections.append(build_section(variant, walked))
    before = f" published before {published_before}" if published_before else ""
    report = BacktestReport(
        title="Back-test",
        what=f"Each January a model is fitted on the judgements published before and asked about that year's days; "
        f"judgements{before} of inspections begun from {ASKED_FROM} on.",
        code_version=code_version,
        files=tuple((f.name, f.sha256) for f in record.files if f.layouts),
        notes=record.notes,
        disagreements=tuple(tuple(str(v) for v in row) for row in record.disagreements.iter_rows()),
        sections=tuple(sections),
        candidates=len(candidates),
        tries=tried(),
    )
    if out_dir is not None:
        progress("writing the report")
        report.write(out_dir)
    return report
