"""The names and words that HR and case systems use; never more than a reason to propose something to a person."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: The names that HR and case systems use; never more than a reason to ask.
HINTS: Mapping[str, tuple[str, ...]] = {
    "la_code": ("council code", "authority code", "dfe number"),
    "reference_date": ("snapshot", "report date", "period end", "extract date", "month"),
    "worker_ref": (
        "payroll number",
        "employee number",
        "employee id",
        "person number",
        "post holder id",
        "assignment number",
        "staff number",
        "payroll ref",
        "candidate ref",
        "placement id",
        "booking ref",
        "personnel number",
        "pers number",
        "unique id",
        "ref",
    ),
    "agency_worker": (
        "contract type",
        "employment type",
        "engagement",
        "worker type",
        "employment status",
        "employee group",
        "employee type",
        "appointment type",
        "perm temp",
        "basis",
        "supplier",
        "vendor",
        "agency name",
        "locum",
        "contract",
    ),
    "org_role": (
        "job title",
        "job",
        "job role",
        "position",
        "position title",
        "post",
        "post title",
        "designation",
        "grade",
    ),
    "fte": (
        "contracted fte",
        "hours fte",
        "whole time equivalent",
        "contract fte",
        "hours",
        "contracted hours",
        "weekly hours",
        "hours per week",
        "hours week",
        "basic hours",
        "contractual hours",
        "fte percent",
    ),
    "role_start_date": (
        "joined",
        "date joined",
        "hire date",
        "commenced",
        "booking start",
        "start date in post",
        "employment start",
        "service start",
        "start",
        "assignment start",
        "contract start",
    ),
    "role_end_date": (
        "termination date",
        "leaver date",
        "employment end",
        "date of leaving",
        "last day",
        "last day of service",
        "date left",
        "left",
        "leave date",
        "end",
        "assignment end",
        "contract end",
    ),
    "reason_leave": ("termination reason", "leaver reason", "why left"),
    "leaver_destination": ("new employer", "next employment", "destination on leaving"),
    "cases": ("case count", "allocated cases", "cases held", "number of children", "caseload count"),
    "working_days_lost": (
        "sick days",
        "sickness days",
        "days sick",
        "absence days",
        "days absent",
        "days lost to sickness",
        "sickness absence",
        "sickness",
    ),
    "absent_at_reference_date": ("currently absent", "on leave", "absent today"),
    "team": ("service", "cost centre", "locality", "department", "unit"),
    "vacancy_fte": ("vacant fte", "vacant posts", "posts vacant"),
    "case_ref": ("child id", "person id", "client id", "mosaic id", "case number", "episode id"),
    "assessment_start_date": ("c f start", "assessment start", "single assessment start"),
    "assessment_authorised_date": ("c f completed", "assessment completed", "assessment end", "c f end"),
    "section_47_start_date": ("s47 start", "strategy discussion"),
    "cp_plan_start_date": ("cp start", "cp plan start"),
    "allocated_worker_ref": ("key worker id", "worker id", "lead worker", "case worker id", "allocated to"),
    "case_status": ("category", "primary category", "case type", "plan type", "status of case"),
    "referral_date": ("date referred", "referral received", "contact date"),
    "closed_date": ("closure date", "case end", "end of episode", "date ended"),
    "last_visit_date": ("last seen", "last visited", "most recent visit", "latest visit", "last visit"),
    "worker_changes_12m": ("changes of social worker", "number of workers"),
}

_FLAG_WORDS = {
    "1": ("agency", "locum", "interim", "contractor", "self employed", "consultant", "temp agency"),
    "0": (
        "permanent",
        "perm",
        "fixed term",
        "ftc",
        "temporary",
        "casual",
        "secondment",
        "employee",
        "staff",
        "council",
        "substantive",
        "directly employed",
    ),
}
_ROLE_WORDS = {
    "1": ("director", "assistant director", "head of service"),
    "2": ("service manager", "group manager", "principal social worker"),
    "3": ("team manager", "practice manager", "assistant team manager", "deputy team manager", "team leader"),
    "4": ("senior social worker", "advanced practitioner", "senior practitioner", "consultant social worker"),
    "5": ("social worker", "newly qualified social worker", "asye", "case holder"),
    "6": ("independent reviewing officer", "iro", "child protection chair", "qualified without cases"),
}
_REASON_WORDS = {
    "1": ("resignation", "resigned", "voluntary resignation"),
    "2": ("voluntary redundancy",),
    "3": ("compulsory redundancy", "redundancy", "redundant"),
    "4": ("dismissal", "dismissed", "capability"),
    "5": ("retirement", "retired", "ill health retirement", "early retirement"),
    "6": ("death in service", "died", "deceased"),
    "7": ("internal transfer", "transfer within council"),
    "8": ("other", "end of contract", "end of fixed term contract", "career break"),
    "9": ("not known", "unknown"),
}
_STATUS_WORDS = {
    "a": ("lac", "cla", "looked after", "child looked after", "children in care", "in care"),
    "b": ("cp", "cpp", "child protection", "cp plan"),
    "c": ("cin", "child in need", "cin plan"),
    "d": ("c f assessment", "assessment", "single assessment", "s47", "referral"),
    "e": ("closed", "case closed", "nfa"),
}
CODE_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "agency_worker": _FLAG_WORDS,
    "org_role": _ROLE_WORDS,
    "reason_leave": _REASON_WORDS,
    "case_status": _STATUS_WORDS,
}
#: Short forms in headers and job titles.
ABBREVIATIONS = {
    "dt": "date",
    "no": "number",
    "num": "number",
    "hrs": "hours",
    "wkly": "weekly",
    "hr": "hours",
    "emp": "employee",
    "asst": "assistant",
    "snr": "senior",
    "sr": "senior",
    "mgr": "manager",
    "dep": "deputy",
    "sw": "social worker",
    "pct": "percent",
}
#: Beside the name of a post these words mean somebody else: a social work assistant is no social worker.
OTHER_POSTS = frozenset({"assistant", "student", "trainee", "apprentice", "support", "unqualified", "admin"})
_AGENCY = re.compile(
    r"(?<![a-z])(?:agency|agencies|locums?|temps?|suppliers?|vendors?|(?:hourly|day|daily|weekly|charge) rate)"
    r"(?![a-z])",
    re.IGNORECASE,
)


def says_agency(text: str) -> bool:
    """Whether a header, or the name of a sheet or file, speaks of agency staff alone; “Perm/Temp” speaks of both."""
    return bool(_AGENCY.search(text)) and "perm" not in text.casefold()
