"""The rules that follow from the field registry: what may not be empty, which codes exist, which numbers are possible.

If a field in `features/registry/extracts.py` changes, its rules change with it.
"""

from __future__ import annotations

import polars as pl

from expectations.batch import Severity
from expectations.suites.rules import NEEDED, Asserts, Rule, Spare, identifies, row_rule
from features.registry import EXTRACTS, Extract, Field, FieldType, Kind

#: The longest year in days, so that a limit of n years always includes the day itself.
DAYS_PER_YEAR = 366

#: (years back, days ahead) within which a date must lie, from the month's last day. The default goes back to before any
#: child now in care was born. It goes no further ahead than the month, because an extract tells what happened.
DATE_LIMITS_DEFAULT = (26, 0)
DATE_LIMITS: dict[str, tuple[int, int]] = {
    # A working life.
    "role_start_date": (60, 0),
    # A review is due within six months, so two years ahead allows for any local calendar. An old date that has long
    # passed is something to report, not a mistake.
    "cp_review_due_date": (26, 2 * DAYS_PER_YEAR),
}

#: Dates with rules of their own (`workforce.py`, `caseload.py`).
_OWN_RULES = frozenset({"reference_date", "role_end_date", "closed_date"})


def generated(kind: Kind) -> tuple[Rule, ...]:
    """The rules of one extract that come from the registry alone, in the order of its columns; the key comes last."""
    extract = EXTRACTS[kind]
    rules: list[Rule] = []
    for field in extract.fields:
        if field.name != "la_code":  # ingest fills it from the register
            rules += _rules_of(extract, field)
    return (*rules, _in_the_month(kind), _unique(extract))


def date_limits(name: str) -> tuple[int, int]:
    """(days back, days ahead) within which a date field must lie, from the month's last day."""
    back, ahead = DATE_LIMITS.get(name, DATE_LIMITS_DEFAULT)
    return back * DAYS_PER_YEAR, ahead


def has_date_range(field: Field) -> bool:
    """Whether a date field's distance from the month end is checked; if so, it is prepared as a number of days."""
    return field.type is FieldType.DATE and field.name not in _OWN_RULES


def _rules_of(extract: Extract, field: Field) -> list[Rule]:
    kind, name = extract.kind, field.name
    severity = Severity.ERROR if name in NEEDED[kind] else Severity.QUERY
    rules: list[Rule] = []
    if not field.nullable:
        rules.append(
            Rule(
                f"{kind}.{name}.missing",
                kind,
                (name,),
                Severity.ERROR,
                f"{name} is empty",
                f"Fill it in on every row. {field.description}",
                Asserts.NOT_NULL,
                reads_empty=True,
                whole_file=identifies(kind, name),
                spare=Spare.ROWS if identifies(kind, name) else Spare.CELLS,
            )
        )
    if field.codes:
        listed = ", ".join(f"{code} {meaning}" for code, meaning in field.codes.items())
        rules.append(
            Rule(
                f"{kind}.{name}.code",
                kind,
                (name,),
                severity,
                f"{name} is not one of its codes",
                f"Use one of: {listed}.",
                Asserts.IN_SET,
                {"value_set": list(field.codes)},
            )
        )
    if field.minimum is not None:
        rules.append(
            Rule(
                f"{kind}.{name}.range",
                kind,
                (name,),
                severity,
                f"{name} is not between {field.minimum:g} and {field.maximum:g}",
                f"Correct the figure. {field.description}",
                Asserts.BETWEEN,
                {"min_value": field.minimum, "max_value": field.maximum},
            )
        )
    if has_date_range(field):
        back, ahead = date_limits(name)
        until = "after" if ahead == 0 else f"more than {ahead} days after"
        rules.append(
            Rule(
                f"{kind}.{name}.range",
                kind,
                (name,),
                severity,
                f"{name} lies {until} the end of the month or more than {back // DAYS_PER_YEAR} years before it",
                "Correct the date; leave it empty if it has not happened.",
                Asserts.BETWEEN,
                {"min_value": -ahead, "max_value": back},
            )
        )
    return rules


def _in_the_month(kind: Kind) -> Rule:
    day = pl.col("reference_date")
    return row_rule(
        kind,
        "reference_date",
        "month",
        Severity.ERROR,
        day.is_between(pl.col("month_first"), pl.col("month")),
        "reference_date is in another month than the file's",
        "Send the extract of this month; every row carries the last day of the month.",
        whole_file=True,
        spare=Spare.ROWS,
    )


def _unique(extract: Extract) -> Rule:
    kind, key = extract.kind, extract.key[0]
    if kind in (Kind.ESTABLISHMENT, Kind.RETURN):
        summed = kind is Kind.ESTABLISHMENT
        return Rule(
            f"{kind}.{key}.unique",
            kind,
            (key,),
            Severity.QUERY if summed else Severity.ERROR,
            "the file has more than one row",
            "Send one row for the council. With several, nobody can tell which is right, so none is counted."
            if summed
            else "Send one row for the council.",
            Asserts.UNIQUE,
            whole_file=not summed,
            spare=Spare.NOTHING,
        )
    return Rule(
        f"{kind}.{key}.unique",
        kind,
        (key,),
        Severity.ERROR,
        f"{key} occurs on more than one row",
        f"Send one row per {key}: {extract.row_is}.",
        Asserts.UNIQUE,
        whole_file=True,
        # A worker may hold two part-time posts: as at DfE, people are counted once and FTE as given.
        spare=Spare.NOTHING if kind is Kind.WORKFORCE else Spare.REPEATS,
    )
