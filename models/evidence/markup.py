"""Back-test and evaluation as Markdown and as one self-contained page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.evidence import plots
from models.evidence.sections import KEY_ROWS, Section
from models.evidence.study import STUDY, compare
from models.evidence.table import Row, Table, figure, interval
from models.evidence.text import GIVEN, calibration_text, lead_text, timing_text

if TYPE_CHECKING:
    from models.evidence.backtest import BacktestReport, VariantBacktest
    from models.evidence.evaluate import EvaluationReport

_HEAD = (
    "Forecast",
    "AUC",
    "Average precision",
    "Riskiest tenth",
    "Riskiest fifth",
    "Brier skill",
    "Exp. / obs.",
    "Gain",
)


def table_rows(table: Table) -> list[tuple[str, ...]]:
    """Every row as texts, in the order of the head; key rows are marked bold by the page."""
    return [_cells(row) for row in table.rows]


def _cells(row: Row) -> tuple[str, ...]:
    m = row.metrics
    gain = "" if row.auc_gain is None else f"{row.auc_gain[0]:+.3f} [{row.auc_gain[1]:+.2f}, {row.auc_gain[2]:+.2f}]"
    tie = f", {m.tenth.tied} tied" if m.tenth.tied > 1 else ""
    return (
        row.forecast,
        f"{figure(m.auc, 3)} {interval(row, 'auc')}",
        f"{figure(m.average_precision, 3)} {interval(row, 'average_precision')} (base {m.base_rate:.2f})",
        f"{m.tenth.precision:.2f} {interval(row, 'precision_tenth')}, recall {m.tenth.recall:.2f} "
        f"({m.tenth.flagged}{tie})",
        f"{m.fifth.precision:.2f} {interval(row, 'precision_fifth')}, recall {m.fifth.recall:.2f} ({m.fifth.flagged})",
        f"{figure(m.brier_skill, 3)} {interval(row, 'brier_skill')}",
        f"{m.expected:.1f} / {m.positives}",
        gain,
    )


def backtest_markdown(report: BacktestReport) -> str:
    """Every table with every row."""
    lines = ["# Back-test", "", GIVEN, "", STUDY, ""]
    for item in report.variants:
        lines += [f"## {str(item.section.variant).capitalize()}", "", *section_markdown(item.section)]
        lines += [
            "### Temporal splits",
            "",
            "| Trained before | SIF | ILACS | Tested | Chosen |",
            "|---|---|---|---|---|",
        ]
        lines += [f"| {s.cut} | {s.train_sif} | {s.train_ilacs} | {s.test} | {s.chosen} |" for s in item.splits]
        lines += [
            "",
            "### Lead time",
            "",
            *(f"- {lead_text(x)}" for x in item.leads),
            f"- {timing_text(item.timing)}",
            "",
        ]
        lines += [
            "### Beside the feasibility study",
            "",
            "| Figure | Target | Here | Study | |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {c.goal.what} | {c.goal.target} | {c.ours:.2f}{_between(c.low, c.high)} | {c.goal.theirs:.2f} "
            f"| {c.verdict} |"
            for c in compare(item.section)
        ]
        lines.append("")
    lines += [f"- {note}" for note in report.notes]
    return "\n".join(lines).rstrip() + "\n"


def evaluation_markdown(report: EvaluationReport) -> str:
    """Every table with every row."""
    lines = [
        "# Held-out evaluation",
        "",
        f"{report.inspections} judgements published {report.first_published} to {report.last_published}; trained on "
        f"what was public before {report.published_from}. {GIVEN}",
        "",
    ]
    for item in report.variants:
        lines += [f"## {str(item.section.variant).capitalize()}", "", f"Chosen on earlier years: {item.chosen}.", ""]
        lines += section_markdown(item.section)
    return "\n".join(lines).rstrip() + "\n"


def section_markdown(section: Section) -> list[str]:
    """Tables, calibration, levels and audit."""
    lines: list[str] = []
    for table in section.tables:
        lines += [
            f"### {table.target.name.capitalize()}: {table.positives} of {table.n}",
            "",
            f"{table.target.note}",
            "",
        ]
        lines += ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
        lines += ["| " + " | ".join(cells) + " |" for cells in table_rows(table)]
        lines += ["", *_years(table), ""]
    lines += [f"Calibration (forecast/observed): {calibration_text(section.calibration['below good'])}", ""]
    lines += ["| Year | Inspections | Observed | Expected | Level followed |", "|---|---|---|---|---|"]
    lines += [
        f"| {x.year} | {x.n} | {x.observed} | {x.expected:.1f} ± {x.standard_error:.1f} | {x.expected_followed:.1f} |"
        for x in section.levels
    ]
    lines += [
        "",
        "| Kind of council | n | Observed | Expected | AUC | Flagged (judged good) |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {s.by}: {s.level} | {s.n} | {s.observed} | {s.expected:.1f} | {figure(s.auc)} "
        f"| {s.flagged} ({s.flagged_good}) |"
        for s in section.audit
    ]
    lines += [
        "",
        "| Stage when the inspection began (reading aid) | n | Below good | Inadequate |",
        "|---|---|---|---|",
    ]
    lines += [f"| {s.number} {s.title} | {s.n} | {s.below_good} | {s.inadequate} |" for s in section.stages]
    return [*lines, ""]


def years_of(table: Table) -> list[tuple[str, ...]]:
    """AUC of the key rows by the year in which inspections began: a head with counts, then a row per forecast."""
    rows = {r.forecast: r for r in table.rows}
    by_year = next(iter(rows.values())).by_year
    head = ("AUC by year begun", *(f"{y} ({m.positives} of {m.n})" for y, m in sorted(by_year.items())))
    found = [
        (name, *(figure(m.auc) for _, m in sorted(rows[name].by_year.items()))) for name in KEY_ROWS if name in rows
    ]
    return [head, *found]


def _years(table: Table) -> list[str]:
    head, *rows = years_of(table)
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(cells) + " |" for cells in rows)]


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"


def backtest_html(report: BacktestReport) -> str:
    """The page: head, then per variant the tables, plots, audit and lead times."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("backtest.html.j2")
    return page.render(
        report=report,
        given=GIVEN,
        study=STUDY,
        head=_HEAD,
        key_rows=KEY_ROWS,
        variants=[_variant(v) for v in report.variants],
        tries=report.candidates + report.explored_by_hand,
    )


def _variant(item: VariantBacktest) -> dict[str, Any]:
    section = item.section
    below = section.table("below good")
    return {
        "name": str(section.variant).capitalize(),
        "tables": [
            {
                "target": t.target,
                "n": t.n,
                "positives": t.positives,
                "rows": table_rows(t),
                "years": years_of(t),
            }
            for t in section.tables
        ],
        "plots": [
            (caption, Markup(svg))  # made here from numbers and our own names
            for caption, svg in (
                *((("How well each forecast orders inspections", plots.auc_forest(below)),) if below else ()),
                (
                    "Calibration of the chosen model, fifths by forecast",
                    plots.calibration(section.calibration["below good"]),
                ),
                ("Observed and expected since the last training", plots.levels(section.levels)),
                ("Temporal splits", plots.splits(item.splits)),
                ("Lead time", plots.lead_times(item.leads)),
                ("By kind of council", plots.audit(section.audit)),
            )
        ],
        "section": section,
        "splits": item.splits,
        "sentences": [*(lead_text(x) for x in item.leads), timing_text(item.timing)],
        "compared": compare(section),
        "fits": item.fits,
    }
