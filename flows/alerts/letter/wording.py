"""The fixed texts of the messages, by kind and by stage of difficulty. British English; an offer, never blame.

The remedies follow the four stages of difficulty (Cresswell, *The MJ*, 2013), in our own words: what
helps at one stage costs capacity at another.
"""

from __future__ import annotations

from features.comparing.xmr import XmrRule
from flows.alerts.state import Band

#: XmR rules (`features.comparing.xmr.Signal`) as a director reads them, toward concern (True) or improvement.
RULE_WORDS: dict[str, dict[bool, str]] = {
    XmrRule.POINT: {True: "Outside its usual range", False: "Better than its usual range"},
    XmrRule.SHIFT: {
        True: "On the worse side of its usual level for seven months or more",
        False: "On the better side of its usual level for seven months or more",
    },
    XmrRule.TREND: {True: "Getting worse seven months in a row", False: "Improving seven months in a row"},
    XmrRule.NEAR_LIMIT: {
        True: "Close to the worse end of its usual range in two of three months",
        False: "Close to the better end of its usual range in two of three months",
    },
}
OTHER_RULE = {True: "Outside its usual pattern", False: "Better than its usual pattern"}

BAND_WORDS: dict[Band, str] = {
    Band.STEADY: "Steady",
    Band.WATCH: "Watch",
    Band.LOSING_GRIP: "Losing grip",
    Band.RECOVERING: "Recovering",
    Band.NOT_SCORED: "Not scored",
}

BAND_MEANING: dict[Band, str] = {
    Band.STEADY: "Nothing in the figures asks for attention beyond your own.",
    Band.WATCH: "Early signs. Worth a look while there is time and choice.",
    Band.LOSING_GRIP: "The figures now move like those of services that were losing sight and flow.",
    Band.RECOVERING: "A stability watch after a judgement of inadequate. It looks for what holds.",
    Band.NOT_SCORED: "Too little could be seen this month to say anything about the service.",
}

STAGE_TITLES = {
    0: "no stage of difficulty",
    1: "losing grip",
    2: "service breakdown",
    3: "systemic crisis",
    4: "complete lock",
}

HELPS: dict[int, tuple[str, ...]] = {
    0: (
        "Ask the people closest to the measures above what they see, before looking for a cause.",
        "Compare with similar councils measure by measure; one or two usually explain most of it.",
        "Keep the figures monthly and on one page, so that the next change is seen early.",
    ),
    1: (
        "Find where work waits (allocation, assessment sign-off, reviews) and clear that one point first.",
        "Set recruitment targets by team, and lay the pay and reward package beside those of similar councils.",
        "Work from the inside: at this stage a restructure or an outside partnership usually costs more capacity "
        "than it brings.",
    ),
    2: (
        "Put management capacity where teams are least stable, even if it is for a limited time.",
        "Hold teams together: fewer moves, protected supervision, one plan for each team that is short.",
        "Take load off for long enough to last; a relief that ends in a month is felt as a loss.",
    ),
    3: (
        "Meet partners (police, health, schools) about what they refer and why, with the figures on the table.",
        "Agree thresholds and a shared front door before changing anything inside again.",
        "Let senior leaders face outward: partners' confidence now drives demand.",
    ),
    4: (
        "Plan for 18 to 24 months of sustained change, and say so to staff and members.",
        "Rebuild the reason to work here: identity, reputation and a promise on caseloads that is kept.",
        "Secure cover through a trusted partner, since the agency market alone may not answer.",
    ),
}

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
    "Most gaps are technical: a changed HR system, an absence, a new file layout. One call usually finds it.",
    "A past month can be sent late. It is then counted as if it had come in time, and marked as late.",
    "If you can no longer see a measure yourselves, tell us which. Losing sight of figures is worth knowing early.",
)

WHAT_THIS_IS_NOT = (
    "This is not a prediction of a grade, not a rating and not a finding about anyone's practice. It says that "
    "figures move in a way that has come before difficulty elsewhere. People who know the service may know better."
)

PRIVACY = (
    "No worker and no child can be found in this message; small counts are withheld. "
    "It holds no figure of any other single council."
)
CHART_KEY = (
    "Each month's figure (grey line), your usual level (thin line) and usual range (dashed), "
    "and the middle of similar councils (dotted). Orange squares: a change for the worse; blue dots: for the better. "
    "A measure over 12 months is drawn month by month, each as a yearly rate."
)
