"""The data dictionary, generated from the registry: every field, count, measure and feature."""

from __future__ import annotations

from features.comparing.context import CONTEXT
from features.comparing.panel import MIN_NEIGHBOURS, OWN_MIN_MONTHS, OWN_MIN_YEARS, OWN_MONTHS, OWN_YEARS
from features.comparing.shrinkage import MIN_GROUP
from features.comparing.xmr import BASELINE_POINTS, MOVING_RANGE_FACTOR, REBASE_POINTS, SHIFT_POINTS, TREND_POINTS
from features.frames import FEATURE_COLUMNS, FEATURES_SCHEMA
from features.measuring.rates import window_of
from features.registry import (
    ALL_MEASURES,
    COUNTS,
    DFE_SYMBOLS,
    EXTRACTS,
    RETURN_INPUTS,
    Extract,
    Field,
    FieldType,
    Group,
    Measure,
    Missing,
    Unit,
)
from flows.papers.markdown import markdown_table

_INTRODUCTION = """\
# Data dictionary

Written by `holdfast papers --write` from the field registry in `features/registry/`. Change it there:
CI fails when this file and the code disagree.

Council-level figures are fractions inside and per cent where people read them. A month is its last day.
Codes are text. A missing value is empty and has a reason (see [Why a value is missing](#why-a-value-is-missing));
no symbol ever becomes a number."""

_TYPES = {
    FieldType.TEXT: "text",
    FieldType.CODE: "code",
    FieldType.DATE: "date",
    FieldType.INTEGER: "whole number",
    FieldType.DECIMAL: "number",
    FieldType.FLAG: "0 or 1",
    FieldType.REFERENCE: "the council’s pseudonym",
}

#: The meaning of every column of a feature row.
FEATURE_MEANINGS: dict[str, str] = {
    "la_code": "The council’s DfE code, or both codes of a joint return.",
    "month": "Last day of the month.",
    "measure": "Name of the measure.",
    "value": "The measure itself, by its formula above.",
    "numerator": "What is divided, in natural units (FTE, days, people, cases).",
    "denominator": "What it is divided by.",
    "reason": "Why the value is missing; empty if it is there.",
    "known_from": "Last day on which anything the value rests on became known.",
    "change_3m": "Value less the value 3 months earlier; empty if either is missing.",
    "change_6m": "The same over 6 months.",
    "change_12m": "The same over 12 months.",
    "change_24m": "The same over 24 months.",
    "own_mean": f"Mean of the council’s own {OWN_MONTHS} months before, if {OWN_MIN_MONTHS} of them are known; "
    f"for a series of one month a year, of the same month of the {OWN_YEARS} years before, if {OWN_MIN_YEARS} are.",
    "own_z": "Standard deviations of that past by which the value lies from its mean. The deviation is taken to be at "
    "least the move that one person, case or day makes, and at least 1% of the mean.",
    "neighbours_median": f"Median of the statistical neighbours’ values in the same month; empty (too few reported) "
    f"below {MIN_NEIGHBOURS}.",
    "neighbours_reported": "How many statistical neighbours have a value in the month.",
    "vs_neighbours": "Value less the neighbours’ median.",
    "national_percentile": "Share of councils with a lower value in the latest published national distribution known "
    "at the time, ties counting half; 0 to 1.",
    "shrunk": "Value shrunk toward the group’s by its size (Marshall’s empirical Bayes estimator; binomial chance for "
    f"shares, Poisson for other rates); with fewer than {MIN_GROUP} councils toward the national mean. For ranking.",
    "xmr_value": "The point of the process-behaviour chart: the value, or, for a measure summed over months, the "
    "month’s own figure in the measure’s unit.",
    "xmr_mean": f"Mean of the chart’s baseline: the first {BASELINE_POINTS} observations, drawn anew when "
    f"{REBASE_POINTS} in a row have lain on one side.",
    "xmr_lower": f"Mean less {MOVING_RANGE_FACTOR} mean moving ranges, not below where the measure can be.",
    "xmr_upper": "Mean plus the same, not above where the measure can be.",
    "xmr_signal": "The rule of *Making Data Count* that the point breaks: `point` (beyond a limit), `shift` "
    f"({SHIFT_POINTS} in a row on one side of the mean), `trend` ({TREND_POINTS} in a row rising or falling), "
    "`near_limit` (two of three in the outer third, all three on one side); the first of them that applies.",
    "xmr_toward": "Whether the signal points to `concern`, `improvement` or, if neither way is one, `neither`.",
    "xmr_level": "Once limits were drawn anew: `concern` or `improvement` where the level lies beyond the limits of "
    "the first baseline, so that it is worse or better than before and no longer moves; empty where it does not.",
    "xmr_mean_before": "The mean of that first baseline, where there is an `xmr_level`.",
    "small_base": "True if the denominator is below the measure’s smallest meaningful base.",
}

_CONTEXT_MEANINGS: dict[str, str] = {
    "la_code": "The council’s DfE code.",
    "as_of": "The day whose knowledge is used.",
    "previous_words": "The same grade in the words of its inspection framework.",
    "previous_judgement": "Latest published judgement of impact of leaders: 1 outstanding, 2 good, "
    "3 requires improvement to be good, 4 inadequate.",
    "months_since_judgement": "Whole months since it was published.",
    "judgement_before_that": "The judgement before the latest.",
    "ever_inadequate": "Whether any judgement published by the day was inadequate.",
    "judgements_known": "How many judgements had been published.",
    "imd_score": "Index of Multiple Deprivation, average score; higher is more deprived.",
    "population_0_17": "Children aged 0 to 17.",
    "region": "Region, by the register.",
    "council_type": "Type of council, by the register.",
}


