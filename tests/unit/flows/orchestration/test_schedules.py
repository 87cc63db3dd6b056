"""The listed days are working days of England, and what Prefect makes of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time

import pytest
from prefect.server.schemas.schedules import RRuleSchedule

from features.errors import SettingsError
from features.months import LONDON
from flows.deployments import DEPLOYMENTS, built
from flows.orchestration.schedules import YEARS_LISTED, on_working_day, working_days
from flows.settings.settings import ScheduleSettings

SEVEN = time(7, 0)


def starts(nth: int, listed_from: int, after: datetime, count: int) -> list[datetime]:
    """What Prefect's own scheduler makes of the schedule."""
    found: list[datetime] = []
    for schedule in on_working_day(nth, SEVEN, listed_from):
        known = RRuleSchedule(rrule=schedule.rrule, timezone=schedule.timezone)
        found += asyncio.run(known.get_dates(count, start=after))
    return [d.astimezone(LONDON) for d in sorted(found)[:count]]


@pytest.mark.parametrize(
    ("month", "nth", "day"),
    [
        (date(2027, 3, 1), 20, date(2027, 3, 30)),  # 26 March 2027 is Good Friday, 29 March Easter Monday
        (date(2026, 4, 1), 3, date(2026, 4, 7)),  # 3 April 2026 is Good Friday, 6 April Easter Monday
        (date(2026, 5, 1), 11, date(2026, 5, 18)),  # 4 May 2026 is a bank holiday
        (date(2027, 1, 1), 1, date(2027, 1, 4)),  # New Year's Day is a Friday
        (date(2026, 12, 1), 20, date(2026, 12, 30)),  # Boxing Day is a Saturday: Monday the 28th is kept instead
    ],
)
def test_bank_holidays_are_not_counted(month: date, nth: int, day: date) -> None:
    first = starts(nth, 2026, datetime(month.year, month.month, 1, tzinfo=UTC), 1)[0]
    assert (first.date(), first.time()) == (day, SEVEN)


def test_the_listed_days_are_all_there_and_no_other() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for nth in (1, 11, 20):
        found = [d.date() for d in starts(nth, 2026, begin, 12 * YEARS_LISTED)]
        assert found == working_days(2026, nth)


def test_each_is_a_plain_monthly_rule_that_the_ui_can_put_into_words() -> None:
    for schedule in on_working_day(11, SEVEN, 2026):
        assert schedule.rrule is not None
        assert schedule.rrule.count("FREQ=MONTHLY") == 1
        assert "RDATE" not in schedule.rrule


def test_seven_in_the_morning_is_seven_in_summer_too() -> None:
    found = starts(11, 2026, datetime(2026, 11, 22, tzinfo=UTC), 12)
    assert {(d.hour, d.minute) for d in found} == {(7, 0)}
    assert {str(d.utcoffset()) for d in found} == {"0:00:00", "1:00:00"}


def test_a_list_nobody_renews_goes_on_by_weekdays_and_misses_no_month() -> None:
    end = datetime(2026 + YEARS_LISTED - 1, 12, 1, tzinfo=UTC)
    found = starts(11, 2026, end, 30)
    assert [(d.year * 12 + d.month) - (found[0].year * 12 + found[0].month) for d in found] == list(range(30))
    assert all(d.weekday() < 5 for d in found)


def test_every_deployment_is_in_london_time_and_one_at_a_time_and_a_second_run_waits() -> None:
    assert [d.name for d in DEPLOYMENTS] == [
        "monthly",
        "backfill",
        "train",
        "reference-refresh",
        "watchdog",
        "doctor",
        "answer",
    ]
    for deployment in built(ScheduleSettings(), date(2026, 11, 22)):
        assert deployment.concurrency_limit == 1
        assert deployment.concurrency_options is not None
        assert deployment.concurrency_options.collision_strategy == "ENQUEUE"
        for one in deployment.schedules or []:
            assert getattr(one.schedule, "timezone", None) == "Europe/London"


def test_a_cron_line_that_is_none_is_a_sentence_and_an_empty_one_means_by_hand() -> None:
    today = date(2026, 11, 22)
    with pytest.raises(SettingsError, match="not a cron line"):
        built(ScheduleSettings(watchdog="every morning"), today)
    by_hand = {d.name for d in built(ScheduleSettings(watchdog=""), today) if not d.schedules}
    assert by_hand == {"answer", "backfill", "train", "watchdog"}
