"""The table in `docs/formats.md`, generated from code: the measures that each format of a council's data can give."""

from __future__ import annotations

import re
from collections.abc import Collection

from features.registry import COUNTS, EXTRACTS, MEASURES, POPULATION_INPUT, RETURN_INPUTS, Kind, Measure
from flows.extracts.formats.annex_a.needs import NOT_CARRIED
from flows.extracts.formats.csww.reader import ESTABLISHMENT, TAKEN
from flows.extracts.formats.dfe.workforce_file import columns_of
from flows.extracts.formats.ssd.reader import WORKFORCE_FIELDS
from flows.papers.markdown import between_marks, markdown_table

_BEGIN, _END = "<!-- measures: begin -->", "<!-- measures: end -->"
YES, SEPTEMBER, PART, NO = "yes", "September", "in part", "–"

#: Yearly flows that a workforce return of 30 September gives as a `return` extract.
CSWW_FLOWS = ("starters_headcount", "leavers_headcount", "working_days_lost_fte")

FORMS = ("Our extracts", "Workforce return", "Annex A", "SSD", "DfE’s published file")

_COUNT = {c.name: c for c in COUNTS}
_ANNEX_A = {(Kind.CASELOAD, f.name) for f in EXTRACTS[Kind.CASELOAD].fields if f.name not in NOT_CARRIED}
_CSWW = {(Kind.WORKFORCE, name) for name in TAKEN} | {(Kind.ESTABLISHMENT, name) for name in ESTABLISHMENT}
_SSD_CASES = {(Kind.CASELOAD, f.name) for f in EXTRACTS[Kind.CASELOAD].fields}
_SSD_WORKERS = {(Kind.WORKFORCE, name) for name in WORKFORCE_FIELDS}
#: DfE publishes stocks and yearly flows of the workforce, but nothing about cases.
_PUBLISHED = {RETURN_INPUTS[name] for name in columns_of("since 2023")}


def given_by(measure: Measure) -> tuple[str, ...]:
    """For each of FORMS, whether it gives what the measure's formula needs."""
    inputs = [name for name in measure.inputs if name != POPULATION_INPUT]
    over_time = [name for name in inputs if re.search(r"_(3|12)m$", name)]
    of_year = {RETURN_INPUTS[name] for name in CSWW_FLOWS}
    from_records = _carried([n for n in inputs if n not in of_year], _CSWW) and not set(over_time) - of_year
    in_ssd = _carried(inputs, _SSD_CASES) or _carried(inputs, _SSD_WORKERS)
    return (
        YES,
        SEPTEMBER if from_records else NO,
        YES if _carried(inputs, _ANNEX_A) else NO,
        (PART if _carried(inputs, _SSD_WORKERS) else YES) if in_ssd else NO,
        SEPTEMBER if set(inputs) <= _PUBLISHED else NO,
    )


def _carried(inputs: Collection[str], fields: Collection[tuple[Kind, str]]) -> bool:
    """Whether every count that these inputs need can be made from these fields."""
    counts = [_COUNT[re.sub(r"_(3|12)m$", "", name)] for name in inputs]
    return all((c.extract, need) in fields for c in counts for need in c.needs)


def table() -> str:
    """The Markdown table, with a row for each measure."""
    return markdown_table(("Measure", *FORMS), [(m.label, *given_by(m)) for m in MEASURES])


def page(text: str) -> str:
    """The page with the table between its marks replaced."""
    return between_marks(text, _BEGIN, _END, table())
