"""An officer drops a file on the desk in a real browser and reads the report; nothing of it is left anywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.test_axe import PHONE, RULES, axe  # noqa: F401
from tests.conftest import REPOSITORY
from tests.unit.flows.extracts.conftest import WORKFORCE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: A worker of this reference is in the file and must be nowhere afterwards.
MARKER = "MARKER-OF-A-WORKER"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """The running desk, its address, and the folder that has everything it could write to."""
    places = {name: str(tmp_path / name) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for folder in places.values():
        Path(folder).mkdir()
    running = subprocess.Popen(
        [sys.executable, "-u", "-m", "flows.cli.app", "desk", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, **places, "PYTHONPATH": str(REPOSITORY), "HOLDFAST_CONFIG": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    yield running, running.stdout.readline().split()[4].rstrip("."), tmp_path
    running.kill()
    running.wait()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": PHONE, "height": 800}, color_scheme="dark")
    context.set_default_timeout(120_000)
    yield context.new_page()
    context.close()


def choose(page: Page, content: str) -> None:
    """Choose the file as a person does; a file dropped on the box is chosen by the browser itself."""
    page.get_by_label("Files: drop").set_input_files(
        {"name": "workforce.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )


def faults(page: Page, axe: str) -> list[object]:  # noqa: F811
    # The page's own policy lets no script in, so the rules are run past it, as an extension's are.
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    return [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]]


def test_a_file_is_dropped_and_its_report_read(
    desk: tuple[subprocess.Popen[str], str, Path],
    page: Page,
    axe: str,  # noqa: F811
) -> None:
    running, address, folder = desk
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.goto(address)
    assert faults(page, axe) == []
    choose(page, WORKFORCE.replace(",0.8,", ",much,").replace("W1", MARKER))
    page.get_by_role("button", name="Check").click()
    page.get_by_role("heading", name="Checks of October 2026: Council 370").wait_for(timeout=120_000)
    assert "fte could not be read" in page.locator("main").inner_text()
    assert MARKER not in page.content()
    assert faults(page, axe) == []
    assert refused == []
    running.send_signal(signal.SIGKILL)
    left = [p for p in folder.rglob("*") if p.is_file() and MARKER.encode() in p.read_bytes()]
    assert left == []


@pytest.mark.soak
def test_what_is_too_much_gets_a_sentence_in_the_browser(
    desk: tuple[subprocess.Popen[str], str, Path], page: Page, tmp_path: Path
) -> None:
    _, address, _ = desk
    large = tmp_path / "workforce.csv"
    with large.open("wb") as file:
        file.truncate(101_000_000)
    few = [tmp_path / f"workforce-{i}.csv" for i in range(11)]
    for one in few:
        one.write_text("la_code\n")
    for files, says in (([large], "100 MB"), (few, "10 files")):
        page.goto(address)
        page.get_by_label("Files: drop").set_input_files(files)
        page.get_by_role("button", name="Check").click()
        page.locator("main").get_by_text("Not checked").wait_for(timeout=60_000)
        assert says in page.locator("main").inner_text()


@pytest.mark.soak
def test_the_desk_killed_in_the_middle_leaves_no_process_and_no_file(
    desk: tuple[subprocess.Popen[str], str, Path], page: Page
) -> None:
    running, address, folder = desk
    page.goto(address)
    choose(page, WORKFORCE.replace("W1", MARKER))
    # A click would wait for the answer.
    page.evaluate("setTimeout(() => document.forms[0].requestSubmit(), 0)")
    child = _child(running.pid)
    running.send_signal(signal.SIGKILL)
    running.wait()
    for _ in range(600):
        if not Path(f"/proc/{child}").exists():
            break
        page.wait_for_timeout(100)
    assert not Path(f"/proc/{child}").exists()
    assert [p for p in folder.rglob("*") if p.is_file() and MARKER.encode() in p.read_bytes()] == []


def _child(parent: int) -> int:
    """The process that works out the answer."""
    until = Path(f"/proc/{parent}/task")
    for _ in range(600):
        for children in until.glob("*/children"):
            if found := children.read_text().split():
                return int(found[0])
        time.sleep(0.05)
    raise AssertionError("the desk asked nobody")
