"""Questions to ask this week: one for each measure that is worse than usual, with who usually knows the answer.

This is a table to read and discuss, not code. A question asks for something that figures cannot say. Somebody who
works there can answer it within a week, and it does not look for a culprit. The first question is for a measure that
signals. The second, if there is one, is for a measure at the head of a message.
"""

from __future__ import annotations

from dataclasses import dataclass

_MANAGERS = "team managers"
_HR = "the HR business partner"
_PSW = "the principal social worker"
_IRO = "the manager of child protection chairs"
_DOOR = "the front door manager"
_DATA = "your data officer"


@dataclass(frozen=True, slots=True)
class DirectorsQuestion:
    """One question, and who usually knows the answer."""

    text: str
    who: str


def _asked(who: str, *texts: str) -> tuple[DirectorsQuestion, ...]:
    return tuple(DirectorsQuestion(text, who) for text in texts)


#: Questions by measure, for the direction of concern (`Measure.direction`). A measure without one has no question.
QUESTIONS: dict[str, tuple[DirectorsQuestion, ...]] = {
    "vacancy_rate_fte": _asked(_HR, "Which posts have been empty longest, and what did those say who declined?"),
    "agency_rate_fte": _asked(_HR, "Which agency placements end in the next three months, and who follows?"),
    "agency_rate_headcount": _asked(_HR, "Which agency placements end in the next three months, and who follows?"),
    "turnover_rate_fte": _asked(_PSW, "What did the last five leavers say, and which teams did they leave?"),
    "turnover_rate_headcount": _asked(_PSW, "What did the last five leavers say, and which teams did they leave?"),
    "turnover_rate_3m_annualised": _asked(_PSW, "What did the last five leavers say, and which teams did they leave?"),
    "caseload_fte": _asked(_MANAGERS, "Which workers hold most, and which of their cases could close or move?"),
    "absence_rate_fte": _asked(_MANAGERS, "Who covers the cases of those who are away, and until when?"),
    "absent_share_headcount": _asked(_MANAGERS, "Who covers the cases of those who are away, and until when?"),
    "starters_rate_fte": _asked(_HR, "How many offers were made this quarter, and how many were turned down?"),
    "net_change_rate_fte": _asked(_HR, "Which teams are smaller than a year ago, and was that planned?"),
    "new_in_post_share_headcount": _asked(_PSW, "Do all who are in their first year have a protected caseload?"),
    "manager_turnover_rate_headcount": _asked(
        "the assistant director", "Which teams have a new manager, and who gives supervision there this month?"
    ),
    "senior_manager_turnover_rate_headcount": _asked(
        "the chief executive or HR director", "Which senior posts are empty or new, and who decides meanwhile?"
    ),
    "manager_agency_rate_headcount": _asked(
        "the assistant director", "When does each interim manager's contract end, and who follows?"
    ),
    "practitioners_per_manager": _asked(_PSW, "Which managers supervise most, and is any supervision overdue?"),
    "unallocated_rate": _asked(
        _MANAGERS,
        "Which cases have no named worker today, and who is seeing those children?",
        "How long has the longest of them waited?",
    ),
    "assessments_in_time_rate": _asked(
        _MANAGERS, "Where do late assessments wait: allocation, the visit, or sign-off?"
    ),
    "assessments_overdue_rate": _asked(
        _MANAGERS, "Where do late assessments wait: allocation, the visit, or sign-off?"
    ),
    "icpc_in_time_rate": _asked(_IRO, "What held up the last ten late conferences: chairs, reports or partners?"),
    "cp_reviews_in_time_rate": _asked(_IRO, "Which reviews are late now, and when will each be held?"),
    "visits_overdue_rate": _asked(
        _MANAGERS,
        "Which children with a plan have not been seen, and when will each be seen?",
        "Were they not visited, or was the visit not written up?",
    ),
    "closure_ratio_3m": _asked(_MANAGERS, "Which cases could close but wait, and for what?"),
    "worker_change_rate": _asked(_MANAGERS, "Which children changed worker this month, and who told them?"),
    "three_workers_rate": _asked(_MANAGERS, "Which teams hand cases on most, and at which step?"),
    "referral_rate_per_10k": _asked(_DOOR, "Which partners refer more than a year ago, and about what?"),
    "re_referral_rate": _asked(_DOOR, "What had closed the last ten re-referrals before, and what brought them back?"),
    "open_cases_per_10k": _asked(_MANAGERS, "Which kinds of case stay open longest, and what do they wait for?"),
    "section_47_rate_per_10k": _asked(_MANAGERS, "What did the last ten enquiries that led to nothing begin with?"),
    "repeat_cp_plan_rate": _asked(_IRO, "What came back in the last ten repeat plans, and what had been in place?"),
    "extracts_missing_rate": _asked(_DATA, "Who makes each extract, and who does it when they are away?"),
    "extracts_late_rate": _asked(_DATA, "Who makes each extract, and who does it when they are away?"),
    "extracts_failed_rate": _asked(_DATA, "What changed in the system or the layout before the files stopped fitting?"),
}
