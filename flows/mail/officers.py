"""The validation report of a council's own files, mailed to whoever makes them, when there is anything to put right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from features.councils import Council
from features.errors import MailError
from flows.alerts.council import validation_facts
from flows.alerts.files import council_files
from flows.alerts.letter.compose import Contact
from flows.mail.deliver import Delivery, deliver, undeliverable
from flows.mail.run_summary import data_officer_message
from flows.mail.transports.open import mail_policy
from flows.mail.transports.port import Transport
from flows.store.context import RunContext
from flows.store.ledger import Status
from flows.store.manifest import Manifest


def write_to_data_officers(
    context: RunContext,
    transport: Transport,
    councils: Iterable[Council],
    manifest: Manifest | None,
    failures: pl.DataFrame,
) -> dict[str, list[Delivery]]:
    """Mail every data officer whose council has something to put right; what became of it, by la_code.

    The message's key is a digest of its content, so a repeated run writes to nobody again and a file that
    was sent anew is answered anew. It goes even while alerts are held: it helps to mend the feed that held them.
    """
    if not context.settings.mail.to_data_officers or manifest is None:
        return {}
    month, policy, sender = context.month, mail_policy(context.settings), Contact.of(context.settings)
    done: dict[str, list[Delivery]] = {}
    for council in (c for c in councils if c.data_officer):
        files = council_files(manifest, failures, council, month)
        if not files.to_put_right:
            continue
        message = data_officer_message(council, files, validation_facts(failures, council, month).notes, sender)
        try:
            done[council.la_code] = deliver(
                context.store, transport, message, recipients=(council.data_officer,), policy=policy, at=context.now
            )
        except MailError as error:
            done[council.la_code] = [undeliverable(message, error)]
    return done


def unreached(context: RunContext, written: Mapping[str, Sequence[Delivery]]) -> list[str]:
    """The data officers who were written to now and could not be reached, as sentences."""
    return [
        f"{context.register.by_code[code].name} ({code}): the data officer could not be written to. {d.reason}"
        for code, done in written.items()
        for d in done
        if d.attempted and d.status is not Status.SENT
    ]
