"""A real Prefect server behind a proxy that fails: what is told to it may come later or never; the month is done."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from threading import Thread
from time import sleep

import pytest

from flows.store import LocalStore
from flows.store.ledger import Ledger, Status
from tests.integration import small_region
from tests.integration.local_server import clean_environment
from tests.integration.small_region import AS_OF, LAST
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running
from tests.prefect_homes import prefect_server
from tests.soak.campaign import Row, table
from tests.soak.faulty import Weather, faulty
from tests.warm import run

pytestmark = [pytest.mark.integration, pytest.mark.soak, pytest.mark.timeout(3600)]

#: What is wrong, its share of requests, which kinds, and for how many seconds the server is away.
FAULTS: dict[str, tuple[float, tuple[str, ...], int]] = {
    "Prefect: nothing is wrong": (0.0, (), 0),
    "Prefect: 5% of requests are answered 500": (0.05, ("500",), 0),
    "Prefect: 20% fail, in every way": (0.2, ("500", "503", "lost", "reset"), 0),
    "Prefect: a tenth of the answers take 2 s": (0.1, ("slow",), 0),
    "Prefect: away for 20 s": (0.0, (), 20),
}


@contextmanager
def _away(weather: Weather, seconds: int) -> Iterator[None]:
    """From the first task of the run on, the server is away for so long."""

    def go() -> None:
        while not weather.seen("/task_runs"):
            sleep(0.05)
        weather.lasting = "away"
        sleep(seconds)
        weather.lasting = ""

    if seconds:
        Thread(target=go, daemon=True).start()
    yield


def test_whatever_prefect_does_the_month_is_done_and_everybody_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    councils = small_region.make(tmp_path / "landing")
    directors = {a for c in councils for a in c.recipients}
    mailbox, authority = Mailbox(), Authority(tmp_path, "127.0.0.1")
    rows = []
    with running(mailbox, authority) as port, prefect_server(tmp_path / "server") as api:
        for number, (kind, (share, kinds, away)) in enumerate(FAULTS.items()):
            row, weather = Row(kind, runs=1), Weather(random.Random(number), share, kinds)
            store = LocalStore(tmp_path / f"store-{number}")
            mailbox.mail = []
            with faulty(api, weather) as address, _away(weather, away):
                environment = clean_environment(
                    **small_region.settings(
                        tmp_path / "landing", str(store.root), councils,
                        port=str(port), user=USER, password=PASSWORD, ca_file=authority.file,
                    ),
                    PREFECT_API_URL=f"{address}/api",
                    PREFECT_HOME=str(tmp_path / "home"),
                )  # fmt: skip
                command = ("flows.cli.app", "run", "--month", str(LAST), "--as-of", AS_OF)
                code, said = run(*command, env=environment, timeout=900)
            if share:
                assert weather.happened, "the fault was not met"
            if code or "Traceback" in said:
                row.said.append(f"exit {code}: {said[-1500:]}")
            row.stuck += store.info(f"runs/{LAST}/success.json") is None
            got = Counter(
                (a, str(message_from_bytes(text)["Message-ID"]))
                for to, text in mailbox.mail
                for a in to
                if a in directors
            )
            row.lost += len(directors - {a for a, _ in got})
            row.doubled += sum(n - 1 for n in got.values())
            row.wrongly += len(got) - len({a for a, _ in got})
            row.said += [f"{e.key}: {e.status}" for e in Ledger(store).month(LAST) if e.status is not Status.SENT]
            rows.append(row)
    with capsys.disabled():
        print("\nPrefect behind a proxy", table(rows))  # noqa: T201
    assert not [row for row in rows if row.bad]
