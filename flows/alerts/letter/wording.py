"""The fixed texts of the messages, by kind and by stage of difficulty. They offer help and never blame.

The remedies follow the four stages of difficulty (Cresswell, *The MJ*, 2013), in our own words: what helps at one
stage costs capacity at another.
"""

from __future__ import annotations

from features.comparing.xmr import XmrRule
from features.registry import Group
from flows.alerts.state import Band

#: The chart rules (`features.comparing.xmr`) in words for a director, toward concern (True) or improvement (False).
RULE_WORDS: dict[str, dict[bool, str]] = {
    XmrRule.POINT: {True: "outside your usual range", False: "better than your usual range"},
    XmrRule.SHIFT: {
        True: "on the worse side of your usual level for seven months or more",
        False: "on the better side of your usual level for seven months or more",
    },
    XmrRule.TREND: {True: "worse in each of seven months in a row", False: "better in each of seven months in a row"},
    XmrRule.NEAR_LIMIT: {
        True: "near the worse end of your usual range in two of three months",
        False: "near the better end of your usual range in two of three months",
    },
}
OTHER_RULE = {True: "outside your usual pattern", False: "better than your usual pattern"}

BAND_WORDS: dict[Band, str] = {
    Band.STEADY: "Steady",
    Band.WATCH: "Watch",
    Band.LOSING_GRIP: "Losing grip",
    Band.RECOVERING: "Recovering",
    Band.NOT_SCORED: "Not scored",
    Band.FIRST_MONTHS: "First months",
}

STAGE_TITLES = {
    0: "no stage of difficulty",
    1: "losing grip",
    2: "service breakdown",
    3: "systemic crisis",
    4: "complete lock",
}

#: What tends to help, by the group of the measure that is worse than usual.
HELPS: dict[Group, str] = {
    Group.FLOW: "Find where work waits (allocation, visits, sign-off, reviews) and clear that one point first.",
    Group.WORKFORCE: "Take load off the fullest teams for long enough to last; relief that ends in a month is a loss.",
    Group.LEADERSHIP: "Put management where teams are least stable, even for a limited time; protect supervision.",
    Group.DEMAND: "Meet the partners who refer most, with the figures on the table, and agree thresholds.",
    Group.SIGHT: "Give each file one person who answers for it and one who stands in.",
}

#: What else helps at a stage, for alerts that name its signs. Help that fits another stage costs capacity.
STAGE_HELPS: dict[int, str] = {
    1: "Where work slows and teams thin out, help from inside comes first; a restructure costs more than it brings.",
    2: "Where teams and work are both unsettled, steady teams come before new plans.",
    3: "Where demand, work and teams all move, senior leaders face outward: partners' confidence drives what comes in.",
    4: "Where recruitment and cover both stop, plan for 18 to 24 months and say so to staff and members.",
}

HELPS_WITHOUT_SIGNS = (
    "Compare with similar councils measure by measure; one or two usually explain most of it.",
    "Ask the people closest to the work what they see, before looking for a cause.",
)

RECOVERY_HELPS: tuple[str, ...] = (
    "Expect turnover, agency use and referrals to rise for some months after the judgement; it happens to most.",
    "Keep managers and teams in place. Recovery usually takes 18 to 24 months, and steadiness carries it.",
    "Choose few measures and hold them; many plans at once slow the service again.",
)

RESOLVED_HELPS: tuple[str, ...] = (
    "Note what changed and who changed it, while it is fresh; others will ask.",
    "Keep the measures above on the monthly page for half a year. Some services move in and out of difficulty.",
)

NOT_SCORED_HELPS: tuple[str, ...] = (
    "Most gaps are technical: a changed HR system, somebody away, a new file layout. One call usually finds it.",
    "A past month can be sent late. It is then counted as if it had come in time, and marked as late.",
)

BRINGS_FORWARD: tuple[str, ...] = (
    "One row of your last workforce return (a “return” file), beside this month's files, gives the yearly figures and "
    "the score at once. Your data officer finds it in “The first month, in an hour”.",
    "Earlier months can be sent too. Each one brings the first score a month nearer.",
)
WHAT_THIS_IS_NOT = (
    "This is not a prediction of a grade, not a rating and not a finding about anyone's practice. It says that "
    "figures move in a way that has come before difficulty elsewhere. People who know the service may know better."
)

OBJECT = (
    "If a figure looks wrong, or you read it differently, reply and say so. Your answer is kept with this message and "
    "said back in the next one. You can also tell us that a cause is known and in hand, what you have begun, or a goal "
    "of your own. A corrected file leads to a corrected message."
)

NO_RECORD = (
    "How often such figures were followed by a judgement below good is not known yet. Take this as a reason to talk."
)

PRIVACY = (
    "No worker and no child can be found in this message; small counts are withheld. "
    "It holds no figure of any other single council."
)
