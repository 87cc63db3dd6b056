"""A full disk, little memory, two machines at once, clocks an hour off, another machine's death: then a calm run."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.campaign import Campaign, Row, table
from tests.soak.warm import Asked, Ended

pytestmark = [pytest.mark.integration, pytest.mark.soak, pytest.mark.timeout(3600)]

#: A month takes about 400 kB in the store; each of these is full at another point of it.
DISKS_KB = (8, 40, 80, 120, 160, 200, 240, 280, 320, 360)
MEMORY_MB = (20, 60, 120, 200, 300)
#: Minutes that the two machines' clocks are off.
CLOCKS = ((0, 0), (60, -60), (-60, 60), (0, 60))
#: After another machine's death a month may wait so long, with the rules as they are shipped.
AT_MOST_SECONDS = 180


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A file system of that size in the folder. Skips where it may not be mounted."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("a small file system may be mounted by root only")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


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
    row = Row("another machine died, rules as shipped")

    def died_and_next(asked: Asked) -> Ended:
        other = replace(asked, host="another-machine", stale_minutes=2)
        campaign.warm.run(replace(other, die="after:20"))
        return campaign.warm.run(replace(other, host="this-machine"))

    campaign.judged(row, campaign.asked(), died_and_next)
    assert 60 < row.waited <= AT_MOST_SECONDS
    _show(capsys, row)


def _show(capsys: pytest.CaptureFixture[str], row: Row) -> None:
    with capsys.disabled():
        print(table([row]))  # noqa: T201
    assert not row.bad
