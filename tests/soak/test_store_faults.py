"""A real S3 server behind a proxy that fails, a little and a lot; then the fault ends and the month is run once more.

`SOAK_MONTHS=3` makes it shorter: so many months for each line of the table that `make soak` prints.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest

from tests.soak.campaign import Campaign, Row, table
from tests.soak.faulty import PASSING, Weather, faulty

pytestmark = [pytest.mark.integration, pytest.mark.soak, pytest.mark.timeout(7200)]

MONTHS = int(os.environ.get("SOAK_MONTHS", "12"))
#: What is wrong, its share of all requests, and which kinds.
PASSES = {
    "1% of requests fail, in every way": (0.01, PASSING),
    "5% of requests fail, in every way": (0.05, PASSING),
    "20% of requests fail, in every way": (0.2, PASSING),
    "5%: the answer is lost after the write": (0.05, ("lost",)),
    "20%: half of the body comes": (0.2, ("half",)),
    "every new object is not found for 1.5 s": (1.0, ("unseen",)),
}
#: What is wrong until a person mends it, and for which keys.
LASTS = {
    "one council's alerts may not be written": ("denied", "/Z01"),
    "the ledger may not be written": ("denied", "/ledger/"),
    "editions may not be written": ("denied", "/months/"),
    "nothing may be read": ("denied", ""),
    "the store is full": ("full", ""),
    "the store is full when it comes to mail": ("full", "/ledger/"),
    "the credentials have expired": ("expired", ""),
}


def test_whatever_the_store_does_nobody_is_told_wrongly_and_the_next_run_ends_the_month(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(2)
    rows = []
    for kind in [*PASSES, *LASTS]:
        row = Row(kind)
        weather = Weather(rng)
        if kind in PASSES:
            weather.share, weather.kinds = PASSES[kind]
        else:
            weather.lasting, weather.where = LASTS[kind]
        with faulty(campaign.server.endpoint_url, weather) as address:
            for _ in range(MONTHS if kind in PASSES else 1):
                asked = campaign.asked(endpoint=address)
                first = campaign.judged(row, asked, lambda one: campaign.warm.run(replace(one)))[0]
                if kind in LASTS and "done" in first.said:
                    row.said.append("the run ended as if nothing had been wrong")
                if kind in LASTS and first.waited:
                    row.said.append(f"it waited {first.waited:.0f} s for what a person must mend")
                assert weather.happened or kind in PASSES, "the fault was not met"
        rows.append(row)
    with capsys.disabled():
        print(f"\nS3 behind a proxy, {MONTHS} months a line", table(rows))  # noqa: T201
    assert not [row for row in rows if row.bad]
