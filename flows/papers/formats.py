"""Which measure each form of a council's figures can give: the table in `docs/formats.md`, written from the code.

python -m flows.papers.formats docs/formats.md
python -m flows.papers.formats --check docs/formats.md
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from features.registry import COUNTS, EXTRACTS, MEASURES, POPULATION_INPUT, RETURN_INPUTS, Kind, Measure
from flows.extracts.formats.annex_a.needs import NOT_CARRIED
from flows.extracts.formats.csww.reader import ESTABLISHMENT, TAKEN
from flows.extracts.formats.dfe.workforce_file import columns_of
from flows.extracts.formats.ssd.reader import WORKFORCE_FIELDS

_BEGIN, _END = "<!-- measures: begin -->", "<!-- measures: end -->"
YES, SEPTEMBER, PART, NO = "yes", "September", "in part", "–"

#: The year's flows that a workforce return of 30 September gives as a `return` extract.
CSWW_FLOWS = ("starters_headcount", "leavers_headcount", "working_days_lost_fte")

FORMS = ("Our extracts", "Workforce return", "Annex A", "SSD", "DfE’s published file")

_COUNT = {c.name: c for c in COUNTS}
_EVERYTHING = {(kind, f.name) for kind, extract in EXTRACTS.items() for f in extract.fields}
_ANNEX_A = {(Kind.CASELOAD, f.name) for f in EXTRACTS[Kind.CASELOAD].fields if f.name not in NOT_CARRIED}
_CSWW = {(Kind.WORKFORCE, name) for name in TAKEN} | {(Kind.ESTABLISHMENT, name) for name in ESTABLISHMENT}
_SSD_CASES = {(Kind.CASELOAD, f.name) for f in EXTRACTS[Kind.CASELOAD].fields}
_SSD_WORKERS = {(Kind.WORKFORCE, name) for name in WORKFORCE_FIELDS}
#: DfE publishes stocks and yearly flows of the workforce, none of cases.
_PUBLISHED = {RETURN_INPUTS[name] for name in columns_of("since 2023")}


def given_by(measure: Measure) -> tuple[str, ...]:
    """For each of FORMS whether it gives what the measure's formula reads."""
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
    """Whether every count that these inputs are made of can be made of these fields."""
    counts = [_COUNT[re.sub(r"_(3|12)m$", "", name)] for name in inputs]
    return all((c.extract, need) in fields for c in counts for need in c.needs)


def table() -> str:
    """The Markdown table, measure by measure."""
    lines = [f"| Measure | {' | '.join(FORMS)} |", f"|---|{'---|' * len(FORMS)}"]
    lines += [f"| {m.label} | {' | '.join(given_by(m))} |" for m in MEASURES]
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with the table between its marks written anew."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n\n{table()}\n\n{_END}{after}"


def main(arguments: Sequence[str]) -> int:
    """Write the table into the page, or say whether the page is up to date."""
    parser = argparse.ArgumentParser(prog="python -m flows.papers.formats")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("page", type=Path)
    given = parser.parse_args(arguments)
    text = given.page.read_text(encoding="utf-8")
    if not given.check:
        given.page.write_text(page(text), encoding="utf-8")
        return 0
    if page(text) == text:
        return 0
    sys.stderr.write(f"{given.page} is stale. Run: python -m flows.papers.formats {given.page}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
