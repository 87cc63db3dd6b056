"""The table in `docs/formats.md`, generated from code: the measures that each format of a council's data can give."""

from __future__ import annotations

import re
from collections.abc import Collection

from features.registry import COUNTS, MEASURES, POPULATION_INPUT, RETURN_INPUTS, Kind, Measure
from flows.extracts.formats.known import FORMATS, Recognition
from flows.papers.markdown import between_marks, markdown_table

_BEGIN, _END = "<!-- measures: begin -->", "<!-- measures: end -->"
YES, SEPTEMBER, PART, NO = "yes", "September", "in part", "–"

_COUNT = {c.name: c for c in COUNTS}
_WINDOW = re.compile(r"_(3|12)m$")


def given_by(measure: Measure, known: Recognition) -> str:
    """Whether a format gives what the measure's formula needs."""
    inputs = [name for name in measure.inputs if name != POPULATION_INPUT]
    if known.yearly:
        of_return = {RETURN_INPUTS[name] for name in known.fields(Kind.RETURN)}
        counted = [name for name in inputs if name not in of_return]
        given = _carried(counted, known, known.kinds) and not any(_WINDOW.search(name) for name in counted)
        return SEPTEMBER if given else NO
    if _carried(inputs, known, set(known.kinds) - set(known.lesser)):
        return YES
    return PART if _carried(inputs, known, known.lesser) else NO


def _carried(inputs: Collection[str], known: Recognition, kinds: Collection[Kind]) -> bool:
    """Whether every count that these inputs need can be made from a format's fields of these kinds."""
    counts = [_COUNT[_WINDOW.sub("", name)] for name in inputs]
    return all(c.extract in kinds and known.fields(c.extract).issuperset(c.needs) for c in counts)


def table() -> str:
    """The Markdown table, with a row for each measure."""
    return markdown_table(
        ("Measure", *(f.heading for f in FORMATS)),
        [(m.label, *(given_by(m, f) for f in FORMATS)) for m in MEASURES],
    )


def page(text: str) -> str:
    """The page with the table between its marks replaced."""
    return between_marks(text, _BEGIN, _END, table())
