"""What a run shows in the Prefect UI: artifacts, tags and progress. Without a permanent server nothing is shown.

Everything shown here is also in the store (region page, validation pages, approvals), so nothing is lost if the
server is. E-mail addresses are never shown: a message appears with its subject and the councils it is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from prefect import get_run_logger, runtime
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.context import TagsContext
from prefect.settings import PREFECT_API_URL

from features.months import Month, day_words
from features.registry import BY_NAME
from features.words import count_words
from flows.alerts.alert import Alert
from flows.alerts.facts import CouncilFacts
from flows.alerts.letter.figures import value_text
from flows.alerts.letter.sparkline import sparkline_picture
from flows.alerts.region_page import KEY_MEASURES, ORDER, is_withheld
from flows.alerts.reports import council_report_name, index_name
from flows.alerts.state import Band, MessageKind
from flows.mail.approval_form import Pending
from flows.mail.month_mail import MonthMail
from flows.orchestration.embedded import is_embedded
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.reporting import found_at, place
from flows.orchestration.run_report import table_cell, to_markdown
from flows.store import Store
from flows.store.context import RunContext
from flows.store.progress import showing_progress

#: Bytes of charts shown on one page. A longer page is slow in the UI, and the region page has every chart.
_CHART_BYTES = 800_000
_CHART_MEASURES = 5
#: Bands whose councils' charts are shown, most urgent first.
_CHARTED = (Band.LOSING_GRIP, Band.WATCH, Band.RECOVERING, Band.NOT_SCORED)
_REASON_TAG = 60
_CHART_IN_PAGE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")


def artifacts_stay() -> bool:
    """Whether the server outlives the run and so keeps its artifacts. A run's own API does not."""
    address = PREFECT_API_URL.value()
    return bool(address) and not is_embedded(str(address))


def tags_of(month: Month, reason: str) -> tuple[str, ...]:
    """Tags by which a run can be found in the UI: the month, and the reason, cut to the length of a tag."""
    return (str(month), reason[:_REASON_TAG]) if reason else (str(month),)


@contextmanager
def tagged(names: Sequence[str]) -> Iterator[None]:
    """Add tags to the current flow run, but not to the tasks in the block.

    For each tag on a task, Prefect asks the server for a concurrency limit, and it does not retry that request. If
    tasks had tags, a server that was away for a second would end the run.
    """
    given = runtime.flow_run.id
    if not (artifacts_stay() and given):
        yield
        return
    with _for_show(), get_client(sync_client=True) as client:
        client.update_flow_run(UUID(str(given)), tags=sorted({*runtime.flow_run.tags, *names}))
    with TagsContext(current_tags=set()):
        yield


@contextmanager
def progress(month: Month, steps: int) -> Iterator[None]:
    """Show each step of the block as a line in the run's log, and on a progress bar of `steps` steps."""
    logger = get_run_logger()
    bar = begin_bar(f"month-{month}-progress", "Beginning")
    done = 0

    def advance(text: str) -> None:
        nonlocal done
        logger.info(text)
        move_bar(bar, min(95.0, 100.0 * done / steps), text)
        done += 1

    with showing_progress(advance):
        yield
    move_bar(bar, 100.0, "Done")


def begin_bar(key: str, text: str) -> UUID | None:
    """A new progress bar on the page of the current run; None where nothing is shown."""
    if artifacts_stay():
        with _for_show():
            return cast(UUID, create_progress_artifact(0.0, key=key, description=text))
    return None


def move_bar(bar: UUID | None, percent: float, text: str) -> None:
    """Move a progress bar and write beside it what is done."""
    if bar is not None:
        with _for_show():
            update_progress_artifact(bar, progress=percent, description=text)


def show_run(
    context: RunContext, outcome: RunOutcome, alerts: Sequence[Alert], facts: Mapping[str, CouncilFacts]
) -> None:
    """Create the run's artifacts: summary, councils, validation, charts, timing."""
    get_run_logger().info(outcome.headline)
    if artifacts_stay():
        with _for_show():
            _show(context, outcome, alerts, facts)


