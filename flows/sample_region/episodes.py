"""Simulates children's episodes from referral to closure, for all councils side by side, one month at a time.

Some things are drawn when the referral arrives (how long the assessment will take, whether a section 47 enquiry and a
conference follow), but an extract shows them only from the month in which they happen. Others depend on the month
(closing, visits, reviews, who holds the case) and are drawn in that month.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from flows.sample_region.levels import Levels
from flows.sample_region.workforce import NEVER, Bools, Ints, Reals, Workforce
from flows.sample_region.working_days import Calendar

#: The outcomes of an assessment, and how many referrals in a hundred have each.
CLOSES, IN_NEED, PLAN, LOOKED_AFTER = 0, 1, 2, 3
_CONFERENCE_OF_SECTION_47, _PLAN_OF_CONFERENCE = 0.32, 0.86
_LOOKED_AFTER, _IN_NEED = 0.047, 0.36
#: The chance that the work ends in a month: child in need plan, child protection plan, looked after.
_ENDS_IN_NEED, _ENDS_PLAN, _ENDS_LOOKED_AFTER = 0.135, 0.10, 0.032
#: After a child protection plan most families continue with a child in need plan.
_STEPS_DOWN = 0.6
#: The first child protection review is due within three months, then every six.
_FIRST_REVIEW_DAYS, _REVIEW_DAYS = 91, 182
_LATE_REVIEW_DAYS = 45.0
_CHANGES_HANDS_AFTER_ASSESSMENT = 0.35
#: Mean months from referral to the end of the assessment; it sets the size of the initial stock.
ASSESSMENT_MONTHS = 1.75


@dataclass(slots=True)
class Live:
    """Open episodes, one array per attribute, ordered by council and then by reference. Days are since 1970."""

    council: NDArray[np.uint8]
    ref: NDArray[np.uint32]
    referred: Ints
    re_referral: Bools
    assessment_starts: Ints
    assessment_ends: Ints
    outcome: NDArray[np.uint8]
    section_47: Ints
    conference: Ints
    plan: Ints
    previous_plans: NDArray[np.uint8]
    review_due: Ints
    review_held: Ints
    last_review: Ints
    looked_after: Ints
    closes: Ints
    """Day of closure if the assessment ends the case, else NEVER."""
    closed: Ints
    last_visit: Ints
    slot: Ints
    """Post of the allocated worker, -1 if there is none."""
    worker: NDArray[np.uint32]
    """The last allocated worker, 0 if there never was one."""
    changes: NDArray[np.uint16]
    """One bit per month, the latest lowest: did the allocated worker change?"""

    def take(self, index: NDArray[np.int64]) -> Live:
        return Live(*(getattr(self, f.name).take(index, mode="clip") for f in fields(Live)))

    def each(self, of_council: Reals) -> NDArray[np.float32]:
        """The council's value for each episode."""
        return np.repeat(of_council.astype(np.float32), np.bincount(self.council, minlength=len(of_council)))

    def __len__(self) -> int:
        return len(self.council)


def _joined(parts: list[Live], kept: Bools | None = None) -> Live:
    """All parts as one, in order of council and reference; only the rows marked in `kept`."""
    whole = Live(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Live)))
    rows = np.arange(len(whole)) if kept is None else np.flatnonzero(kept)
    return whole.take(rows[np.argsort(whole.council[rows], kind="stable")])


