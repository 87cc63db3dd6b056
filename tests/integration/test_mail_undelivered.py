"""A month whose mail cannot leave, as processes: exit code, success marker and watchdog say so until it has gone."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from flows.store import LocalStore
from flows.store.ledger import Ledger, Status
from tests.integration import small_region
from tests.integration.small_region import LAST
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running
from tests.warm import run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_undelivered_mail_is_shown_by_every_surface_and_sent_when_its_cause_is_gone(
    prefect_api: str, tmp_path: Path
) -> None:
    landing, store = tmp_path / "landing", tmp_path / "store"
    councils = small_region.make(landing)
    mailbox, authority = Mailbox(), Authority(tmp_path, "127.0.0.1")
    mailbox.trouble = lambda stage: "535 5.7.8 wrong password" if stage == "AUTH" else ""
    with running(mailbox, authority) as port:
        mail = {"port": str(port), "user": USER, "password": PASSWORD, "ca_file": authority.file}
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")},
            **small_region.settings(landing, str(store), councils, **mail, retry_minutes="0"),
            "PREFECT_API_URL": prefect_api,
            "PREFECT_HOME": str(tmp_path / "prefect"),
        }

        def holdfast(*words: str) -> tuple[int, str]:
            return run("flows.cli.app", *words, env=environment, timeout=300)

        def noted() -> int:
            return int(json.loads((store / f"runs/{LAST}/success.json").read_text())["undelivered"])

        everyone = {a for c in councils for a in c.recipients}
        code, output = run(*small_region.command(), env=environment, timeout=300)
        assert code == 16, output
        assert "refused the sign-in" in output and "messages could not be delivered" in output
        assert mailbox.mail == []
        assert {e.status for e in Ledger(LocalStore(store)).month(LAST)} == {Status.DEFERRED}
        assert noted() > len(everyone), "directors, data officers and the data team"
        assert holdfast("watchdog", "--no-server")[0] == 16, "its own mail cannot leave either"

        mailbox.trouble = lambda stage: ""
        code, output = holdfast("watchdog", "--no-server")
        assert code == 21
        assert "October 2026 not delivered" in output

        code, output = holdfast("run", "--month", str(LAST), "--from", "sending")
        assert code == 0, output
        assert noted() == 0
        assert "not delivered" not in holdfast("watchdog", "--no-server")[1]
    copies = Counter(address for to, _ in mailbox.mail for address in to)
    everyone |= {c.data_officer for c in councils}
    assert {a: copies[a] for a in everyone} == dict.fromkeys(everyone, 1)
