"""At least 300 runs killed, at every boundary and at any time, on this machine and on another; then one that is not.

`SOAK_KILLS=60` makes it shorter. `make soak` prints the table.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import pytest

from tests.soak.campaign import Campaign, Row, table
from tests.soak.warm import Asked, Ended

pytestmark = [pytest.mark.integration, pytest.mark.soak, pytest.mark.timeout(7200)]

KILLS = int(os.environ.get("SOAK_KILLS", "300"))
OTHER = "another-machine"


def test_whenever_a_run_is_killed_the_next_one_ends_as_if_nothing_had_happened(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(1)
    #: Every write of an undisturbed month in turn, in a mixed order.
    turns = cycle(rng.sample(range(1, campaign.writes + 1), campaign.writes))
    rows: dict[str, Row] = {}
    killed = number = 0
    while killed < KILLS:
        number += 1
        asked = campaign.asked()
        where = "another machine" if number % 4 == 0 else "this machine"
        asked = replace(asked, host=OTHER if number % 4 == 0 else "")
        how = ("before a write", "after a write", "at any time", "once the server has a message")[number % 5 % 4]
        row = rows.setdefault(f"killed {how}, {where}", Row(f"killed {how}, {where}"))
        ends = campaign.judged(
            row, asked, lambda one, how=how: _killed(campaign, one, how, rng, turns), times=rng.choice((1, 1, 2))
        )
        killed += sum(one.status == -signal.SIGKILL for one in ends)
    with capsys.disabled():
        undisturbed = f"{campaign.writes} writes and {campaign.seconds:.1f} s, undisturbed"
        print(f"\n{killed} kills in {number} months of {undisturbed}")  # noqa: T201
        print(table(sorted(rows.values(), key=lambda r: r.kind)))  # noqa: T201
    assert not [row for row in rows.values() if row.bad]


def _killed(campaign: Campaign, asked: Asked, how: str, rng: random.Random, turns: Iterator[int]) -> Ended:
    if how.endswith("a write"):
        return campaign.warm.run(replace(asked, die=f"{how.partition(' ')[0]}:{next(turns)}"))
    pid = campaign.warm.start(asked)
    if how == "at any time":
        time.sleep(rng.uniform(0.0, campaign.seconds))
        _kill(pid)
    else:
        left = [rng.randint(1, 3)]

        def on_text() -> None:
            left[0] -= 1
            if left[0] == 0:
                _kill(pid)

        campaign.mailbox.on_text = on_text
    ended = campaign.warm.wait(pid)
    campaign.mailbox.on_text = lambda: None
    return ended


def _kill(pid: int) -> None:
    """The warm process has not yet waited for it, so the number is still its own."""
    os.kill(pid, signal.SIGKILL)