class Episodes:
    """The episodes of all councils that are open now or closed in the present month."""

    def __init__(
        self,
        staff: Workforce,
        levels: Levels,
        first_day: int,
        calendar: Calendar,
        rng: np.random.Generator,
    ) -> None:
        self.staff, self.levels, self.calendar, self.rng = staff, levels, calendar, rng
        self._next_ref = 1
        self.referrals = self._usual_referrals()
        self.live = self._initial(first_day)

    def _usual_referrals(self) -> Reals:
        """The monthly referrals that give a council's usual staff its usual caseload."""
        capacity = self.staff._sum(np.where(self.staff.held, (self.staff.load > 0) * self.staff.fte / 100.0, 0.0))
        plans = self.levels.section_47.mean(axis=1) * _CONFERENCE_OF_SECTION_47 * _PLAN_OF_CONFERENCE
        in_need = _IN_NEED + plans * _STEPS_DOWN
        months_open = (
            ASSESSMENT_MONTHS + in_need / _ENDS_IN_NEED + plans / _ENDS_PLAN + _LOOKED_AFTER / _ENDS_LOOKED_AFTER
        )
        return np.asarray(self.levels.caseload[:, 0] * capacity / months_open, dtype=np.float64)

    def _initial(self, first_day: int) -> Live:
        """A stock in balance: recent referrals still being assessed, and older work of each kind."""
        recent = [
            self._referred(0, self.calendar.days_between(first_day - 30 * k, first_day - 30 * (k - 1)), self.referrals)
            for k in range(4, 0, -1)
        ]
        parts = [part.take(np.flatnonzero(part.assessment_ends >= first_day)) for part in recent]
        older = self.referrals
        plans = self.levels.section_47[:, 0] * _CONFERENCE_OF_SECTION_47 * _PLAN_OF_CONFERENCE
        stocks = (
            (IN_NEED, (_IN_NEED + plans * _STEPS_DOWN) / _ENDS_IN_NEED, _ENDS_IN_NEED),
            (PLAN, plans / _ENDS_PLAN, _ENDS_PLAN),
            (LOOKED_AFTER, np.full(len(plans), _LOOKED_AFTER / _ENDS_LOOKED_AFTER), _ENDS_LOOKED_AFTER),
        )
        for outcome, months, ends in stocks:
            parts.append(self._older(older * months, outcome, ends, first_day))
        return _joined(parts)

    def _older(self, expected: Reals, outcome: int, ends: float, first_day: int) -> Live:
        rng = self.rng
        live = self._referred(0, self.calendar.days_between(first_day - 30, first_day), expected)
        age = 30 * ASSESSMENT_MONTHS + 45 + rng.exponential(30.4 / ends, len(live))
        back = (age - (first_day - live.referred)).astype(np.int32)
        live.outcome[:] = outcome
        live.closes[:] = NEVER
        for name in ("referred", "assessment_starts", "assessment_ends"):
            getattr(live, name)[:] -= back
        late = live.assessment_ends >= first_day
        live.assessment_ends[late] = first_day - 1 - rng.integers(0, 20, int(late.sum()))
        live.section_47[:] = np.where(live.section_47 == NEVER, NEVER, live.assessment_starts + 3)
        live.conference[:] = NEVER
        live.plan[:] = NEVER
        if outcome == PLAN:
            live.section_47[:] = live.assessment_starts + 3
            live.conference[:] = live.section_47 + 18
            self._plan(live, np.ones(len(live), dtype=np.bool_), 0)
            overdue = live.review_held < first_day
            last = first_day - rng.integers(0, _REVIEW_DAYS - 40, len(live)).astype(np.int32)
            live.last_review[:] = np.where(overdue, np.maximum(last, live.plan), live.last_review)
            live.review_due[:] = np.where(overdue, live.last_review + _REVIEW_DAYS, live.review_due)
            self._next_review(live, overdue, 0)
        live.looked_after[:] = live.assessment_ends if outcome == LOOKED_AFTER else NEVER
        live.last_visit[:] = np.maximum(first_day - rng.integers(0, 45, len(live)), live.referred)
        return live

    def _plan(self, live: Live, which: Bools, month: int) -> None:
        rng, n = self.rng, int(which.sum())
        live.plan[which] = live.conference[which]
        again = rng.random(n) < self.levels.repeat_plans[live.council[which], month]
        live.previous_plans[which] = np.where(again, 1 + (rng.random(n) < 0.2), 0)
        live.review_due[which] = live.plan[which] + _FIRST_REVIEW_DAYS
        self._next_review(live, which, month)

    def _next_review(self, live: Live, which: Bools, month: int) -> None:
        """Set when the next review will be held: a little before it is due, or some weeks after."""
        rng, n = self.rng, int(which.sum())
        overdue = self.levels.reviews_overdue[live.council[which], month]
        late = rng.random(n) < np.minimum(overdue / (1.0 - overdue) * 165.0 / _LATE_REVIEW_DAYS, 0.97)
        delay = np.where(late, 1 + rng.exponential(_LATE_REVIEW_DAYS, n), -rng.integers(0, 15, n))
        live.review_held[which] = live.review_due[which] + delay.astype(np.int32)

    def _referred(self, month: int, days: Ints, expected: Reals) -> Live:
        """New referrals on the given days, with everything that is decided when they arrive."""
        rng, levels, add = self.rng, self.levels, self.calendar.add
        numbers = rng.poisson(expected)
        council = np.repeat(np.arange(len(numbers)), numbers).astype(np.uint8)
        n = len(council)
        referred = days[rng.integers(0, len(days), n)]
        starts = add(referred, rng.integers(0, 3, n))
        in_time = rng.random(n) < levels.assessments_in_time[council, month]
        length = np.where(in_time, 8 + np.floor(38 * rng.beta(2.2, 1.1, n)), 46 + np.floor(rng.exponential(16.0, n)))
        ends = add(starts, length.astype(np.int64))
        section_47 = rng.random(n) < levels.section_47[council, month]
        conference = section_47 & (rng.random(n) < _CONFERENCE_OF_SECTION_47)
        plan = conference & (rng.random(n) < _PLAN_OF_CONFERENCE)
        s47_day = add(referred, rng.integers(0, 7, n))
        soon = rng.random(n) < levels.conferences_in_time[council, month]
        wait = np.where(soon, 15 - np.floor(rng.exponential(2.0, n)).clip(0, 9), 16 + np.floor(rng.exponential(7.0, n)))
        icpc_day = add(s47_day, wait.astype(np.int64))
        draw = rng.random(n)
        outcome = np.where(
            plan,
            PLAN,
            np.where(draw < _LOOKED_AFTER, LOOKED_AFTER, np.where(draw < _LOOKED_AFTER + _IN_NEED, IN_NEED, CLOSES)),
        ).astype(np.uint8)
        outcome[conference & (outcome == CLOSES)] = IN_NEED
        # No case closes in the month in which it arrived, so every referral is seen open once.
        next_month = self.calendar.first_of_next_month(days)
        closes = np.maximum(add(ends, rng.integers(0, 11, n)), next_month + rng.integers(0, 4, n))
        never = np.full(n, NEVER, dtype=np.int32)
        live = Live(
            council=council,
            ref=np.arange(self._next_ref, self._next_ref + n, dtype=np.uint32),
            referred=referred,
            re_referral=rng.random(n) < levels.re_referrals[council, month],
            assessment_starts=starts,
            assessment_ends=ends,
            outcome=outcome,
            section_47=np.where(section_47, s47_day, NEVER).astype(np.int32),
            conference=np.where(conference, icpc_day, NEVER).astype(np.int32),
            plan=never.copy(),
            previous_plans=np.zeros(n, dtype=np.uint8),
            review_due=never.copy(),
            review_held=never.copy(),
            last_review=never.copy(),
            looked_after=np.where(outcome == LOOKED_AFTER, ends - rng.integers(0, 15, n), NEVER).astype(np.int32),
            closes=np.where(outcome == CLOSES, closes, NEVER).astype(np.int32),
            closed=never.copy(),
            last_visit=never.copy(),
            slot=np.full(n, -1, dtype=np.int32),
            worker=np.zeros(n, dtype=np.uint32),
            changes=np.zeros(n, dtype=np.uint16),
        )
        self._next_ref += n
        self._plan(live, plan, month)
        return live

    def step(self, month: int, first_day: int, last_day: int, working_days: Ints, left: Ints) -> None:
        """Move on by one month; `left` are the posts whose worker left in it."""
        arrived = self._referred(month, working_days, self.referrals * self.levels.demand[:, month])
        kept = np.concatenate([self.live.closed == NEVER, np.ones(len(arrived), dtype=np.bool_)])
        live = _joined([self.live, arrived], kept)
        self._close(live, month, first_day, last_day, working_days)
        still_open = live.closed == NEVER
        self._review(live, still_open, month, last_day)
        self._visit(live, still_open, month, first_day, last_day)
        self._allocate(live, still_open, month, first_day, last_day, left)
        self.live = live

    def _close(self, live: Live, month: int, first_day: int, last_day: int, working_days: Ints) -> None:
        rng = self.rng
        settled = (live.assessment_ends < first_day) & (live.outcome != CLOSES)
        settled &= (live.conference < first_day) | (live.conference == NEVER)
        hazard = np.where(live.plan < first_day, np.float32(_ENDS_PLAN), np.float32(_ENDS_IN_NEED))
        hazard[live.looked_after < first_day] = _ENDS_LOOKED_AFTER
        hazard *= live.each(self.levels.closing[:, month])
        ends = np.flatnonzero(settled & (rng.random(len(live), dtype=np.float32) < hazard))
        on_plan = (live.plan[ends] < first_day) & ~(live.looked_after[ends] < first_day)
        steps_down = on_plan & (rng.random(len(ends)) < _STEPS_DOWN)
        for name in ("plan", "review_due", "review_held", "last_review"):
            getattr(live, name)[ends[steps_down]] = NEVER
        shut = ends[~steps_down]
        live.closed[shut] = working_days[rng.integers(0, len(working_days), len(shut))]
        known = live.closes <= last_day
        live.closed[known] = live.closes[known]

    def _review(self, live: Live, still_open: Bools, month: int, last_day: int) -> None:
        held = still_open & (live.plan <= last_day) & (live.review_held <= last_day)
        live.last_review[held] = live.review_held[held]
        live.review_due[held] = live.review_held[held] + _REVIEW_DAYS
        self._next_review(live, held, month)

    def _visit(self, live: Live, still_open: Bools, month: int, first_day: int, last_day: int) -> None:
        """Most children are seen in a month; the share overdue after six weeks follows from the others."""
        rng, n = self.rng, len(live)
        chance = live.each(1.0 - 1.4 * self.levels.visits_overdue[:, month])
        chance[live.slot < 0] *= np.float32(0.7)
        seen = np.flatnonzero(still_open & (rng.random(n, dtype=np.float32) < chance))
        from_day = np.maximum(first_day, live.referred[seen])
        day = from_day + (rng.random(len(seen)) * (last_day + 1 - from_day)).astype(np.int32)
        live.last_visit[seen] = np.minimum(day, last_day)

    def _allocate(self, live: Live, still_open: Bools, month: int, first_day: int, last_day: int, left: Ints) -> None:
        """Take cases from workers who left, hand some on, and give waiting cases to workers with room."""
        rng, staff, n = self.rng, self.staff, len(live)
        gone = np.zeros(len(staff.council) + 1, dtype=np.bool_)
        gone[left] = True
        passes_on = live.each(self.levels.reallocation[:, month])
        assessed = (live.assessment_ends >= first_day) & (live.assessment_ends <= last_day)
        passes_on[assessed] = _CHANGES_HANDS_AFTER_ASSESSMENT
        handed = still_open & ((rng.random(n, dtype=np.float32) < passes_on) | gone[live.slot])
        live.slot[handed] = -1
        waiting = np.flatnonzero(still_open & (live.slot < 0))
        where = live.council[waiting]
        councils = staff.councils
        still = np.bincount(live.council[still_open], minlength=councils)
        pool = np.maximum(np.bincount(where, minlength=councils), 1)
        served = np.clip(1.0 - self.levels.unallocated[:, month] * still / pool, 0.0, 1.0)
        chosen = waiting[rng.random(len(waiting)) < served[where]]
        live.slot[chosen] = self._worker_with_room(live, chosen, still)
        now = live.slot >= 0
        current = np.where(now & still_open, staff.worker[live.slot], live.worker)
        changed = (live.worker > 0) & (current != live.worker)
        live.worker = current
        live.changes <<= 1
        live.changes |= changed
        live.changes &= 0xFFF

    def _worker_with_room(self, live: Live, chosen: NDArray[np.int64], still: NDArray[np.int64]) -> Ints:
        """A worker's post for each case, drawn in proportion to the room of each worker in the council."""
        staff = self.staff
        able = np.where(staff.held & ~staff.sick_long, staff.load, 0.0)
        holds = np.bincount(live.slot[(live.slot >= 0) & (live.closed == NEVER)], minlength=len(staff.council))
        capacity = staff._sum(np.where(staff.held, staff.load, 0.0))
        fair = (still / np.maximum(capacity, 0.1))[staff.council] * able
        room = np.maximum(1.15 * fair - holds, 0.04 * fair)
        upto = np.concatenate([[0.0], np.cumsum(room)])
        low, high = upto[staff.bounds[:-1]], upto[staff.bounds[1:]]
        council = live.council[chosen]
        aim = low[council] + self.rng.random(len(chosen)) * (high - low)[council]
        slot = np.searchsorted(upto[1:], aim, side="right")
        slot = np.clip(slot, staff.bounds[council], staff.bounds[council.astype(np.int64) + 1] - 1)
        nobody = (high - low)[council] <= 0.0
        return np.where(nobody | (room[slot] <= 0.0), -1, slot).astype(np.int32)
