"""Passes a run's messages to its mail transport: retries, keeps to the server's rate, and stops if the run must stop.

After a server that is away, a wrong password or greylisting, it tries again with growing waits, for at most
`mail.retry_minutes`. If one message meets a fault that every other would meet too, no other is tried until the next
round, because a hundred wrong sign-ins lock an account. Before each message it asks whether the run may still send.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from flows.mail.deliver import Delivery
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing, Throttled, Transport
from flows.store.ledger import Ledger, Status
from flows.store.progress import step

Job = TypeVar("Job")

#: The first wait between two rounds; each next one is twice as long.
_FIRST_WAIT_SECONDS = 15.0
#: How often a message is tried again if the server asks to send more slowly: after 1, 2, 4 … seconds.
_SLOWER_TIMES = 5


class Courier:
    """The transport of one run. Clock and sleep are parameters, so that tests need not wait."""

    def __init__(
        self,
        transport: Transport,
        *,
        patience_seconds: float = 0.0,
        per_second: Callable[[], float | None] = lambda: None,
        may_go: Callable[[], str] = lambda: "",
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        ledger: Ledger | None = None,
    ) -> None:
        self.name, self.reaches_people = transport.name, transport.reaches_people
        self.ledger = ledger
        """That of the run's month, listed once for all its messages."""
        self.stopped = ""
        """Why the run must stop sending, once it was told to."""
        self._transport = transport
        self._patience = patience_seconds
        self._next_wait = _FIRST_WAIT_SECONDS
        self._per_second = per_second
        self._may_go = may_go
        self._pause = pause
        self._clock = clock
        self._turn = 0.0
        self._shut = ""

    @property
    def tries_again(self) -> bool:
        """Whether there will be another round for messages that were not accepted."""
        return self._patience > 0 and not self.stopped

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        """Hand the message over at its turn. Raises NotTaken, also for a fault that an earlier message met."""
        if self._shut:
            raise NotTaken(self._shut)
        try:
            return self._sent(message, recipients)
        except NotTaken as error:
            self._shut = str(error)
            raise

    def _sent(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        for attempt in range(_SLOWER_TIMES + 1):
            self._wait_for_our_turn(len(recipients))
            self.stopped = self._may_go()
            if self.stopped:
                raise NotTaken(self.stopped)
            try:
                return self._transport.send(message, recipients)
            except Throttled:
                if attempt == _SLOWER_TIMES:
                    raise
                self._pause(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _wait_for_our_turn(self, recipients: int) -> None:
        """Wait as the rate requires. Each recipient counts as one message, as mail services count."""
        rate = self._per_second()
        if not rate:
            return
        now = self._clock()
        if now < self._turn:
            self._pause(self._turn - now)
        self._turn = max(now, self._turn) + recipients / rate

    def carry(self, jobs: Sequence[Job], attempt: Callable[[Job], list[Delivery]]) -> list[list[Delivery]]:
        """Try each job, and try unsent ones again until all are sent or the time for retries is used up.

        The first round attempts every job, so that all are in the ledger. Later rounds end at the first fault that
        every message would meet.
        """
        self._shut = ""
        done = [attempt(job) for job in jobs]
        while left := [n for n, made in enumerate(done) if any(d.status is Status.DEFERRED for d in made)]:
            if not self.tries_again:
                break
            wait = min(self._next_wait, self._patience)
            self._patience -= wait
            self._next_wait *= 2
            step("Not taken yet: %d messages. Tried again in %d seconds", len(left), round(wait))
            self._pause(wait)
            self._shut = ""
            for n in left:
                if self._shut:
                    break
                done[n] = merged(done[n], attempt(jobs[n]))
        return done


def merged(before: Sequence[Delivery], after: Sequence[Delivery]) -> list[Delivery]:
    """Merge the deliveries of two attempts in one run. The later result counts; `attempted` stays set."""
    attempted = {d.address for d in before if d.attempted}
    return [d if d.attempted or d.address not in attempted else d.as_attempted() for d in after]
