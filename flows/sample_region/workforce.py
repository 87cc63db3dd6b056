"""Simulates posts and the people in them: a post is a slot that workers hold one after another.

Flat arrays hold all councils side by side, ordered by council, and move on one month at a time. Workers keep their
reference, post, contracted hours and start date until they leave. A post is filled again in the next month at the
earliest, so that no reference is used twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.sample_region.levels import Levels

Ints = NDArray[np.int32]
Reals = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEVER = 1 << 30
"""A day that never comes: later than every date of the simulation."""

_ROLES = np.array([1, 2, 3, 4, 5, 6], dtype=np.uint8)
_ROLE_SHARES = np.array([0.015, 0.045, 0.135, 0.185, 0.505, 0.115])
_AGENCY_ROLE_SHARES = np.array([0.008, 0.022, 0.07, 0.12, 0.76, 0.02])
_HOURS = np.array([100, 90, 80, 70, 60, 50, 40], dtype=np.int32)
_HOURS_SHARES = np.array([0.76, 0.04, 0.09, 0.01, 0.07, 0.02, 0.01])
#: The share of a case holder's load that a full-time worker in each role can carry (roles 0 to 6).
_LOAD_OF_ROLE = np.array([0.0, 0.0, 0.0, 0.0, 0.62, 1.0, 0.0])
#: Not every senior practitioner holds cases.
_SENIOR_HOLDING = 0.72

_FTE_PER_HEAD = float((_HOURS * _HOURS_SHARES).sum() / 100)
_AGENCY_POSTS_PER_POST = 0.85
_AGENCY_LEAVING, _INTERIM_LEAVING = 0.11, 0.06
_COVERS_VACANCY = 0.87
#: The share of the gap between filled posts and posts meant to be filled that closes in a month.
_GAP_CLOSED = 0.22
#: How often workers leave in their first two years and later, relative to the mean, and those two years in days.
_EARLY_LEAVING, _LATE_LEAVING, _EARLY_DAYS = 1.5, 0.85, 730

#: Long sickness: the chances of beginning and ending in a month. Short sickness: the chance in a month, and the days.
_LONG_BEGINS, _LONG_ENDS, _SHORT, _SHORT_DAYS = 0.0092, 0.30, 0.085, 2.2

REASONS = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9], dtype=np.uint8)
_REASON_SHARES = np.array([0.68, 0.01, 0.01, 0.02, 0.10, 0.01, 0.10, 0.06, 0.01])
DESTINATIONS = np.array([1, 2, 3, 4, 5, 6, 7, 8], dtype=np.uint8)
_DESTINATION_SHARES = np.array([0.36, 0.02, 0.14, 0.07, 0.05, 0.14, 0.08, 0.14])


@dataclass(slots=True)
class Leavers:
    """The workers who left in the month, as they were when they left."""

    slot: Ints
    worker: NDArray[np.uint32]
    started: Ints
    ended: Ints
    days_lost: Ints
    reason: NDArray[np.uint8]
    destination: NDArray[np.uint8]


class Workforce:
    """All posts of all councils, agency posts included, and who holds them now."""

    def __init__(self, inpost_fte: Reals, levels: Levels, first_day: int, rng: np.random.Generator) -> None:
        councils = len(inpost_fte)
        share = levels.vacancy_share[:, 0]
        direct = np.maximum(np.round(inpost_fte / _FTE_PER_HEAD / (1.0 - share)), 4).astype(np.int64)
        agency = np.ceil(direct * _AGENCY_POSTS_PER_POST).astype(np.int64)
        # Each council's own posts come first, then the posts that agency workers may hold.
        counts = np.column_stack([direct, agency]).ravel()
        kinds = np.tile(np.array([False, True]), councils)
        self.agency: Bools = np.repeat(kinds, counts)
        self.council: Ints = np.repeat(np.repeat(np.arange(councils, dtype=np.int32), 2), counts)
        self.councils = councils
        slots = len(self.council)
        self.bounds = np.searchsorted(self.council, np.arange(councils + 1))
        self.posts = direct

        roles = rng.choice(_ROLES, slots, p=_ROLE_SHARES)
        self.role: NDArray[np.uint8] = np.where(
            self.agency, rng.choice(_ROLES, slots, p=_AGENCY_ROLE_SHARES), roles
        ).astype(np.uint8)
        hours = rng.choice(_HOURS, slots, p=_HOURS_SHARES)
        self.fte: Ints = np.where(self.agency & (rng.random(slots) < 0.85), 100, hours).astype(np.int32)
        load = _LOAD_OF_ROLE[self.role] * (self.fte / 100)
        load[(self.role == 4) & ~self.agency & (rng.random(slots) > _SENIOR_HOLDING)] = 0.0
        self.load: Reals = load
        self.manager: Bools = self.role <= 3
        self.covers: Bools = self.agency & (rng.random(slots) < _COVERS_VACANCY)
        self.rank: Reals = rng.random(slots)
        """The order in which agency posts are held; it is fixed, so that agency workers stay."""
        self.team: NDArray[np.uint8] = self._teams()

        self.worker: NDArray[np.uint32] = np.zeros(slots, dtype=np.uint32)
        self.started: Ints = np.full(slots, NEVER, dtype=np.int32)
        self.sick_long: Bools = np.zeros(slots, dtype=np.bool_)
        self.days_lost: Ints = np.zeros(slots, dtype=np.int32)
        self._next_worker = 1
        held = np.where(
            self.agency,
            self.rank < self._agency_share(levels, 0, direct * (1.0 - share) * _FTE_PER_HEAD)[self.council],
            rng.random(slots) > share[self.council],
        )
        tenure = np.where(self.agency, rng.exponential(250.0, slots), rng.exponential(2600.0, slots))
        self._start(np.flatnonzero(held), (first_day - 1 - tenure[held]).astype(np.int32))

    @property
    def held(self) -> Bools:
        return self.worker > 0

    def _teams(self) -> NDArray[np.uint8]:
        """About nine people per team; one team in four is a duty and assessment team."""
        place = np.arange(len(self.council)) - self.bounds[self.council]
        return np.asarray(1 + place % np.maximum(2, self.posts[self.council] // 9), dtype=np.uint8)

    def _agency_share(self, levels: Levels, month: int, inpost_fte: Reals) -> Reals:
        """The share of a council's agency posts that must be held to reach its agency rate."""
        rate = levels.agency_rate[:, month]
        wanted = rate / (1.0 - rate) * inpost_fte / 0.985
        return np.asarray(np.minimum(wanted / np.ceil(self.posts * _AGENCY_POSTS_PER_POST), 1.0), dtype=np.float64)

    def _start(self, slots: NDArray[np.int64], days: Ints) -> None:
        self.worker[slots] = np.arange(self._next_worker, self._next_worker + len(slots), dtype=np.uint32)
        self._next_worker += len(slots)
        self.started[slots] = days
        self.sick_long[slots] = False

    def _sum(self, values: Reals | Bools) -> Reals:
        return np.asarray(np.bincount(self.council, weights=values, minlength=self.councils), dtype=np.float64)

    def step(self, levels: Levels, month: int, first_day: int, working_days: Ints, rng: np.random.Generator) -> Leavers:
        """Move on by one month: sickness, leavers, then starters. Returns the leavers."""
        slots = len(self.council)
        held = self.held
        self._sickness(levels.absence[:, month], held, len(working_days), rng)

        hazard = levels.leaving[:, month][self.council]
        hazard = hazard * np.where(self.started > first_day - _EARLY_DAYS, _EARLY_LEAVING, _LATE_LEAVING)
        hazard = hazard * np.where(self.manager, levels.managers_leaving[:, month][self.council], 1.0)
        inpost = self._sum(np.where(held & ~self.agency, self.fte, 0) / 100.0)
        share = self._agency_share(levels, month, inpost)
        # An agency contract ends by itself, or sooner if the council no longer wants the post held.
        unwanted = self.rank > self._agency_edge(share, levels.interim_managers[:, month])
        contract = np.where(self.manager, _INTERIM_LEAVING, _AGENCY_LEAVING)
        hazard = np.where(self.agency, np.where(unwanted, 0.35, contract), hazard)
        leaving = held & (rng.random(slots) < hazard)
        gone = np.flatnonzero(leaving)
        leavers = Leavers(
            slot=gone.astype(np.int32),
            worker=self.worker[gone],
            started=self.started[gone],
            ended=working_days[rng.integers(0, len(working_days), len(gone))],
            days_lost=self.days_lost[gone],
            reason=rng.choice(REASONS, len(gone), p=_REASON_SHARES),
            destination=rng.choice(DESTINATIONS, len(gone), p=_DESTINATION_SHARES),
        )
        self.worker[gone] = 0
        self.started[gone] = NEVER
        self.days_lost[gone] = 0

        vacant = ~held
        target = self._sum(~self.agency) * (1.0 - levels.vacancy_share[:, month])
        staying = self._sum(held & ~self.agency & ~leaving)
        usual = levels.leaving[:, month] * self._sum(held & ~self.agency)
        wanted = np.maximum(0.0, usual + _GAP_CLOSED * (target - staying - usual))
        open_posts = np.maximum(self._sum(vacant & ~self.agency), 1.0)
        filling = np.minimum(wanted / open_posts, 0.9)[self.council]
        filling = np.where(self.agency, np.where(unwanted, 0.0, 0.75), filling)
        begun = np.flatnonzero(vacant & (rng.random(slots) < filling))
        begins = working_days[np.minimum(rng.integers(0, len(working_days), len(begun)), len(working_days) - 1)]
        self._start(begun, begins)
        self.days_lost[begun] = 0
        return leavers

    def _agency_edge(self, share: Reals, interim: Reals) -> Reals:
        """The rank up to which an agency post is wanted; managers' posts more often if there are many interims."""
        edge = share[self.council]
        return np.where(self.manager, np.minimum(edge * interim[self.council], 0.95), edge)

    def _sickness(self, factor: Reals, held: Bools, working_days: int, rng: np.random.Generator) -> None:
        """Days lost in the month, in tenths; workers on long sickness at month end count as absent on the day."""
        slots = len(self.council)
        own = factor[self.council]
        direct = held & ~self.agency
        chance = rng.random(slots)
        ends = self.sick_long & (chance < _LONG_ENDS)
        begins = direct & ~self.sick_long & (chance < _LONG_BEGINS * own)
        lost = np.where(self.sick_long, np.where(ends, 0.5, 1.0) * working_days, 0.0)
        lost[begins] = rng.integers(1, max(2, working_days), int(begins.sum()))
        brief = direct & ~self.sick_long & ~begins & (rng.random(slots) < _SHORT * np.sqrt(own))
        lost[brief] = 0.5 + np.floor(rng.exponential(_SHORT_DAYS * 2, int(brief.sum()))) / 2
        part = np.minimum(lost, working_days) * self.fte / 100
        self.days_lost = np.where(direct, np.round(part * 2) * 5, 0).astype(np.int32)
        self.sick_long = (self.sick_long & ~ends) | begins