def _show(context: RunContext, outcome: RunOutcome, alerts: Sequence[Alert], facts: Mapping[str, CouncilFacts]) -> None:
    key = f"month-{context.month}"
    create_markdown_artifact(to_markdown(outcome), key=f"{key}-summary", description="Summary of the run")
    if outcome.councils:
        create_table_artifact(
            councils_table(context, outcome),
            key=f"{key}-councils",
            description="Every council: band, change, reasons",
        )
    create_markdown_artifact(
        validation_markdown(context, outcome),
        key=f"{key}-validation",
        description="What came, and what the checks found",
    )
    if charts := charts_markdown(alerts, facts):
        create_markdown_artifact(charts, key=f"{key}-charts", description="Key measures of councils that stand out")
    create_table_artifact(timing_table(outcome), key=f"{key}-timing", description="What the run took")


def show_waiting(context: RunContext, waits: Pending) -> None:
    """Show the messages that wait for approval, before the run suspends."""
    if artifacts_stay():
        with _for_show():
            create_markdown_artifact(
                waiting_markdown(context, waits),
                key=f"month-{waits.month}-messages",
                description="Messages that wait for approval",
            )


@contextmanager
def _for_show() -> Iterator[None]:
    """Log a failure of the block instead of raising it: a run must not fail because an artifact could not be made."""
    try:
        yield
    except Exception as error:
        get_run_logger().warning("The run's artifacts could not all be written (%s).", type(error).__name__)


def link(context: RunContext, name: str, words: str) -> str:
    """Markdown that points to an object: a link if the setting `public_url` is there, else its path or address."""
    if context.settings.public_url:
        return f"[{words}]({found_at(context, name)})"
    return f"{words}: `{place(context.store, name)}`"


def councils_table(context: RunContext, outcome: RunOutcome) -> list[dict[str, Any]]:
    """One row per council, most urgent first."""
    folders = {c.la_code: c.folder for c in context.register.councils}
    return [
        {
            "council": c.name,
            "code": c.la_code,
            "band": c.band.words,
            "change": c.change.value,
            "reasons": c.why,
            "message": c.message,
            "alert": place(context.store, f"alerts/{context.month}/{folders[c.la_code]}.json"),
        }
        for c in sorted(outcome.councils, key=lambda c: (ORDER.index(c.band), c.name))
    ]


def validation_markdown(context: RunContext, outcome: RunOutcome) -> str:
    """One row per council: what came, what the checks found, and its own report."""
    month = context.month
    if outcome.files is None:
        return f"Nobody has sent anything for {month.in_words}."
    lines = [
        f"{link(context, index_name(month), 'The month’s validation and Data Docs')}",
        "",
        "| Council | Files | Errors | Queries | In short | Report |",
        "|---|---|---|---|---|---|",
    ]
    for found in outcome.files:
        files = [f"{f.kind} ({f.state})" if f.remarkable else str(f.kind) for f in found.files]
        report = link(context, council_report_name(month, context.register.by_code[found.la_code]), "report")
        lines.append(
            f"| {table_cell(found.who)} | {', '.join(files)} | {found.errors} | {found.queries} "
            f"| {table_cell(found.verdict)} | {report} |"
        )
    return "\n".join(lines)


def charts_markdown(alerts: Sequence[Alert], facts: Mapping[str, CouncilFacts]) -> str:
    """Sparklines of the councils in the bands of `_CHARTED`, up to `_CHART_BYTES`; empty if there are none."""
    blocks: list[str] = []
    size = left = 0
    ordered = sorted(
        (a for a in alerts if a.decision.band in _CHARTED and a.la_code in facts),
        key=lambda a: (_CHARTED.index(a.decision.band), -(a.score.probability_below_good or 0.0), a.council),
    )
    for alert in ordered:
        block = _charts_of(alert, facts[alert.la_code])
        if not block:
            continue
        if size + len(block) > _CHART_BYTES:
            left += 1
            continue
        size += len(block)
        blocks.append(block)
    if not blocks:
        return ""
    key = (
        "Line: the council's own months. Grey: its usual range. Dotted: the middle of similar councils. "
        "A square marks a concern, a blue dot an improvement."
    )
    more = [f"{count_words(left, 'council', 'councils')} more on the region page."] if left else []
    return "\n\n".join([key, *blocks, *more])


