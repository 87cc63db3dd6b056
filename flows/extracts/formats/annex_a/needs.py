"""What each field of the caseload extract needs from Annex A, and what is said if it is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from expectations.report.council import measures_needing
from features.registry import CASELOAD, Kind
from flows.extracts.formats.annex_a.layout import BY_NUMBER

#: Field -> the columns (list, our name) that it needs.
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

#: Fields that Annex A does not have at all.
NOT_CARRIED: dict[str, str] = {
    "cp_review_due_date": "Annex A says when the latest child protection review was held and not when the next is due.",
    "worker_changes_12m": (
        "Annex A names the present worker only; changes are found from month to month, as each month's is read."
    ),
}

#: Columns that a list needs to be reliable: when something began and ended.
ESSENTIAL: dict[int, tuple[str, ...]] = {7: ("plan", "ended"), 8: ("entered", "left")}

#: Fields that also count children of lists 7 and 8, and their status in list 6, which can replace the list.
_OPEN_WORK = ("closed_date", "case_status")
_STATUS_OF = {7: "b", 8: "a"}


@dataclass(frozen=True, slots=True)
class MissingFields:
    because: Mapping[str, str]
    """Field -> why, as a sentence, in the order of the extract."""
    notes: tuple[str, ...]
    lost: tuple[str, ...]
    """Those that every extract must have, or whose lists or columns exist but cannot be used."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a workbook provides."""

    present: Mapping[int, Collection[str]]
    """By list, the reliable columns."""
    why: Mapping[int, str]
    """What to say about a missing list."""
    unusable: Mapping[tuple[int, str], int]
    """Columns with too many unreadable cells."""
    statuses: Collection[str]
    """The statuses of open rows in list 6."""
    only_referred: int
    """Cases that are open only if their referral of the month led on."""
    holders: Collection[int]
    """Lists that say who holds an open case that is not in list 6."""

    def cause(self, number: int, name: str) -> str | None:
        """Why a column is unreliable, or None if it is reliable."""
        annex = BY_NUMBER[number]
        if number not in self.present:
            return self.why.get(number, f"{annex} is not in the workbook")
        if (number, name) in self.unusable:
            cells = self.unusable[number, name]
            return f"{annex}, “{annex.column(name).header}” could not be read in {cells:,} rows, too many to leave out"
        if name not in self.present[number]:
            return f"{annex} has no column “{annex.column(name).header}”"
        return None

    def has_lost(self, number: int, name: str) -> bool:
        """Whether a column is in the workbook but unreliable."""
        return number in self.why if number not in self.present else (number, name) in self.unusable

    def needs(self, field: str) -> list[tuple[int, str]]:
        """The columns of this workbook that a field needs."""
        needs = list(NEEDS.get(field, ()))
        if field == "allocated_worker_ref":
            needs += [(number, "worker") for number in sorted(self.holders)]
        if field in _OPEN_WORK and self.only_referred:
            needs.append((3, "no_further_action"))
        return needs


def missing_fields(sources: Sources) -> MissingFields:
    """Which fields are unknown, with a sentence for each; other missing columns are reported too."""
    because: dict[str, str] = {}
    fields: dict[str, list[str]] = {}
    lost: list[str] = []
    for field in CASELOAD.fields:
        if field.name in NOT_CARRIED:
            because[field.name] = NOT_CARRIED[field.name]
            continue
        causes = dict.fromkeys(c for need in sources.needs(field.name) if (c := sources.cause(*need)))
        if field.name in _OPEN_WORK:
            causes |= dict.fromkeys(_without_status(sources))
        # What every extract must have is an error if it is not there, in this format as in any other.
        if causes and field.required or any(sources.has_lost(*need) for need in sources.needs(field.name)):
            lost.append(field.name)
        if causes:
            because[field.name] = f"{'. '.join(causes)}, so {field.name} is not known."
        for cause in causes:
            fields.setdefault(cause, []).append(field.name)
    notes = [f"{cause}. {_withheld(names)}" for cause, names in fields.items()]
    others = [c for n in sources.present for column in BY_NUMBER[n].columns if (c := sources.cause(n, column.name))]
    notes += [f"{cause}." for cause in others if cause not in fields]
    if 3 not in sources.present:
        notes.append("Without list 3, children who were only referred are not among the open cases.")
    notes += [f"{NOT_CARRIED[name]} {_withheld([name])}" for name in NOT_CARRIED]
    return MissingFields(because, tuple(notes), tuple(lost))


def _without_status(sources: Sources) -> list[str]:
    """Which of lists 7 and 8 are missing and not replaced by the status in list 6."""
    gone = [
        number
        for number, status in _STATUS_OF.items()
        if number not in sources.present and status not in sources.statuses
    ]
    missing = [sources.why.get(number, f"{BY_NUMBER[number]} is not in the workbook") for number in gone]
    return [f"{why} and list 6 gives no open case its status" for why in missing]


def _withheld(fields: list[str]) -> str:
    """`Withheld: …`, the measures that need any of the fields."""
    measures = dict.fromkeys(m for f in fields for m in measures_needing(Kind.CASELOAD, f))
    return f"Withheld: {'; '.join(measures)}." if measures else "No measure rests on it."
