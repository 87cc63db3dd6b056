"""A month in the Prefect UI from the form to the last mail: what the test asserts, and what the pictures show."""

from __future__ import annotations

import email
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.policy import default
from pathlib import Path

from playwright.sync_api import expect

from flows.cli.demo import settings_for
from tests.browser import ui_region
from tests.browser.prefect_ui import PrefectUi, images
from tests.integration.local_server import Server

MONTH = str(ui_region.LAST)
WHO = "J. Marsh"
#: Called with a name wherever there is something worth a picture.
Look = Callable[[str], None]


@contextmanager
def served(folder: Path, months: int = ui_region.MONTHS) -> Iterator[Server]:
    """`holdfast server` on the made-up region, everything inside the folder."""
    ui_region.make(folder / "landing", months)
    server = Server(folder, {**settings_for(folder), "PREFECT_RUNNER_POLL_FREQUENCY": "2"})
    try:
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()


def told(folder: Path) -> list[tuple[str, str]]:
    """Message-ID and addressee of every message to a director in the outbox."""
    found = [email.message_from_bytes(p.read_bytes(), policy=default) for p in (folder / "outbox").glob("*.eml")]
    return sorted((str(m["Message-ID"]), str(m["To"])) for m in found if "dcs@" in str(m["To"]))


def hold(ui: PrefectUi, look: Look) -> str:
    """Start the month from the form, holding its mail; the run that waits."""
    ui.open_form("monthly")
    expect(ui.page.get_by_text("The month to run, as YYYY-MM", exact=False)).to_be_visible()
    ui.field("Month").fill(MONTH)
    ui.field("Reason").fill("first look")
    assert ui.choose("Send e-mails", "hold for approval") == ["yes", "hold for approval", "no"]
    look("form")
    run = ui.submit()
    ui.open_run(run, "Suspended")
    expect(ui.page.get_by_text(f"{MONTH}: first look").first).to_be_visible()
    look("run")
    return run


def read_messages(ui: PrefectUi, run: str, councils: Sequence[str], look: Look) -> None:
    """What the approver reads before deciding."""
    messages = ui.open_artifact(run, "messages")
    expect(messages).to_contain_text(f"{len(councils)} messages of October 2026 have waited for approval")
    for council in councils:
        expect(messages).to_contain_text(council)
    expect(messages).to_contain_text("1 registered recipient")
    expect(messages).not_to_contain_text("dcs@")
    look("messages")


def read_the_rest(ui: PrefectUi, run: str, look: Look) -> None:
    """What else the run shows."""
    summary = ui.open_artifact(run, "summary")
    expect(summary).to_contain_text("October 2026: completed with 1 council not scored, 3 of 4 scored")
    expect(summary).to_contain_text("Nothing is sent before that")
    look("summary")

    councils = ui.open_artifact(run, "councils")
    for text in ("Quarrendale", "losing grip", "caseload per worker", "Sorrelmere", "steady"):
        expect(councils).to_contain_text(text)

    validation = ui.open_artifact(run, "validation")
    expect(validation).to_contain_text("workforce (refused; 1 error)")

    charts = ui.open_artifact(run, "charts")
    expect(charts).to_contain_text("Quarrendale (Z02): losing grip, new")
    expect(charts.locator("img").last).to_be_visible()
    found = images(charts)
    assert len(found) >= 5
    assert all(image["alt"] and image["loaded"] for image in found), found
    look("charts")


def approve(ui: PrefectUi, run: str, councils: Sequence[str], look: Look) -> None:
    """Answer in the run's own form, and see the run end."""
    dialogue = ui.open_question(run)
    expect(dialogue).to_contain_text(f"{len(councils)} messages of October 2026")
    assert ui.choose("Decision", "send all") == ["send all", "hold some", "cancel"]
    dialogue.get_by_label("Your name").fill(WHO)
    look("approval")
    ui.answer(dialogue, {})
    ui.open_run(run, "Completed")
    look("done")


def again(ui: PrefectUi, look: Look) -> None:
    """Run one council once more, with mail."""
    ui.open_form("monthly")
    ui.field("Month").fill(MONTH)
    ui.field("Reason").fill("once more")
    ui.add_to_list("Councils", "Z02")
    look("one-council")
    run = ui.submit()
    ui.open_run(run, "Completed")
    expect(ui.page.get_by_text(re.compile(rf"{MONTH}, Z02: once more")).first).to_be_visible()


def to_the_mail(
    ui: PrefectUi, folder: Path, look: Look, councils: Sequence[str] = ui_region.FIRST_TOLD
) -> list[tuple[str, str]]:
    """From the form to the mail, with what must be true outside the browser; who was told."""
    run = hold(ui, look)
    assert told(folder) == []
    read_messages(ui, run, councils, look)
    if councils == ui_region.TOLD:
        read_the_rest(ui, run, look)
    approve(ui, run, councils, look)
    first = told(folder)
    assert [to.partition("@")[2] for _, to in first] == [f"{c.partition(' ')[0].lower()}.example" for c in councils]
    decision = json.loads((folder / "store" / "approvals" / MONTH / "1" / "decision.json").read_text())
    assert (decision["by"], decision["decision"], decision["through"]) == (WHO, "send all", "the Prefect UI")
    return first


def journey(ui: PrefectUi, folder: Path, look: Look) -> None:
    """All of it: nobody is told again when one council is run once more."""
    first = to_the_mail(ui, folder, look, ui_region.TOLD)
    again(ui, look)
    assert told(folder) == first
