"""What a run shows, as text: tables and links, without a server."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from expectations.fates import CouncilFiles, Fate, FileFate
from features.councils import Register
from features.registry import Kind
from flows.alerts.council_month import CouncilMonth, council_month
from flows.alerts.decide import Storm
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.sparkline import sparkline_picture
from flows.alerts.publish import publish_alert, rendered_names
from flows.alerts.region_page import region_page_name
from flows.alerts.state import Band, Change
from flows.mail.approval_form import Pending, Waiting
from flows.mail.month_mail import MonthMail
from flows.orchestration import artifacts
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.reporting import found_at
from flows.orchestration.run_report import parts_of, table_cell, to_json, to_markdown, to_message, to_text
from flows.settings.settings import Settings
from flows.store.context import RunContext
from flows.store.editions import History
from flows.store.local import LocalStore
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, facts, score, told

OTHER = replace(ASHCOMBE, la_code="992", name="Byre | Glen")


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunContext:
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    store = LocalStore(tmp_path / "store")
    return RunContext(
        settings=Settings.load(public_url="https://store.alliance.example/holdfast/"),
        landing=store,
        store=store,
        register=Register((ASHCOMBE, OTHER)),
        month=MONTH,
        cutoff=date(2026, 11, 20),
        now=datetime(2026, 11, 20, 9, tzinfo=UTC),
        key=b"k" * 32,
        history=History(store),
    )


FILE = FileFate(
    Kind.WORKFORCE, Fate.ACCEPTED, "workforce.csv", 200, received=date(2026, 11, 9), late=True, restated=True
)
FILES = (
    CouncilFiles("991", "Ashcombe", MONTH, (FILE,)),
    CouncilFiles("992", "Byre | Glen", MONTH, (FileFate(Kind.CASELOAD, Fate.MISSING),)),
)


def outcome(**changes: Any) -> RunOutcome:
    given: dict[str, Any] = {
        "month": MONTH,
        "councils": (
            CouncilMonth("992", "Byre | Glen", Band.NOT_SCORED, Change.NEW, why_not_scored="No workforce file came."),
            CouncilMonth("991", "Ashcombe", Band.WATCH, Change.NEW, why="Agency rate 23%", told=True),
        ),
        "files": FILES,
        "places": {"region page": "s3://bucket/region/2026-10/index.html"},
        "seconds": {"read": 1.25, "check": 2.0},
        "model": "m 1",
        "caution": "No grade.",
    }
    return RunOutcome(**(given | changes))


def test_the_headline_says_what_is_missing() -> None:
    assert outcome().headline == "October 2026: completed with 1 council not scored, 1 of 2 scored"
    scored = tuple(replace(c, band=Band.STEADY) for c in outcome().councils)
    assert outcome(councils=scored).headline == "October 2026: 2 of 2 councils scored"
    assert not outcome(councils=scored).gaps
    assert "1 fault at single councils" in outcome(councils=scored, faults=("x",)).headline
    assert outcome(councils=scored, faults=("x",)).gaps
    untold = outcome(councils=scored, untold=("The data team could not be written to: no.",))
    assert untold.gaps and untold.headline.endswith("; 1 message could not be delivered")
    storm = Storm(held=True, alerting=6, decided=12, reason="6 of 12 councils have a new or worse alert.")
    assert outcome(mail=MonthMail(storm=storm, valve=frozenset({"k"}))).headline.endswith("; mail is held")
    assert not outcome(mail=MonthMail(storm=storm)).headline.endswith("; mail is held"), "somebody has answered"


def test_the_table_of_councils_begins_with_the_most_urgent(context: RunContext) -> None:
    rows = artifacts.councils_table(context, outcome())
    assert [r["council"] for r in rows] == ["Ashcombe", "Byre | Glen"]
    assert (rows[0]["band"], rows[0]["change"], rows[0]["reasons"]) == ("watch", "new", "Agency rate 23%")
    assert [r["message"] for r in rows] == ["informed", "no message due"]
    assert rows[0]["alert"].endswith("alerts/2026-10/991.json")


def test_the_same_summary_is_read_in_every_form() -> None:
    shown = outcome(faults=("Ashcombe (991): sending failed: x",))
    text, markdown = to_text(shown), to_markdown(shown)
    letter = re.sub(r"\s+", " ", to_message(shown, Contact()).text)
    assert text.splitlines()[0] == markdown.splitlines()[0].removeprefix("## ") == shown.headline
    for part in parts_of(shown):
        assert f"### {part.heading}" in markdown
        for label, words in part.lines:
            assert words in text, (part.heading, label)
            assert table_cell(words) in markdown or words in markdown
            assert words in letter
    assert "| not scored | Byre \\| Glen |" in markdown
    document = json.loads(to_json(shown))
    assert document["summary"].keys() == {part.heading for part in parts_of(shown)}
    assert [f["state"] for f in document["files"][0]["files"]] == [FILE.state]


def test_what_changed_says_who_and_by_how_much_and_names_no_rule() -> None:
    """Of every alert: the bands, the scores of one model, and nothing of how the rules are called."""
    watch, still = told(0.6, MONTH.plus(-1)), told(0.7, MONTH.plus(-1))
    unseen = told(None, MONTH.plus(-1), told(0.6, MONTH.plus(-2)))
    other = told(0.6, MONTH.plus(-1)).model_copy(update={"told": None, "telling": None, "recent": ()})
    for previous, now, said in (
        (None, 0.6, "Ashcombe (991): watch, new; score 60%"),
        (
            told(0.3, MONTH.plus(-1)),
            0.88,
            "Ashcombe (991): from steady to losing grip; score 88%, 30% in September 2026",
        ),
        (watch, 0.88, "from watch to losing grip; score 88%, 60% when its director was last told, in September 2026"),
        (still, 0.99, "losing grip, worsening; score 99%, 70% when its director was last told, in September 2026"),
        (unseen, 0.88, "from watch to losing grip; score 88%, 60% in August 2026"),
        (other, 0.88, "from watch to losing grip; score 88%"),
    ):
        one = council_month(alert(score(now), previous=previous), FILES[0], told=False)
        (line,) = (part.lines for part in parts_of(outcome(councils=(one,))) if part.heading == "What changed")
        words = f"{line[0][0]}: {line[0][1]}"
        assert words.endswith(said), words
        assert not re.search(r"[a-z]_[a-z]|[a-z]\.[a-z]|rank|\d\.\d\d", words), "no rule and no threshold"


def test_the_teams_letter_opens_the_region_page_where_a_browser_reaches_it(context: RunContext) -> None:
    name = region_page_name(MONTH)
    private = replace(context, settings=context.settings.model_copy(update={"public_url": ""}))
    open_, named = (to_message(outcome(), Contact(), found_at(c, name)) for c in (context, private))
    address = f"https://store.alliance.example/holdfast/{name}"
    assert f'<a href="{address}"' in open_.html
    assert address in open_.text
    assert "<a " not in named.html
    assert f"The region page: {found_at(private, name)}" in named.text


def test_a_summary_that_says_the_same_is_the_same_message() -> None:
    def key(shown: RunOutcome) -> str:
        return to_message(shown, Contact()).key

    assert key(outcome()) == key(outcome(seconds={"read": 9.0}))
    assert key(outcome()) != key(outcome(faults=("x",)))


def test_the_validation_table_links_to_each_councils_report(context: RunContext) -> None:
    words = artifacts.validation_markdown(context, outcome())
    assert "[report](https://store.alliance.example/holdfast/validation/2026-10/councils/991.html)" in words
    late = "workforce (used, late, sent again with changes)"
    assert f"| Ashcombe (991) | {late} | 0 | 0 | Used. Nothing to put right. |" in words
    assert "| Byre \\| Glen (992) | caseload (not received) |" in words
    assert "Nobody has sent anything" in artifacts.validation_markdown(context, outcome(files=None))


def test_a_link_without_a_public_address_is_a_place(context: RunContext) -> None:
    private = replace(context, settings=context.settings.model_copy(update={"public_url": ""}))
    assert artifacts.link(private, "region/x.html", "page").startswith("page: `")


def test_charts_are_pictures_inside_the_page_and_stay_small(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts, known = [alert(score(0.6))], {"991": facts()}
    words = artifacts.charts_markdown(alerts, known)
    assert "### Ashcombe (991): watch, new" in words
    pictures = re.findall(r"!\[[^\]]+\]\(data:image/svg\+xml;base64,([^)]+)\)", words)
    assert pictures
    assert base64.b64decode(pictures[0]).startswith(b"<svg xmlns=")
    monkeypatch.setattr(artifacts, "_CHART_BYTES", 10)
    assert artifacts.charts_markdown(alerts, known) == ""
    assert artifacts.charts_markdown([alert(score(0.2), signals=False)], known) == "", "steady councils need none"


def test_a_standalone_sparkline_carries_its_style() -> None:
    (series, *_) = facts().series.values()
    drawn = base64.b64decode(sparkline_picture(series).partition(",")[2]).decode()
    assert "<style>" in drawn
    assert "script" not in drawn


def test_messages_that_wait_are_shown_without_addresses(context: RunContext) -> None:
    waits = Pending(
        month=MONTH,
        number=1,
        cutoff=date(2026, 11, 20),
        since=datetime(2026, 11, 20, tzinfo=UTC),
        flow_run_id="x",
        reason="",
        held_because="5 of 9 councils have a new or worse alert.",
        messages=(
            Waiting(
                la_code="991",
                council="Ashcombe",
                folder="991",
                message_key="k",
                digest="d",
                subject="Ashcombe, October 2026: now on watch",
                band=Band.WATCH,
                change=Change.NEW,
                recipients=2,
                preview="alerts/2026-10/991.message.html",
            ),
        ),
    )
    words = artifacts.waiting_markdown(context, waits)
    assert "1 message of October 2026 has waited for approval since 20 November 2026" in words
    assert "5 of 9 councils" in words
    assert "2 registered recipients" in words
    assert "[open it](https://store.alliance.example/holdfast/alerts/2026-10/991.message.html)" in words
    assert "@" not in words


def test_the_approver_reads_the_messages_themselves_with_their_charts(context: RunContext) -> None:
    published = publish_alert(context.store, alert(score(0.88)), Contact(person="Asha Bell"))
    assert published.message is not None
    waiting = Waiting(
        la_code="991",
        council="Ashcombe",
        folder="991",
        message_key=published.message.key,
        digest="d" * 64,
        subject=published.message.subject,
        band=Band.LOSING_GRIP,
        change=Change.NEW,
        recipients=2,
        preview=rendered_names(published.alert)[0],
    )
    gone = waiting.model_copy(update={"council": "Birchfield", "preview": "alerts/2026-10/992.message.html"})
    waits = Pending(
        month=MONTH,
        number=1,
        cutoff=date(2026, 11, 13),
        since=datetime(2026, 11, 14, tzinfo=UTC),
        flow_run_id="x",
        reason="",
        held_because="",
        messages=(waiting, gone),
    )
    words = artifacts.waiting_markdown(context, waits)
    said, shown = (" ".join(re.findall(r"\w+", text)) for text in (published.message.text, words))
    assert said in shown, "every word of the message"
    assert "```" not in words, "text in a box would be cut off at the UI's width"
    assert "* **Cases without a worker: 7.0% (worse)** Ask team managers: which cases" in words
    assert "![Chart of Ashcombe](data:image/png;base64," in words
    assert "1 message more: `holdfast preview` shows them." in words
    for address in ASHCOMBE.recipients:
        assert address not in words


def test_the_timing_table_adds_up() -> None:
    assert artifacts.timing_table(outcome())[-1] == {"stage": "together", "seconds": 3.2}


def test_tags_carry_month_and_reason() -> None:
    assert artifacts.tags_of(MONTH, "") == ("2026-10",)
    assert artifacts.tags_of(MONTH, "x" * 100) == ("2026-10", "x" * 60)
