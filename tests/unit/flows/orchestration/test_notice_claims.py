"""Every notice to the data team says only what its facts say: demanded of made-up facts of every kind of notice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.objects import FlowRun
from prefect.states import Crashed, Failed

from features.errors import StoreError
from features.months import Month
from flows.mail.approval_form import Pending
from flows.mail.notices import Notice, notice_message
from flows.orchestration.failures import failure_notice
from flows.orchestration.health import DoctorFinding, Health, store_notice
from flows.orchestration.look import begun_late_notices, deployment_notices, died_notices, late_notices
from flows.orchestration.look_at_months import approval_notices
from flows.orchestration.restart import Died
from flows.orchestration.server_view import SeenDeployment, SeenRun
from flows.settings.settings import WatchdogSettings
from tests.unit.flows.alerts.letter.refused import refused_in
from tests.unit.flows.cli.test_commands_in_messages import taken
from tests.unit.flows.orchestration.test_restart import RUN

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
NAMES = ("monthly", "watchdog", "train", "refresh")
MOMENTS = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def is_plain(notice: Notice) -> None:
    """What holds for every notice: plain words, whole sentences, and commands that can be pasted."""
    message = notice_message(notice, NOON, "team@alliance.example")
    said = [notice.title, notice.what, *notice.to_do]
    assert refused_in(" ".join(said)) == []
    assert all(text.endswith(".") or "://" in text for text in (notice.what, *notice.to_do)), said
    for command in re.findall(r"`holdfast ([^`]*)`", " ".join(said)):
        assert taken(command) == "", command
        assert f"`holdfast {command}`" in message.text, "a command is never wrapped"
    assert "`" not in re.sub(r"<style>.*?</style>", "", message.html or "", flags=re.DOTALL)
    assert notice.title in message.subject


SEEN = st.builds(
    SeenDeployment,
    name=st.sampled_from(NAMES),
    id=st.just("d"),
    paused=st.booleans(),
    schedules=st.just(1),
    active_schedules=st.integers(0, 1),
    next_runs=st.lists(st.integers(-40, 80).map(lambda days: NOON + timedelta(days=days)), max_size=2).map(tuple),
)


@given(st.lists(SEEN, unique_by=lambda d: d.name), st.dictionaries(st.sampled_from(NAMES), st.booleans()))
def test_what_is_said_of_a_deployment_is_so(seen: list[SeenDeployment], expected: dict[str, bool]) -> None:
    notices = deployment_notices(seen, expected.items(), NOON)
    by_name = {d.name: d for d in seen}
    about = {re.sub(r"^(missing|paused|no-dates)-", "", n.cause): n for n in notices}
    assert len(about) == len(notices)
    for name, scheduled in expected.items():
        one, notice = by_name.get(name), about.pop(name, None)
        said = notice.what if notice else ""
        assert ("has no deployment" in said) == (one is None)
        runs_by_itself = one is not None and not one.paused and one.active_schedules > 0
        assert ("does not run by itself" in said) == (one is not None and scheduled and not runs_by_itself)
        assert ("it is paused" in said) == (one is not None and scheduled and one.paused)
        if (days := re.search(r"no run of it lies within the next (\d+) days", said)) and one is not None:
            assert not any(NOON < at <= NOON + timedelta(days=int(days[1])) for at in one.next_runs)
        if notice:
            assert name in notice.title and "off" in notice.title or "paused" not in notice.cause
            is_plain(notice)
    assert not about, "nothing is said of what nobody expects"


RUNS = st.builds(
    lambda number, name, state, expected, late: replace(
        RUN, id=f"run-{number}", name=name, state=state, expected=expected, began=expected + late
    ),
    st.integers(1, 99),
    st.sampled_from(["last complete month", "2026-09: corrected files"]),
    st.sampled_from(["RUNNING", "CANCELLING", "CRASHED", "FAILED"]),
    MOMENTS,
    st.timedeltas(timedelta(hours=1), timedelta(days=9)),
)


@given(st.lists(RUNS, max_size=4, unique_by=lambda run: run.id), st.integers(5, 600))
def test_runs_not_begun_or_begun_late_are_named_with_their_times(runs: list[SeenRun], minutes: int) -> None:
    late = late_notices(runs, WatchdogSettings(late_minutes=minutes))
    assert len(late) == bool(runs)
    for notice in late:
        assert f"more than {minutes} minutes ago" in notice.what
        assert set(re.findall(r"“([^”]+)”", notice.what)) == {run.name for run in runs}
        is_plain(notice)
    for run, notice in zip(runs, begun_late_notices(runs), strict=True):
        due, began = re.findall(r"\d+ \w+ \d{4} at \d\d:\d\d", notice.what)
        for words, moment in ((due, run.expected), (began, run.began)):
            told = datetime.strptime(words, "%d %B %Y at %H:%M").replace(tzinfo=UTC)
            # London's clock is that of UTC or an hour later.
            assert told - moment.replace(second=0, microsecond=0) in (timedelta(0), timedelta(hours=1))
        is_plain(notice)


#: What was being cancelled is not begun again.
DIED = st.builds(Died, run=RUNS, again=st.sampled_from(["", "run-100"]), times=st.integers(1, 9)).filter(
    lambda one: one.run.state != "CANCELLING" or not one.again
)


@given(st.lists(DIED, max_size=4))
def test_what_died_was_begun_again_only_if_it_was(died: list[Died]) -> None:
    for one, notice in zip(died, died_notices(died), strict=True):
        cancelled = one.run.state == "CANCELLING"
        assert one.run.name in notice.title
        assert ("was begun again by itself" in notice.what) == (bool(one.again) and not cancelled)
        assert ("was being cancelled" in notice.what) == cancelled
        assert ("begun again" in notice.title) == (bool(one.again) and not cancelled)
        times = re.search(r"It was begun (once|\d+ times) and", notice.what)
        assert (times is not None) == (not one.again and not cancelled)
        if times:
            assert times[1] == ("once" if one.times == 1 else f"{one.times} times")
        assert ("could not reach the Prefect server" in notice.what) == (one.run.state == "FAILED")
        is_plain(notice)


@given(st.lists(st.tuples(st.integers(1, 12), MOMENTS, st.sampled_from(["", "5 of 9 councils have a new alert."]))))
def test_a_reminder_of_an_approval_is_of_what_has_waited_that_long(given_: list[tuple[int, datetime, str]]) -> None:
    rules = WatchdogSettings(remind_after_days=2)
    waiting = [
        Pending(
            month=Month(2026, number),
            number=1,
            cutoff=date(2026, 11, 16),
            since=since,
            flow_run_id="",
            reason="",
            held_because=held,
            messages=(),
        )  # fmt: skip
        for number, since, held in given_
    ]
    notices = approval_notices(waiting, NOON, rules)
    long = [one for one in waiting if NOON - one.since >= timedelta(days=2)]
    assert len(notices) == len(long)
    for one, notice in zip(long, notices, strict=True):
        assert notice.title == f"{one.month.in_words} waits for approval"
        assert f"since {one.since.day} {one.since:%B %Y}" in notice.what
        assert (one.held_because.rstrip(".") in notice.what) and ("  " not in notice.what)
        assert f"--month {one.month} " in " ".join(notice.to_do)
        is_plain(notice)


@given(st.booleans(), st.sampled_from([None, "ours", "theirs"]), st.sampled_from(["2026-10: first look", "refresh"]))
def test_a_failure_is_called_what_it_was(crashed: bool, whose: str | None, name: str) -> None:
    error = {"ours": StoreError("The store is full."), "theirs": ValueError("Ann Example, born 2019"), None: None}[
        whose
    ]
    state = (Crashed if crashed else Failed)(data=error)
    run = FlowRun(id=UUID(int=7), flow_id=UUID(int=8), name=name)
    notice = failure_notice("monthly", run, state)
    assert ("crashed" in notice.title, "failed" in notice.title) == (crashed, not crashed)
    assert name in notice.title and "Ann Example" not in notice.what
    assert ("The store is full." in notice.what) == (whose == "ours")
    is_plain(notice)


FINDINGS = st.builds(
    DoctorFinding,
    name=st.integers(1, 99).map(lambda n: f"runs/2026-10/{n}.json"),
    what=st.just("“runs/2026-10/1.json” is missing. Put it back from a copy."),
    laid_aside=st.sampled_from(["", "aside/1.json"]),
    restored_from=st.sampled_from(["", "the copy beside it"]),
)


@given(st.lists(FINDINGS, min_size=1, max_size=30))
def test_what_the_doctor_found_is_counted_and_what_was_seen_to_is_not_called_damaged(
    found: Sequence[DoctorFinding],
) -> None:
    notice = store_notice(Health(400, tuple(found)))
    left = sum(not f.done for f in found)
    assert notice.what.startswith(f"{left} of 400 objects ")
    assert ("is damaged" in notice.title) == (left > 0)
    named = [step for step in notice.to_do if "runs/2026-10" in step]
    more = re.search(r"And (\d+) more", " ".join(notice.to_do))
    assert len(named) + (int(more[1]) if more else 0) == len(found)
    assert (notice.to_do[-1] == "`holdfast doctor` lists everything.") == (left > 0)
    is_plain(notice)