def dictionary() -> str:
    """The whole document as Markdown, ending in a newline."""
    parts = [
        _INTRODUCTION,
        "## Extracts",
        *(_extract(e) for e in EXTRACTS.values()),
        _counts(),
        _measures(),
        _features(),
        _context(),
        _missing(),
    ]
    return "\n\n".join(parts) + "\n"


def _extract(extract: Extract) -> str:
    heading = f"### `{extract.kind}`: {extract.title[0].lower()}{extract.title[1:]}"
    about = f"One row is {extract.row_is}. Key: {', '.join(f'`{k}`' for k in extract.key)}."
    rows = [
        (
            f"`{f.name}`",
            _type_of(f),
            "yes" if f.required else "no",
            _described(f),
            f.source,
            str(f.privacy),
            _headers(f),
        )
        for f in extract.fields
    ]
    header = ("Column", "Type", "Required", "Meaning", "Source", "Privacy", "Other headers read")
    return f"{heading}\n\n{about}\n\n{markdown_table(header, rows)}"


def _type_of(field: Field) -> str:
    kind = _TYPES[field.type]
    if field.type is FieldType.DECIMAL:
        kind += f", {field.decimals} decimal{'s' if field.decimals > 1 else ''}"
    unit = "" if field.unit in (Unit.NONE, Unit.DATE) else f" ({field.unit})"
    within = ""
    if field.minimum is not None and field.maximum is not None:
        within = f", {field.minimum:,g} to {field.maximum:,g}"
    return f"{kind}{unit}{within}{'' if field.nullable else ', never empty'}"


def _described(field: Field) -> str:
    codes = "; ".join(f"`{code}` {meaning}" for code, meaning in field.codes.items())
    extra = ""
    if field.name in RETURN_INPUTS and field.source.startswith("DfE CSWW"):
        extra = f" Input `{RETURN_INPUTS[field.name]}`."
    return field.description + (f" {codes}." if codes else "") + extra


def _headers(field: Field) -> str:
    return ", ".join(f"`{s}`" for s in field.synonyms)


def _counts() -> str:
    rows = [
        (
            f"`{c.name}`",
            f"`{c.extract}`",
            str(c.accrual),
            str(c.unit) + (f", in 1/{c.parts}" if c.parts > 1 else ""),
            c.description,
            ", ".join(f"`{n}`" for n in c.needs),
        )
        for c in COUNTS
    ]
    return (
        "## Counts\n\n"
        "Whole numbers per council and month, made in `features/counting/records.py`. A flow becomes an input of "
        "formulas as its "
        "trailing sum, named with its window (`leavers_fte_12m`); a month of the window missing, and the sum is "
        "missing. "
        "An error in a field, or its absence, withholds the counts that read it.\n\n"
        + markdown_table(("Count", "Extract", "Counted", "Unit", "Meaning", "Reads"), rows)
    )


def _measures() -> str:
    parts = [
        "## Measures\n\n"
        "Made in `features/measuring/rates.py` and `features/measuring/sight.py`. A measure marked DfE has DfE’s "
        "formula and name, and a "
        "council may lay its September beside the published figure."
    ]
    header = (
        "Measure",
        "Label",
        "Formula",
        "Unit",
        "Concern",
        "Source",
        "DfE",
        "Range published",
        "Small below",
        "Chart",
    )
    for group in Group:
        rows = [_measure(m) for m in ALL_MEASURES if m.group is group]
        if rows:
            parts.append(f"### {str(group).capitalize()}\n\n{markdown_table(header, rows)}")
    return "\n\n".join(parts)


def _measure(measure: Measure) -> tuple[str, ...]:
    plausible = "" if measure.plausible is None else f"{measure.plausible[0]:g} to {measure.plausible[1]:g}"
    chart = "value" if window_of(measure) is None else "month’s own" if measure.group is not Group.SIGHT else ""
    return (
        f"`{measure.name}`",
        measure.label,
        measure.formula,
        str(measure.unit),
        {"HIGH": "high", "LOW": "low", "NONE": ""}[measure.direction.name],
        measure.source,
        "yes" if measure.official else "",
        plausible,
        str(measure.small_base or ""),
        chart,
    )


def _features() -> str:
    rows = [
        (f"`{name}`", FEATURE_MEANINGS[name], f"`<measure>__{name}`" if name in FEATURE_COLUMNS else "")
        for name in FEATURES_SCHEMA
    ]
    return (
        "## Features\n\n"
        "One row per council, month and measure, made in `features/comparing/panel.py`. Changes and distances are "
        "in the measure’s "
        "unit; positive is up, whatever the direction of concern. A model reads `<measure>` and the columns "
        "that have a "
        "name in the last column (`features/comparing/wide.py`).\n\n"
        + markdown_table(("Column", "Meaning", "Model column"), rows)
    )


def _context() -> str:
    rows = [(f"`{name}`", _CONTEXT_MEANINGS[name]) for name in CONTEXT]
    return (
        "## Context\n\nFrom the council register, made in `features/comparing/context.py`. Used, shown and audited, "
        "never presented "
        "as the council’s doing.\n\n" + markdown_table(("Column", "Meaning"), rows)
    )


def _missing() -> str:
    symbols: dict[Missing, list[str]] = {}
    for symbol, reason in DFE_SYMBOLS.items():
        symbols.setdefault(reason, []).append(f"`{symbol}`")
    rows = [(str(reason), ", ".join(symbols.get(reason, []))) for reason in Missing]
    return (
        "## Why a value is missing\n\nThe reason stands beside the value. Of several missing inputs, that of "
        "the first in "
        "the formula is given.\n\n" + markdown_table(("Reason", "Symbol in DfE’s files"), rows)
    )
