"""The back-test: every model on every past inspection, with what was known before it, under both variants.

Performance is judged *given an inspection*; when inspectors come is modelled and shown apart, because time
since the last inspection predicts their timing and would make any model of it look splendid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features.private_files import write_private
from models.evidence.leadtime import LeadTime, Timing, lead_time, quarterly_scores, timing
from models.evidence.markup import backtest_html, backtest_markdown
from models.evidence.sections import Section, build_section
from models.evidence.table import rounded
from models.evidence.text import backtest_text
from models.judgements.asof import Variant
from models.judgements.design import build_design
from models.judgements.labels import inspections
from models.learning.candidates import BY_CANDIDATE, CANDIDATES, DEFAULT, Candidate
from models.learning.training import EXPLORED_BY_HAND, until, walked_deviation
from models.learning.uncertainty import widening
from models.learning.walkforward import SELECTION_RULE, Split, walk_forward
from models.record import PublicRecord, read_record

#: Shares of councils flagged for which lead time and false alarms are reported.
FLAGGED_SHARES = (0.1, 0.2)


@dataclass(frozen=True)
class VariantBacktest:
    """One variant: results, splits, lead times, and the timing of inspections apart."""

    section: Section
    splits: tuple[Split, ...]
    leads: tuple[LeadTime, ...]
    timing: Timing
    fits: int


@dataclass(frozen=True)
class BacktestReport:
    """Everything the back-test found, as text, JSON, Markdown or a page."""

    code_version: str
    files: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    disagreements: tuple[tuple[str, ...], ...]
    published_before: date | None
    variants: tuple[VariantBacktest, ...]
    candidates: int
    explored_by_hand: int
    selection_rule: str

    def to_text(self) -> str:
        """The key rows of every table, the audit, lead times and levels, for a terminal."""
        return backtest_text(self)

    def to_markdown(self) -> str:
        """The same with every row."""
        return backtest_markdown(self)

    def to_html(self) -> str:
        """One self-contained page with plots; nothing is fetched."""
        return backtest_html(self)

    def to_json(self) -> dict[str, Any]:
        """Every figure, as plain values."""
        return {
            "code_version": self.code_version,
            "files": dict(self.files),
            "notes": list(self.notes),
            "disagreements": [list(d) for d in self.disagreements],
            "published_before": None if self.published_before is None else str(self.published_before),
            "selection_rule": self.selection_rule,
            "candidates": self.candidates,
            "explored_by_hand": self.explored_by_hand,
            "variants": [
                {
                    **v.section.to_json(),
                    "splits": [{k: str(x) for k, x in asdict(s).items()} for s in v.splits],
                    "lead_time": rounded([asdict(x) for x in v.leads]),
                    "timing": rounded(asdict(v.timing)),
                    "fits": v.fits,
                }
                for v in self.variants
            ],
        }

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Write `backtest.html`, `.json` and `.md` into a folder, each complete or not at all."""
        contents = {
            "backtest.html": self.to_html(),
            "backtest.json": json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n",
            "backtest.md": self.to_markdown(),
        }
        for name, content in contents.items():
            write_private(folder / name, content.encode())
        return tuple(folder / name for name in contents)


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

    `published_before`: leave out judgements published from that day on. `progress` is told each step.
    Raises ReferenceDataError for unreadable files and ModelError or ValueError for too few judgements.
    """
    progress("reading the published files")
    record = read_record(data_dir)
    found = []
    for variant in variants:
        progress(f"{variant}: walking forward")
        found.append(_variant(record, variant, published_before, candidates, progress))
    report = BacktestReport(
        code_version=code_version,
        files=tuple((f.name, f.sha256) for f in record.files if f.layouts),
        notes=record.notes,
        disagreements=tuple(tuple(str(v) for v in row) for row in record.disagreements.iter_rows()),
        published_before=published_before,
        variants=tuple(found),
        candidates=len(candidates),
        explored_by_hand=EXPLORED_BY_HAND,
        selection_rule=SELECTION_RULE,
    )
    if out_dir is not None:
        progress("writing the report")
        report.write(out_dir)
    return report


def _variant(
    record: PublicRecord,
    variant: Variant,
    published_before: date | None,
    candidates: Sequence[Candidate],
    progress: Callable[[str], None],
) -> VariantBacktest:
    design = until(build_design(record, variant), published_before)
    walked = walk_forward(design, candidates)
    progress(f"{variant}: intervals, tables and audit")
    # Intervals belong to the default configuration, which is the same in every split.
    p, deviation, y = walked_deviation(design, walked, BY_CANDIDATE[DEFAULT])
    section = build_section(variant, walked.rows, walked.forecasts, (p, deviation), widening(y, p, deviation))
    progress(f"{variant}: lead times")
    scores = quarterly_scores(record, design, walked)
    asked = inspections(record.judgements, record.lineage)
    if published_before is not None:
        asked = asked.filter(asked["published"] < published_before)
    last = walked.rows["started"].max()
    assert isinstance(last, date)
    return VariantBacktest(
        section=section,
        splits=walked.splits,
        leads=tuple(lead_time(scores, asked, share) for share in FLAGGED_SHARES),
        timing=timing(scores, asked, last),
        fits=walked.fits,
    )
