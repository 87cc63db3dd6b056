"""Sets the level of each rate for each council and month, before chance acts on single people and cases.

Medians, spread and persistence from year to year are England's (data-standards, section 10, and, for timeliness and
re-referrals, DfE's and LAIT's tables for 2022 and 2023). A council's level is the median plus a lasting part and a part
that varies from month to month; the storyline is added on top.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.months import Month
from flows.sample_region.councils import Region

MonthByMonth = NDArray[np.float64]
"""One number per council (row) and month (column), burn-in included."""

#: Referrals by calendar month, January first, around 1: fewer in August and December.
_SEASON = np.array([1.02, 1.0, 1.06, 0.97, 1.03, 1.03, 1.04, 0.86, 1.01, 1.04, 1.03, 0.91])

#: In an unlucky quarter, this many times as many practitioners leave as usual.
_BAD_LUCK = 5.0


@dataclass(frozen=True, slots=True)
class Levels:
    """The simulation's settings by month, each of shape (councils, months)."""

    vacancy_share: MonthByMonth
    """The vacant share of all posts' FTE."""
    agency_rate: MonthByMonth
    """agency / (agency + in post), FTE."""
    leaving: MonthByMonth
    """Chance that a directly paid worker leaves in the month."""
    managers_leaving: MonthByMonth
    """Factor on this chance for managers."""
    interim_managers: MonthByMonth
    """Factor on the share of managers among agency workers."""
    absence: MonthByMonth
    """Factor on sickness."""
    caseload: MonthByMonth
    """Cases per case holder that the referrals would give a council with its usual staff."""
    demand: MonthByMonth
    """Factor on referrals: season, chance, crisis."""
    closing: MonthByMonth
    """Factor on the chance that work with a family ends."""
    unallocated: MonthByMonth
    """The share of open cases without a worker."""
    reallocation: MonthByMonth
    """Chance that a case changes hands in a month although its worker stays."""
    assessments_in_time: MonthByMonth
    conferences_in_time: MonthByMonth
    reviews_overdue: MonthByMonth
    visits_overdue: MonthByMonth
    re_referrals: MonthByMonth
    """Of referrals."""
    section_47: MonthByMonth
    """Of referrals."""
    repeat_plans: MonthByMonth
    """Of child protection plans."""


def levels(region: Region, burn_in: int) -> Levels:
    """The levels of all councils from `burn_in` months before the region's first month to its last."""
    rng = np.random.default_rng([region.seed, 2])
    first, months = region.first.plus(-burn_in), region.months + burn_in
    spread = np.array([c.spread for c in region.councils])[:, None]

    def latent(lasting: float, wandering: float, memory: float) -> MonthByMonth:
        return _latent(rng, spread, months, lasting, wandering, memory)

    felt = np.stack([c.story.intensities(first, months) for c in region.councils])
    one, two, three, four = (felt[:, :, k] for k in range(4))
    unlucky = np.stack([c.story.bad_luck(first, months) for c in region.councils])
    season = _SEASON[[Month.of(first.plus(i).first_day).number - 1 for i in range(months)]][None, :]

    short = latent(0.078, 0.103, 0.965)
    vacancy = np.clip(0.362 + short, 0.05, 0.72) ** 2
    # Agency workers cover vacant posts, but not to the same extent everywhere.
    agency = np.clip(0.350 + 0.5 * short + latent(0.080, 0.083, 0.972), 0.03, 0.72) ** 2
    return Levels(
        vacancy_share=np.clip(vacancy + 0.02 * one + 0.08 * two + 0.02 * three + 0.08 * four, 0.0, 0.6),
        agency_rate=np.clip((agency + 0.01 * one + 0.06 * two + 0.03 * three) * (1.0 - 0.5 * four), 0.0, 0.5),
        leaving=0.0095
        * np.exp(latent(0.04, 0.35, 0.85))
        * (1.0 + 0.35 * one + 0.30 * two + 0.05 * three + 0.15 * four)
        * np.where(unlucky, _BAD_LUCK, 1.0),
        managers_leaving=np.where(unlucky, 1.0 / _BAD_LUCK, 1.0) * (1.0 + 0.4 * one + 0.5 * two),
        interim_managers=1.0 + 1.0 * one + 2.0 * two,
        absence=0.94 * np.exp(latent(0.19, 0.36, 0.92)) * (1.0 + 0.10 * one + 0.25 * two + 0.1 * four),
        caseload=np.clip(15.2 * np.exp(latent(0.065, 0.0, 0.0)), 10.0, 23.0),
        demand=season * np.exp(latent(0.0, 0.16, 0.92)) * (1.0 + 0.05 * one + 0.07 * two + 0.18 * three),
        closing=np.exp(latent(0.0, 0.07, 0.9)) * (1.0 - 0.16 * one - 0.14 * two - 0.02 * four),
        unallocated=_chance(0.018, latent(0.35, 0.35, 0.8)) + 0.03 * one + 0.03 * two + 0.03 * three + 0.04 * four,
        reallocation=0.022 * np.exp(latent(0.2, 0.15, 0.8)) * (1.0 + 0.6 * one + 1.0 * two),
        assessments_in_time=_chance(
            0.865, latent(0.55, 0.30, 0.93) - 0.75 * one - 0.55 * two - 0.3 * three - 0.2 * four
        ),
        conferences_in_time=_chance(0.82, latent(0.45, 0.30, 0.93) - 0.6 * one - 0.5 * two - 0.2 * three),
        reviews_overdue=_chance(0.075, latent(0.55, 0.35, 0.93) + 0.7 * one + 0.5 * two + 0.2 * four),
        visits_overdue=_chance(0.085, latent(0.40, 0.25, 0.90) + 0.8 * one + 0.5 * two + 0.3 * four),
        re_referrals=_chance(0.202, latent(0.22, 0.12, 0.95) + 0.08 * one + 0.12 * two + 0.45 * three),
        section_47=np.clip(0.34 * np.exp(latent(0.18, 0.10, 0.95)) * (1.0 + 0.2 * three), 0.05, 0.8),
        repeat_plans=_chance(0.23, latent(0.15, 0.10, 0.95) + 0.1 * two + 0.2 * three),
    )


def _latent(
    rng: np.random.Generator, spread: MonthByMonth, months: int, lasting: float, wandering: float, memory: float
) -> MonthByMonth:
    """Council effects: a lasting part, and an autoregressive one of stationary deviation `wandering`.

    It always draws the same number of values, so that changing the spread of one level moves no other.
    """
    councils = spread.shape[0]
    out = np.empty((councils, months))
    fixed = lasting * rng.standard_normal((councils, 1))
    shocks = rng.standard_normal((councils, months))
    state = shocks[:, 0]
    for month in range(months):
        if month:
            state = memory * state + np.sqrt(1.0 - memory**2) * shocks[:, month]
        out[:, month] = state
    return np.asarray(spread * (fixed + wandering * out), dtype=np.float64)


def _chance(typical: float, shift: MonthByMonth) -> MonthByMonth:
    """A probability moved on the logit scale."""
    return np.asarray(1.0 / (1.0 + np.exp(-(np.log(typical / (1.0 - typical)) + shift))), dtype=np.float64)
