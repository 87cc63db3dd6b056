"""What the campaigns share: an undisturbed month to compare with, disturbed ones, and a table of what was seen."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email import message_from_bytes

from features.errors import HoldfastError
from flows.store import Store
from flows.store.ledger import Ledger, Status
from tests.integration.conftest import S3Server
from tests.integration.smtp_server import Authority, Mailbox
from tests.simulation.month import MONTH, wrong_in_mail, wrong_in_store
from tests.soak.month_run import open_at
from tests.soak.warm import Asked, Ended, Warm


@dataclass
class Row:
    """One line of the table: a kind of trouble, and what came of it."""

    kind: str
    runs: int = 0
    lost: int = 0
    doubled: int = 0
    """Got again although the ledger knew that the server had taken it."""
    again: int = 0
    """Got again where the run died, or the answer was lost, before the ledger could know."""
    wrongly: int = 0
    stuck: int = 0
    waited: float = 0.0
    """The longest that a run meant to wait, in seconds."""
    said: list[str] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        return bool(self.lost or self.doubled or self.wrongly or self.stuck or self.said)

    def __str__(self) -> str:
        figures = (self.runs, self.lost, self.doubled, self.again, self.wrongly, self.stuck)
        return f"{self.kind:<44}" + "".join(f"{n:>9}" for n in figures) + f"{self.waited:>9.0f}"


HEADING = f"{'what went wrong':<44}" + "".join(
    f"{n:>9}" for n in ("runs", "lost", "doubled", "again*", "wrongly", "stuck", "waits s")
)
NOTE = "* got again by the same Message-ID, after a death or a lost answer before the ledger could know"


def table(rows: list[Row]) -> str:
    """The rows as text, with what was wrong below."""
    said = [f"{row.kind}: {one}" for row in rows for one in row.said]
    return "\n".join(["", HEADING, *map(str, rows), NOTE, *said])


@dataclass
class Campaign:
    """Real servers, a warm process, and what an undisturbed month is like."""

    warm: Warm
    server: S3Server
    mailbox: Mailbox
    authority: Authority
    port: int
    kept: str
    """Folder for what pure functions gave, for the runs that come later."""
    truth: dict[tuple[str, str], bytes] = field(default_factory=dict)
    calm: Store | None = None
    seconds: float = 0.0
    """How long an undisturbed month takes, what is pure being remembered."""
    writes: int = 0
    """How often it writes to S3."""

    def asked(self, where: str = "", endpoint: str = "") -> Asked:
        """A run of the month in an empty store, undisturbed so far."""
        options = {
            "endpoint_url": endpoint or self.server.endpoint_url,
            "region": "us-east-1",
            "access_key_id": self.server.access_key_id,
            "secret_access_key": self.server.secret_access_key,
        }
        where = where or f"s3://{self.server.bucket}/soak-{secrets.token_hex(5)}"
        return Asked(where, self.port, self.authority.file, options, self.kept)

    def straight(self, asked: Asked) -> Asked:
        """The same run past whatever stands before the store, on this machine, undisturbed."""
        return replace(self.asked(asked.store), store=asked.store)

    def learn(self) -> None:
        """Run the month undisturbed, and remember what it gave; then once more, as quickly as the campaign's runs."""
        for _ in range(2):
            asked = self.asked()
            self.mailed()
            began = time.monotonic()
            ended = self.warm.run(asked)
            self.seconds, self.writes = time.monotonic() - began, ended.writes
            assert ended.said == "done", ended
        self.calm, self.truth = open_at(asked.store, asked.s3), {(a, i): c for a, i, c in self.mailed()}
        assert len(self.truth) == 3

    def mailed(self) -> list[tuple[str, str, bytes]]:
        """What the mail server took since the last look: address, Message-ID, bytes."""
        taken, self.mailbox.mail = self.mailbox.mail, []
        return [(to, str(message_from_bytes(text)["Message-ID"]), text) for all_, text in taken for to in all_]

    def judged(self, row: Row, asked: Asked, disturbed: Callable[[Asked], Ended], times: int = 1) -> list[Ended]:
        """Disturbed runs on one store, then an undisturbed one; what does not hold is counted in the row."""
        store = open_at(asked.store, self.straight(asked).s3)
        self.mailed()
        got: list[tuple[str, str, bytes]] = []
        ends = []
        for number in range(times + 1):
            known = _told(store)
            ends.append(disturbed(asked) if number < times else self.warm.run(self.straight(asked)))
            new = self.mailed()
            seen = {(a, i) for a, i, _ in got}
            row.doubled += sum((a, i) in known for a, i, _ in new)
            row.again += sum((a, i) in seen - known for a, i, _ in new)
            got += new
        row.runs += times
        row.waited = max(row.waited, *(one.waited for one in ends))
        assert self.calm is not None
        said = [*wrong_in_mail(got, [one.said for one in ends], self.truth), *wrong_in_store(store, self.calm)]
        row.stuck += any(one.startswith("stuck") for one in said)
        row.lost += sum(one.startswith("lost") for one in said)
        row.wrongly += sum(not one.startswith(("stuck", "lost")) for one in said)
        row.said += said
        return ends


def _told(store: Store) -> set[tuple[str, str]]:
    """Who, by the ledger, has had which message taken by the server."""
    try:
        return {(t.address, t.message_id) for t in Ledger(store).told(MONTH) if t.status is Status.SENT}
    except HoldfastError:
        return set()
