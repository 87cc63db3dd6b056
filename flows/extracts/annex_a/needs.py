"""What each field of the caseload extract needs of Annex A, and what is said where it is not there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from expectations.report import measures_needing
from features.registry import CASELOAD, Kind
from flows.extracts.annex_a.layout import BY_NUMBER

#: Field -> the columns (list, ours) without which it cannot be known.
NEEDS: dict[str, tuple[tuple[int, str], ...]] = {
    "allocated_worker_ref": ((6, "worker"),),
    "team": ((6, "team"),),
    "case_status": ((6, "status"), (6, "closed")),
    "referral_date": ((3, "referred"),),
    "re_referral": ((3, "referred"), (3, "earlier")),
    "assessment_start_date": ((4, "started"),),
    "assessment_authorised_date": ((4, "authorised"),),
    "section_47_start_date": ((5, "strategy"),),
    "icpc_date": ((5, "conference"),),
    "cp_plan_start_date": ((7, "plan"), (7, "ended")),
    "last_cp_review_date": ((7, "plan"), (7, "ended"), (7, "review")),
    "last_visit_date": ((6, "seen"), (7, "visit"), (8, "visit")),
    "closed_date": ((6, "closed"),),
    "previous_cp_plans": ((7, "plan"), (7, "ended"), (7, "previous")),
}

#: What Annex A does not carry at all.
NOT_CARRIED: dict[str, str] = {
    "cp_review_due_date": "Annex A says when the latest child protection review was held and not when the next is due.",
    "worker_changes_12m": (
        "Annex A names the present worker only; changes are found from month to month, as each month's is read."
    ),
}

#: Columns without which a list says nothing that could be relied on: when something began and ended.
ESSENTIAL: dict[int, tuple[str, ...]] = {7: ("plan", "ended"), 8: ("entered", "left")}

#: Fields for which children of lists 7 and 8 count too, and their status in list 6, which can stand for the list.
_OPEN_WORK = ("closed_date", "case_status")
_STATUS_OF = {7: "b", 8: "a"}


@dataclass(frozen=True, slots=True)
class Lacking:
    """The fields that are not there."""

    because: Mapping[str, str]
    """Field -> why, as a sentence, in the order of the extract."""
    notes: tuple[str, ...]


def lacking(
    present: Mapping[int, Collection[str]],
    why: Mapping[int, str],
    unusable: Mapping[tuple[int, str], int],
    statuses: set[str],
    only_referred: int,
) -> Lacking:
    """Which fields cannot be known, and the sentence for each.

    `present`: by list, the columns that may be relied on; `why`: what is to be said of a list that is not
    there; `unusable`: columns with too many unreadable cells; `statuses`: those of open rows in list 6;
    `only_referred`: cases that are open only if their referral of the month led on.
    """
    because: dict[str, str] = {}
    causes: dict[str, list[str]] = {}
    for field in CASELOAD.fields:
        if field.name in NOT_CARRIED:
            because[field.name] = NOT_CARRIED[field.name]
            continue
        cause = _cause(field.name, present, why, unusable, statuses, only_referred)
        if cause is not None:
            because[field.name] = f"{cause}, so {field.name} is not known."
            causes.setdefault(cause, []).append(field.name)
    notes = [f"{cause}. {_withheld(fields)}" for cause, fields in causes.items()]
    if 3 not in present:
        notes.append("Without list 3, children who were only referred are not among the open cases.")
    notes += [f"{NOT_CARRIED[name]} {_withheld([name])}" for name in NOT_CARRIED]
    return Lacking(because, tuple(notes))


def _cause(
    field: str,
    present: Mapping[int, Collection[str]],
    why: Mapping[int, str],
    unusable: Mapping[tuple[int, str], int],
    statuses: set[str],
    only_referred: int,
) -> str | None:
    needs = NEEDS.get(field, ())
    if field in _OPEN_WORK and only_referred and 3 in present:
        needs = (*needs, (3, "no_further_action"))
    for number, name in needs:
        annex = BY_NUMBER[number]
        if number not in present:
            return why.get(number, f"{annex} is not in the workbook")
        if (number, name) in unusable:
            cells = unusable[number, name]
            return f"{annex}, “{annex.column(name).header}” could not be read in {cells:,} rows, too many to leave out"
        if name not in present[number]:
            return f"{annex} has no column “{annex.column(name).header}”"
    if field in _OPEN_WORK:
        for number, status in _STATUS_OF.items():
            if number not in present and status not in statuses:
                said = why.get(number, f"{BY_NUMBER[number]} is not in the workbook")
                return f"{said} and list 6 gives no open case its status"
    return None


def _withheld(fields: list[str]) -> str:
    """`Withheld: …`, the measures that need any of the fields."""
    measures = dict.fromkeys(m for f in fields for m in measures_needing(Kind.CASELOAD, f))
    return f"Withheld: {'; '.join(measures)}." if measures else "No measure rests on it."
