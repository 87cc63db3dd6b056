"""The whole monthly run, killed again and again while real servers speak to it, ends as if nothing had happened.

At its end two runs of the month are started at once: they work one after the other, and the second finds nothing to do.
"""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest

from flows.store.claims import claims_since
from flows.store.ledger import Ledger, Status
from flows.store.s3 import S3Store
from tests.integration import small_region
from tests.integration.conftest import S3Server
from tests.integration.small_region import LAST
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running
from tests.warm import Warm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

#: The server has the text of a message, and the process dies before it can know.
TAKEN = "taken"
#: Where the process dies, one run after another on the same store, from its first objects to its last.
MOMENTS = (
    "before:months/.*:2",
    "after:alerts/[^/]*/[^/]*[.]json:2",
    "after:ledger/.*created[.]json:2",
    TAKEN,
    "before:ledger/.*-sent[.]json:3",
    "before:runs/.*:1",
)

#: Deaths after the server may have taken a message and before the ledger says so: each may cost one more copy.
IN_THE_CRASH_WINDOW = 2


@pytest.mark.parametrize(
    "chosen",
    [pytest.param((TAKEN,), id="taken"), pytest.param(MOMENTS, id="every-boundary", marks=pytest.mark.soak)],
)
def test_a_run_killed_at_any_point_ends_with_one_alert_each_and_everyone_told_once(
    chosen: tuple[str, ...], prefect_api: str, s3_server: S3Server, s3_store: Callable[[], S3Store], tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    councils = small_region.make(landing)
    store, mailbox, authority = s3_store(), Mailbox(), Authority(tmp_path, "127.0.0.1")
    running_now: list[Warm] = []

    with running(mailbox, authority) as port:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")},
            **small_region.settings(
                landing, store.url, councils, port=str(port), user=USER, password=PASSWORD, ca_file=authority.file
            ),
            "HOLDFAST_S3__ENDPOINT_URL": s3_server.endpoint_url,
            "HOLDFAST_S3__REGION": "us-east-1",
            "HOLDFAST_S3__ACCESS_KEY_ID": s3_server.access_key_id,
            "HOLDFAST_S3__SECRET_ACCESS_KEY": s3_server.secret_access_key,
            "PREFECT_API_URL": prefect_api,
            "PREFECT_HOME": str(tmp_path / "prefect"),
        }

        def start(moment: str = "") -> Warm:
            running_now.append(Warm(*small_region.command(moment), env=environment))
            return running_now[-1]

        def kill() -> None:
            running_now[-1].send_signal(signal.SIGKILL)

        for moment in chosen:
            mailbox.on_text = kill if moment is TAKEN else lambda: None
            died = start("" if moment is TAKEN else moment).wait(120)
            assert died == -signal.SIGKILL, f"the run was not killed at {moment}"
        mailbox.on_text = lambda: None
        together = [start(), start()]
        assert [one.wait(240) for one in together] == [0, 0]

    claims = [c for c in claims_since(store, datetime.min.replace(tzinfo=UTC)) if c.of == str(LAST)]
    *killed, first, second = claims
    assert len(killed) == len(chosen)
    assert not any(c.released for c in killed), "a run that is killed gives nothing back"
    assert first.released
    assert second.released
    assert {first.owner.process.pid, second.owner.process.pid} == {one.pid for one in together}
    assert second.since >= first.heartbeat, "the second run of the month began when the first had ended"

    folders = sorted(c.folder for c in councils)
    objects = [o.name for o in store.list(f"alerts/{LAST}/") if o.name.endswith(".json")]
    assert objects == [f"alerts/{LAST}/{folder}.json" for folder in folders]

    identities: dict[tuple[str, str], set[str]] = defaultdict(set)
    copies: dict[tuple[str, str], int] = defaultdict(int)
    for to, content in mailbox.mail:
        identity = str(message_from_bytes(content)["Message-ID"])
        for address in to:
            about = identity.partition("@")[0].split(".")[2]
            identities[address, about].add(identity)
            copies[address, identity] += 1
    directors = {address: c for c in councils for address in c.recipients}
    assert {a for a, about in identities if about == directors.get(a, councils[0]).folder} == set(directors)
    assert {a: about for a, about in identities if a in directors} == {a: c.folder for a, c in directors.items()}
    assert all(len(identities[a, c.folder]) == 1 for a, c in directors.items())
    officers = {c.data_officer for c in councils}
    assert {a for a, about in identities if about == "files"} == officers
    assert all(len(found) == 1 for (a, about), found in identities.items() if about == "files")
    assert max(copies.values()) <= 1 + IN_THE_CRASH_WINDOW, "only what was under way when a run died comes again"

    entries = Ledger(store).month(LAST)
    assert {e.status for e in entries} == {Status.SENT}
    told = {(t.address, t.message_id) for t in Ledger(store).told(LAST)}
    assert told == set(copies), "the ledger knows of every message the server took, and of no other"
