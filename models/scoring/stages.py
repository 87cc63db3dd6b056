"""The stage of difficulty that the signals resemble, by written rules. A reading aid, not a finding.

The four stages are those of Cresswell (*The MJ*, 2013). A *sign* is a measure that is of concern now:
its process-behaviour chart signals toward concern, it lies two standard deviations from the council's own
past on the side of concern, or it lies in the worst tenth of councils in England. It is *lasting* if it lies
in the worst tenth and has not improved in 12 months. The rules, the furthest stage that applies first:

4 complete lock: the signs of stage 3, and recruitment fails (vacancies in the worst tenth or few starters)
  while agency cover fails too (vacancies uncovered), after a judgement of inadequate.
3 systemic crisis: two signs in demand (referrals, re-referrals, enquiries, repeat plans), one in flow and one
  in the workforce.
2 service breakdown: two signs in the workforce or leadership, one in flow, and one of all these lasting.
1 losing grip: one sign in flow with another in flow, sight, the workforce or leadership.
0 none of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from features.comparing.xmr import Toward
from features.frameworks import INADEQUATE
from features.registry import BY_NAME, Direction, Group
from models.score import Stage
from models.scoring.wording import measure_sentence

TITLES = {
    0: "No stage of difficulty",
    1: "Losing grip",
    2: "Service breakdown",
    3: "Systemic crisis",
    4: "Complete lock",
}
#: A value in the worst tenth of councils in England; a distance from the council's own past that is unusual.
WORST_TENTH = 0.9
UNUSUAL_Z = 2.0
_RECRUITMENT = ("vacancy_rate_fte", "starters_rate_fte")
_COVER = "vacancy_agency_cover_rate_fte"
#: The same measures counted in people; they do not count as a second sign.
_TWINS = frozenset({"agency_rate_headcount", "turnover_rate_headcount"})
#: Cover fails if agency staff fill less than this share of vacancies.
_COVER_FAILS_BELOW = 0.5


def stage_of(rows: Iterable[Mapping[str, Any]], previous_judgement: float | None) -> Stage:
    """The furthest stage whose rule holds for one council's FEATURES rows, with the signs it rests on."""
    measured = [r for r in rows if r["value"] is not None and r["measure"] not in _TWINS]
    signs = [r for r in measured if is_sign(r)]

    def of(*groups: Group) -> list[Mapping[str, Any]]:
        return [r for r in signs if BY_NAME[r["measure"]].group in groups]

    flow, demand, sight = of(Group.FLOW), of(Group.DEMAND), of(Group.SIGHT)
    staff = of(Group.WORKFORCE, Group.LEADERSHIP)
    crisis = len(demand) >= 2 and bool(flow) and bool(staff)
    if crisis and previous_judgement == INADEQUATE and _locked(measured, signs):
        return _stage(4, [*demand, *flow, *staff])
    if crisis:
        return _stage(3, [*demand, *flow, *staff])
    if len(staff) >= 2 and flow and any(is_lasting(r) for r in [*staff, *flow]):
        return _stage(2, [*staff, *flow])
    if flow and len(flow) + len(sight) + len(staff) >= 2:
        return _stage(1, [*flow, *sight, *staff])
    return _stage(0, [])


def is_sign(row: Mapping[str, Any]) -> bool:
    """Whether a measure is of concern now, by its chart, the council's own past or England; never on a small base."""
    if row.get("small_base"):
        return False
    z = _toward_concern(row, "own_z")
    return row.get("xmr_toward") == str(Toward.CONCERN) or (z is not None and z >= UNUSUAL_Z) or _in_worst_tenth(row)


def is_lasting(row: Mapping[str, Any]) -> bool:
    """In the worst tenth and no better than 12 months ago."""
    change = _toward_concern(row, "change_12m")
    return _in_worst_tenth(row) and change is not None and change >= 0


def _in_worst_tenth(row: Mapping[str, Any]) -> bool:
    percentile = row.get("national_percentile")
    direction = BY_NAME[row["measure"]].direction
    if percentile is None or direction is Direction.NONE:
        return False
    return bool((percentile if direction is Direction.HIGH else 1 - percentile) >= WORST_TENTH)


def _toward_concern(row: Mapping[str, Any], column: str) -> float | None:
    value = row.get(column)
    direction = BY_NAME[row["measure"]].direction
    if value is None or direction is Direction.NONE:
        return None
    return float(value) if direction is Direction.HIGH else -float(value)


def _locked(measured: list[Mapping[str, Any]], signs: list[Mapping[str, Any]]) -> bool:
    recruitment = any(r["measure"] in _RECRUITMENT for r in signs)
    cover = next((r["value"] for r in measured if r["measure"] == _COVER), None)
    return recruitment and cover is not None and cover < _COVER_FAILS_BELOW


def _stage(number: int, signs: list[Mapping[str, Any]]) -> Stage:
    return Stage(number, TITLES[number], tuple(measure_sentence(r) for r in signs))
