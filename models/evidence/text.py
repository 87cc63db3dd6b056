"""Back-test and evaluation for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.evidence.leadtime import LeadTime, Timing
from models.evidence.sections import KEY_ROWS, Section
from models.evidence.study import STUDY, compare
from models.evidence.table import Table, figure, text_rows
from models.learning.walkforward import CHOSEN

if TYPE_CHECKING:
    from models.evidence.backtest import BacktestReport
    from models.evidence.evaluate import EvaluationReport

GIVEN = (
    "Given an inspection: the figures say how councils were judged when inspectors came, not when they come. "
    "Intervals are 95%, councils resampled. * marks ties at the edge of the riskiest tenth."
)


def backtest_text(report: BacktestReport) -> str:
    """Key rows of each table, then what stands apart: splits, levels, audit, lead time, timing, the study."""
    tries = report.candidates + report.explored_by_hand
    lines = [
        "Back-test" + (f", judgements published before {report.published_before}" if report.published_before else ""),
        f"{GIVEN} {report.candidates} configurations a split, {tries} tried in all.",
    ]
    for item in report.variants:
        lines += ["", f"== {str(item.section.variant).capitalize()} ==", *section_text(item.section)]
        lines += ["", "Trained each year on what was published before:"]
        lines += [
            f"  {s.cut}: {s.train_sif} SIF and {s.train_ilacs} ILACS; tested {s.test}; chosen {s.chosen}"
            for s in item.splits
        ]
        lines += ["", *(lead_text(x) for x in item.leads), timing_text(item.timing)]
        lines += ["", STUDY]
        lines += [
            f"  {c.goal.target}: {c.goal.what} {c.ours:.2f}"
            f"{'' if c.low is None else f' [{c.low:.2f}, {c.high:.2f}]'}, study {c.goal.theirs:.2f}: {c.verdict}"
            for c in compare(item.section)
        ]
    lines += ["", *notes_text(report.notes, len(report.disagreements))]
    return "\n".join(lines)


def evaluation_text(report: EvaluationReport) -> str:
    """The held-out table."""
    lines = [
        f"Held-out evaluation: {report.inspections} judgements published {report.first_published} to "
        f"{report.last_published}; trained on what was public before {report.published_from}",
        GIVEN,
    ]
    for item in report.variants:
        lines += [
            "",
            f"== {str(item.section.variant).capitalize()} ==",
            f"Chosen on earlier years: {item.chosen}; trained on {item.trained_on} inspections "
            f"({item.trained_on_sif} SIF)",
            *section_text(item.section),
        ]
    return "\n".join([*lines, "", *notes_text(report.notes, 0)]).rstrip()


def section_text(section: Section) -> list[str]:
    """Key rows of each table; calibration, levels and audit of the chosen model."""
    lines: list[str] = []
    for table in section.tables:
        lines += ["", f"{table.target.name} ({table.target.note}): {table.positives} of {table.n}"]
        lines += [f"  {line}" for line in text_rows(table, KEY_ROWS)]
        lines.append(f"  {CHOSEN}, AUC by year begun: {years_text(table)}")
    bins = section.calibration.get("below good", ())
    lines += ["", "Calibration, fifths by forecast (forecast/observed): " + calibration_text(bins)]
    if section.interval is not None:
        check = section.interval
        lines.append(
            f"Interval: {check.level:.0%} stated; {check.coverage:.0%} of {check.groups} groups of ten held"
            f" (widened by {check.widening:g})"
        )
    lines += ["", "Expected and observed since the last training, by year in which the inspection began:"]
    lines += [
        f"  {x.year}: {x.observed} of {x.n} observed, {x.expected:.1f} expected (±{x.standard_error:.1f}), "
        f"{x.expected_followed:.1f} with the level followed"
        for x in section.levels
    ]
    lines += ["", "Stage of difficulty when the inspection began (a reading aid, by written rules): judged below good"]
    lines += [f"  {s.number} {s.title}: {s.below_good} of {s.n} ({s.inadequate} inadequate)" for s in section.stages]
    lines += ["", "Audit: observed/expected of n, AUC within, flagged in the riskiest fifth (of them judged good)"]
    lines += [
        f"  {s.by:12} {s.level:26} {s.observed:3d}/{s.expected:5.1f} of {s.n:3d}  {figure(s.auc):>5}  "
        f"{s.flagged:2d} ({s.flagged_good})"
        for s in section.audit
    ]
    return lines


def years_text(table: Table) -> str:
    """`2019 0.80 (28 of 56), …` of the chosen model."""
    years = sorted(table.row(CHOSEN).by_year.items())
    return ", ".join(f"{year} {figure(m.auc)} ({m.positives} of {m.n})" for year, m in years)


def calibration_text(bins: tuple[object, ...]) -> str:
    """`0.15/0.12 (40), …`."""
    return ", ".join(f"{b.forecast:.2f}/{b.observed:.2f} ({b.n})" for b in bins)  # type: ignore[attr-defined]


def lead_text(lead: LeadTime) -> str:
    """One share's lead time in one sentence."""
    median = "no lead time" if lead.median_months is None else f"median {lead.median_months:.0f} months"
    return (
        f"Flagging the riskiest {lead.share:.0%} each quarter: {lead.flagged_before} of {lead.poor_judgements} "
        f"judgements below good were flagged before the inspection ({lead.flagged_at_start} still at its start), "
        f"{median} from first flag to publication; {lead.false_alarms_per_council_year:.2f} false alarms per "
        f"council-year, "
        f"{lead.false_share:.0%} of flagged quarters in vain ({lead.unresolved_flags} not yet judged)."
    )


def timing_text(timing: Timing) -> str:
    """The trap, told."""
    return (
        f"Timing, apart: over {timing.council_years} council-years, time since the last judgement alone predicts an "
        f"inspection within 12 months with AUC {figure(timing.auc_time_alone)} (the score: "
        f"{figure(timing.auc_score_for_timing)}), and so “judged below good within 12 months” with "
        f"{figure(timing.auc_bad_within_12_months_by_time)}; given an inspection it says "
        f"{figure(timing.auc_bad_given_inspection_by_time)}."
    )


def notes_text(notes: tuple[str, ...], disagreements: int) -> list[str]:
    """What was missing or odd in the files."""
    lines = [f"Note: {note}" for note in notes]
    if disagreements:
        lines.append(f"Sources disagree on {disagreements} details of judgements; the JSON report lists them.")
    return lines
