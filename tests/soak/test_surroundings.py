"""A full disk, little memory, two machines at once, clocks an hour off, another machine's death: then a calm run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.settings.settings import ClaimSettings
from flows.store.claims import Claim, claims_since, wall_clock
from tests.soak.campaign import Campaign, Row, table
from tests.soak.month_run import open_at
from tests.soak.warm import Asked, Ended

pytestmark = [pytest.mark.integration, pytest.mark.soak, pytest.mark.timeout(3600)]

#: A month takes about 400 kB in the store; each of these is full at another point of it.
DISKS_KB = (8, 40, 80, 120, 160, 200, 240, 280, 320, 360)
MEMORY_MB = (20, 60, 120, 200, 300)
#: Minutes that the two machines' clocks are off.
CLOCKS = ((0, 0), (60, -60), (-60, 60), (0, 60))
#: After another machine's death a month may wait so long, with the rules as they are shipped.
AT_MOST_SECONDS = 180


_HOLD = 'mount -t tmpfs -o "size=$1k" tmpfs "$2" || exit 1; echo mounted; read -r _; umount -l "$2"'


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A file system of that size in the folder. Skips where it may not be mounted.

    The shell that mounted it unmounts it when its input ends, so also when this process is killed.
    """
    folder.mkdir()
    holder = subprocess.Popen(
        ["sh", "-c", _HOLD, "sh", str(kilobytes), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert holder.stdout is not None
    if (said := holder.stdout.readline()) != b"mounted\n":
        holder.communicate()
        pytest.skip(f"a small file system cannot be mounted here: {said.decode().strip()}")
    try:
        yield
    finally:
        holder.communicate()
        assert not folder.is_mount()


def test_a_disk_that_is_full_at_any_point(
    campaign: Campaign, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("the disk is full")
    for kilobytes in DISKS_KB:
        folder = tmp_path / str(kilobytes)
        with disk(folder, kilobytes):

            def full(asked: Asked, folder: Path = folder) -> Ended:
                ended = campaign.warm.run(asked)
                subprocess.run(["mount", "-o", "remount,size=100m", str(folder)], check=True)
                return ended

            first = campaign.judged(row, campaign.asked(str(folder)), full)[0]
            if "done" in first.said:
                row.said.append(f"{kilobytes} kB were enough, so nothing was tried")
    _show(capsys, row)


def test_little_memory(campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    row = Row("little memory")
    for megabytes in MEMORY_MB:
        asked = replace(campaign.asked(), memory=megabytes * 1_000_000)
        campaign.judged(row, asked, campaign.warm.run)
    _show(capsys, row)


def test_two_machines_at_once_whose_clocks_differ(campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(3)
    row = Row("two machines at once, clocks an hour off")
    for ours, theirs in CLOCKS:

        def both(asked: Asked, ours: int = ours, theirs: int = theirs) -> Ended:
            hosts = [
                replace(asked, host=f"machine-{n}", minutes_off=off, stale_minutes=1)
                for n, off in enumerate((ours, theirs))
            ]
            first = campaign.warm.start(hosts[0])
            time.sleep(rng.uniform(0, 1))
            second = campaign.warm.start(hosts[1])
            ends = [campaign.warm.wait(first), campaign.warm.wait(second)]
            row.said += [f"one of two ended “{one.said}”" for one in ends if one.said != "done"]
            return ends[0]

        campaign.judged(row, campaign.asked(), both)
    _show(capsys, row)


def test_after_another_machines_death_a_month_waits_at_most_three_minutes(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    """And while that machine lives it is not taken over from, though it works longer than a dead one is waited for."""
    row = Row("another machine died, rules as shipped")
    rules = ClaimSettings()
    silence = 60 * rules.stale_minutes

    def died_and_next(asked: Asked) -> Ended:
        shipped = replace(asked, stale_minutes=rules.stale_minutes)
        other = campaign.warm.start(replace(shipped, host="another-machine", linger=10 * silence))
        _until(lambda: len(_claims(asked)) == 2)  # the month's and the taking in of extracts
        next_one = campaign.warm.start(replace(shipped, host="this-machine"))
        time.sleep(silence + 30)
        living = _claims(asked)
        os.kill(other, signal.SIGKILL)
        died = wall_clock()
        assert campaign.warm.wait(other).status == -signal.SIGKILL
        assert [(c.number, c.released) for c in living] == [(1, False)] * 2, "taken over from a living run"
        ended = campaign.warm.wait(next_one)
        taken = [c.since for c in _claims(asked) if c.number == 2]
        assert len(taken) == 2
        return replace(ended, waited=(max(taken) - died).total_seconds())

    campaign.judged(row, campaign.asked(), died_and_next)
    _show(capsys, row)
    assert silence - 2 * rules.heartbeat_seconds < row.waited <= AT_MOST_SECONDS


def _claims(asked: Asked) -> list[Claim]:
    return claims_since(open_at(asked.store, asked.s3), datetime.min.replace(tzinfo=UTC))


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.5)


def _show(capsys: pytest.CaptureFixture[str], row: Row) -> None:
    with capsys.disabled():
        print(table([row]))  # noqa: T201
    assert not row.bad