def _charts_of(alert: Alert, facts: CouncilFacts) -> str:
    signalling = [s.measure for s in facts.signals if s.toward_concern]
    first = [s.measure for s in alert.charts]
    measures = [m for m in dict.fromkeys((*first, *signalling, *KEY_MEASURES)) if m in facts.measures]
    rows: list[str] = []
    for measure in measures:
        fact, series = facts.measures[measure], facts.series.get(measure)
        if fact.value is None or series is None or is_withheld(measure, fact.rests_on_few):
            continue
        declared = BY_NAME[measure]
        picture = sparkline_picture(series)
        if picture:
            rows.append(
                f"| {table_cell(declared.label)} | {value_text(declared, fact.value)} "
                f"| ![{table_cell(declared.label)}]({picture}) |"
            )
        if len(rows) == _CHART_MEASURES:
            break
    if not rows:
        return ""
    head = f"### {alert.council} ({alert.la_code}): {alert.decision.band.words}, {alert.decision.change.value}"
    return "\n".join([head, "", "| Measure | Now | 24 months |", "|---|---|---|", *rows])


def timing_table(outcome: RunOutcome) -> list[dict[str, Any]]:
    """Seconds for each stage, and in total."""
    rows = [{"stage": stage, "seconds": round(taken, 1)} for stage, taken in (outcome.seconds or {}).items()]
    return [*rows, {"stage": "together", "seconds": round(sum((outcome.seconds or {}).values()), 1)}]


#: What Markdown would take for its own marks.
_MARKS = re.compile(r"([\\`*_<>\[\]#|])")
#: The first line of a measure in a message: “Cases without a worker: 7.0% (worse)”.
_FIGURE = re.compile(r".*: −?\d\S*( \(worse\))?")


def as_markdown(text: str) -> str:
    """A message's text as Markdown, whose lines the UI breaks to its width: as text in a box they would be cut off."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.split("\n")
        if len(lines) == 2 and set(lines[1]) == {"-"}:
            blocks.append(f"#### {_plain(lines[0])}")
        elif lines[0].startswith("* "):
            items = re.split(r"^\* ", block, flags=re.M)[1:]
            blocks.append("\n".join(f"* {_item(item.split(chr(10)))}" for item in items))
        else:
            blocks.append(_plain(" ".join(line for line in lines if line != "--")))
    return "\n\n".join(blocks)


def _item(lines: Sequence[str]) -> str:
    """One item on one line; the figure of a measure stands apart from what is said of it."""
    first, rest = lines[0].strip(), " ".join(line.strip() for line in lines[1:]).strip()
    if rest and _FIGURE.fullmatch(first):
        return f"**{_plain(first)}** {_plain(rest)}"
    return _plain(f"{first} {rest}".strip())


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


def message_blocks(store: Store, waits: Pending) -> list[str]:
    """The full text of the messages with their charts, as many as fit on a page of the UI."""
    lines: list[str] = []
    size = left = 0
    for m in waits.messages:
        text_name = m.preview.removesuffix(".html") + ".txt"
        if store.info(text_name) is None:
            left += 1
            continue
        block = ["", f"### {m.subject}", "", as_markdown(store.read(text_name).decode()), ""]
        chart = _CHART_IN_PAGE.search(store.read(m.preview).decode())
        block += [f"![Chart of {m.council}]({chart[0]})"] if chart else []
        size += sum(map(len, block))
        if size > _CHART_BYTES:
            left += 1
            continue
        lines += block
    if left:
        lines += ["", f"{count_words(left, 'message', 'messages')} more: `holdfast preview` shows them."]
    return lines


def waiting_markdown(context: RunContext, waits: Pending) -> str:
    """One row per message that waits: subject, who it is for and, where it can be opened, a link. Then the messages."""
    linked, words = bool(context.settings.public_url), "open it"
    lines = [
        "## Messages to decide on",
        "",
        MonthMail(waits=waits).awaits,
        "",
        f"| Council | Subject | For |{' Message |' if linked else ''}",
        f"|---|---|---|{'---|' if linked else ''}",
    ]
    for m in waits.messages:
        people = count_words(m.recipients, "registered recipient", "registered recipients")
        if m.message_key.endswith(f"/{MessageKind.CORRECTION}"):
            people += " and whoever got the message that it corrects"
        lines.append(
            f"| {table_cell(m.council)} ({m.la_code}) | {table_cell(m.subject)} | {people} |"
            f"{f' {link(context, m.preview, words)} |' if linked else ''}"
        )
    lines += message_blocks(context.store, waits)
    lines += ["", f"What arrived after {day_words(waits.cutoff)} is not in these messages."]
    return "\n".join(lines)
