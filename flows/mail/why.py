"""`holdfast why`: the chain behind a decision, from the files to the message, as recorded in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.batch import FAILURES, Severity
from expectations.fates import CouncilFiles, Fate
from expectations.report.council import files_document, measures_needing, row_in_words
from features.councils import Council
from features.months import Month
from features.registry import Missing
from features.words import listed, lower_first
from flows.alerts.alert import Alert
from flows.alerts.files import council_files
from flows.alerts.publish import latest_alert
from flows.mail.approval import held_councils
from flows.mail.by_hand import ledger_line, why_not_due
from flows.mail.parts import Part, filled_parts, parts_as_document
from flows.mail.valve import marked_hold
from flows.store import Store
from flows.store.editions import History
from flows.store.ledger import Ledger

#: How many months to look back to find out since when a measure has been missing.
_LOOKED_BACK = 24


@dataclass(frozen=True, slots=True)
class Chain:
    """Everything that led to a council's decision in a month."""

    month: Month
    council: Council
    files: CouncilFiles
    failures: pl.DataFrame
    """The council's FAILURES of the month, including accepted ones."""
    alert: Alert | None
    missing: tuple[tuple[str, str, Month], ...]
    """Missing measures: label, why there is no value, and since which month."""
    message: tuple[str, ...]
    """Sentences on what became of the message, or why there is none."""

    @property
    def title(self) -> str:
        return f"{self.council.name} ({self.council.la_code}), {self.month.in_words}"

    def parts(self) -> tuple[Part, ...]:
        """The chain in order."""
        return filled_parts(self._parts())

    def _parts(self) -> Iterator[Part]:
        yield Part("Files", (("", self.files.verdict), *(("", f.detail) for f in self.files.files)))
        yield Part("Checks", tuple(self._checks()))
        yield Part(
            "Withheld",
            tuple(
                (f"{file.kind} {column}", listed(measures_needing(file.kind, column)) or "no measure rests on it")
                for file in self.files.files
                for column in file.withheld
            ),
        )
        yield Part("Missing", tuple((label, f"{why}, since {since}") for label, why, since in self.missing))
        if self.alert is None:
            unread = (
                "A file could not be read through a fault of ours, so nothing is decided; the next run reads it again."
            )
            nothing = f"Nothing of {self.month.in_words} is published for this council."
            yield Part("Decision", (("", unread if self.files.of(Fate.UNREAD) else nothing),))
            return
        yield Part("Score", tuple(_score_lines(self.alert)))
        decision = self.alert.decision
        before = f", before {decision.from_band.words}" if decision.from_band is not None else ""
        revision = f", revision {self.alert.revision}" if self.alert.revision > 1 else ""
        band = f"{decision.band.words}{before}; change: {decision.change.value}{revision}"
        yield Part("Decision", (("", band),))
        yield Part("Rules", tuple(("", rule) for rule in decision.because))
        yield Part("Message", tuple(("", sentence) for sentence in self.message))

    def to_json(self) -> str:
        """The chain as a JSON document."""
        alert = self.alert
        document: dict[str, Any] = {
            **files_document(self.files),
            "checks": parts_as_document([Part("checks", tuple(self._checks()))])["checks"],
            "missing": [{"measure": label, "reason": why, "since": str(since)} for label, why, since in self.missing],
            "score": alert.score.model_dump(mode="json") if alert is not None else None,
            "decision": alert.decision.model_dump(mode="json") if alert is not None else None,
            "message": list(self.message),
        }
        return json.dumps(document, ensure_ascii=False, indent=1)

    def _checks(self) -> Iterator[tuple[str, str]]:
        for row in self.failures.iter_rows(named=True):
            if row["severity"] == str(Severity.INFORMATION):
                continue
            accepted = " (accepted)" if row["accepted"] else ""
            rows = ", ".join(row_in_words(n) for n in row["row_numbers"][:8])
            where = f" Rows {rows}{' and more' if row['rows'] > 8 else ''}." if rows else ""
            effect = f" Effect: {row['effect']}." if row["effect"] else ""
            yield row["check"], f"{row['severity']}{accepted}. {row['message']}{where}{effect}"


def chain(store: Store, history: History, council: Council, month: Month) -> Chain:
    """Read from the store everything that led to a council's decision. Nothing is computed again."""
    editions = history.editions(month)
    manifest = editions[-1] if editions else None
    failures = history.failures(manifest) if manifest is not None else FAILURES.to_frame()
    alert = latest_alert(store, month, council.folder)
    return Chain(
        month=month,
        council=council,
        files=council_files(manifest, failures, council, month),
        failures=failures.filter(pl.col("la_code") == council.la_code),
        alert=alert,
        missing=_missing(store, alert) if alert is not None else (),
        message=_message(store, alert, council) if alert is not None else (),
    )


def _missing(store: Store, alert: Alert) -> tuple[tuple[str, str, Month], ...]:
    """Missing measures, each with the first of the consecutive months, up to this one, without a value."""
    found = {label: Missing.in_words(gap.reason) for gap in alert.not_known for label in gap.labels}
    since = dict.fromkeys(found, alert.month)
    open_labels = set(found)
    for back in range(1, _LOOKED_BACK + 1):
        earlier = latest_alert(store, alert.month.plus(-back), alert.folder) if open_labels else None
        if earlier is None:
            break
        open_labels &= {label for gap in earlier.not_known for label in gap.labels}
        since |= dict.fromkeys(open_labels, earlier.month)
    return tuple((label, why, since[label]) for label, why in found.items())


def _score_lines(alert: Alert) -> Iterator[tuple[str, str]]:
    score = alert.score
    if score.probability_below_good is None:
        yield "", f"none: {score.not_scored or 'the model gave no probability'}"
    else:
        span = (
            f" (between {score.interval_low:.2f} and {score.interval_high:.2f})"
            if score.interval_low is not None and score.interval_high is not None
            else ""
        )
        yield "", f"{score.probability_below_good:.2f}{span}, by {score.model} {score.model_version}"
    for reason in score.reasons:
        yield "", reason.sentence
    if score.no_reasons:
        yield "", score.no_reasons


def _message(store: Store, alert: Alert, council: Council) -> tuple[str, ...]:
    told: Sequence[str] = [ledger_line(t) for t in Ledger(store).told(alert.month, alert.folder)]
    if not alert.due:
        return (why_not_due(alert), *told)
    kind = alert.kind.value if alert.kind is not None else "none"
    held = held_councils(store, alert.month).get(alert.folder, "")
    if not held and not told and (storm := marked_hold(store, alert.month)):
        held = f"The storm valve holds all mail of {alert.month.in_words}: {lower_first(storm)}"
    said = [f"A message is due: {kind}.", *([held] if held else []), *told]
    if not council.recipients:
        said.append("Nobody is registered for this council, so it goes to nobody.")
    elif not told and not held:
        said.append("It has gone to nobody: mail was off or held (`holdfast release`).")
    return tuple(said)
