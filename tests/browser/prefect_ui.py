"""Pages of the Prefect UI as a person uses them: log in, fill the form, read artifacts, answer a question.

Written against the second UI (`/v2/`) of the pinned Prefect. Every wait ends with something seen on the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Response, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.integration.local_server import PATIENCE_SECONDS, Server

_PATIENCE = PATIENCE_SECONDS * 1000
#: A busy server's SQLite refuses a change now and then; the page then says so and a person presses again.
_PRESSES, _PRESS_MS = 4, 45_000
#: The graph on a run's page draws itself sixty times a second, without a graphics card at the cost of a core.
_SLOW_FRAMES = "window.requestAnimationFrame = draw => setTimeout(() => draw(performance.now()), 250);"


class PrefectUi:
    """One person's browser on one server."""

    def __init__(self, server: Server, page: Page) -> None:
        self.server, self.page = server, page
        page.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        self.asked_elsewhere: list[str] = []
        """Addresses on other hosts the pages asked for; none of them is answered."""
        self.begun: list[Response] = []
        """The server's answers to forms that were accepted: one run each."""
        page.add_init_script(_SLOW_FRAMES)
        page.route(self._is_elsewhere, lambda route: route.abort())
        page.on("response", self._note)

    def _is_elsewhere(self, address: str) -> bool:
        inside = address.startswith((f"{self.server.address}/", "data:", "blob:", "about:"))
        if not inside:
            self.asked_elsewhere.append(address)
        return not inside

    def _note(self, answer: Response) -> None:
        if answer.url.endswith("/create_flow_run") and answer.ok:
            self.begun.append(answer)

    def log_in(self) -> None:
        """Through the page that asks for it, with user and password."""
        self.page.goto(f"{self.server.address}/v2/")
        self.page.wait_for_url("**/v2/login**")
        self.page.get_by_role("textbox").fill(":".join(self.server.login))
        self.page.get_by_role("button", name="Login").click()
        expect(self.page.get_by_role("link", name="Deployments")).to_be_visible()
        self.page.wait_for_url("**/v2/dashboard**")

    def open_form(self, deployment: str) -> None:
        """From the list of deployments, by its Run button, to the form of its parameters."""
        self.page.get_by_role("link", name="Deployments").first.click()
        self.page.locator('a[href*="/deployments/deployment/"]').filter(has_text=deployment).click()
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Custom run").click()
        expect(self.field("Month")).to_be_visible()

    def field(self, title: str) -> Locator:
        """A box for text, by its label."""
        return self.page.get_by_label(re.compile(rf"^{re.escape(title)}( \(Optional\))?$"))

    def choose(self, title: str, choice: str) -> list[str]:
        """Pick from a select box; returns all it offers."""
        self.page.get_by_label(f"Select {title}").click()
        expect(self.page.get_by_role("option", name=choice, exact=True)).to_be_visible()
        offered = self.page.get_by_role("option").all_inner_texts()
        self.page.get_by_role("option", name=choice, exact=True).click()
        return offered

    def add_to_list(self, title: str, text: str) -> None:
        """Add one item to a list of texts."""
        label = self.page.get_by_text(re.compile(rf"^{re.escape(title)}( \(Optional\))?$"))
        group = label.locator("xpath=ancestor::div[contains(@class, 'group')][1]")
        group.get_by_role("button", name="Add item").click()
        group.get_by_role("textbox").last.fill(text)

    def _pressed(self, button: Locator, answered: Callable[[], None]) -> None:
        """Press a button until the page has answered as it should."""
        for left in reversed(range(_PRESSES)):
            # A slow answer to the press before may take the button away.
            with suppress(PlaywrightTimeout):
                button.click(timeout=_PRESS_MS)
            try:
                answered()
                return
            except AssertionError:
                if not left:
                    raise

    def _until_gone(self, button: Locator, what: Locator) -> None:
        """Press a button until what it belongs to has closed."""
        self._pressed(button, lambda: expect(what).to_be_hidden(timeout=_PRESS_MS))

    def submit(self) -> str:
        """Send the form; returns the id of the run that began, when the form's page has been left."""
        button = self.page.get_by_role("button", name="Submit")
        self._until_gone(button, button)
        return str(self.begun[-1].json()["id"])

    def open_run(self, run: str, state: str) -> None:
        """The page of a run in this state. No page is open until it is: a run's page draws itself anew all the time."""
        self.page.goto("about:blank")
        self.server.until_state(run, state)
        self._show_run(run)
        shown = self.page.locator("span, div").filter(has_text=re.compile(rf"^{state}$")).first
        expect(shown).to_be_visible()

    def _show_run(self, run: str) -> None:
        address = f"{self.server.address}/v2/runs/flow-run/{run}"
        if self.page.url.partition("?")[0] != address:
            self.page.goto(address)

    def open_artifact(self, run: str, name: str) -> Locator:
        """From the run's tab of artifacts to one of them, by the end of its key; what it shows."""
        self._show_run(run)
        self.page.get_by_role("tab", name="Artifacts").click()
        self.page.locator(f'a[href*="/artifacts/key/"][href$="-{name}"]').first.click()
        self.page.locator('a[href*="/artifacts/artifact/"]').first.click()
        shown = self.page.get_by_role("tabpanel")
        expect(shown).not_to_be_empty()
        return shown

    def open_question(self, run: str) -> Locator:
        """Resume in the run's menu; the dialogue with the form of the answer."""
        self.open_run(run, "Suspended")
        self.page.get_by_role("button", name="Open menu").first.click()
        self.page.get_by_role("menuitem", name="Resume").click()
        dialogue = self.page.get_by_role("dialog")
        expect(dialogue.get_by_label("Select Decision")).to_be_visible()
        return dialogue

    def answer(self, dialogue: Locator, given: Mapping[str, str]) -> None:
        """Fill the boxes for text of the answer and send it."""
        for title, text in given.items():
            dialogue.get_by_label(re.compile(rf"^{re.escape(title)}( \(Optional\))?$")).fill(text)
        self._until_gone(dialogue.get_by_role("button", name="Resume"), dialogue)


def images(shown: Locator) -> list[dict[str, Any]]:
    """Each picture's alternative text and whether it has loaded."""
    found: list[dict[str, Any]] = shown.locator("img").evaluate_all(
        "all => all.map(i => ({alt: i.alt, loaded: i.complete && i.naturalWidth > 0}))"
    )
    return found


@contextmanager
def opened_ui(browser: Browser, server: Server, width: int = 1280, height: int = 900) -> Iterator[PrefectUi]:
    """A fresh browser session that is logged in."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, timezone_id="Europe/London", reduced_motion="reduce"
    )
    try:
        ui = PrefectUi(server, context.new_page())
        ui.log_in()
        yield ui
    finally:
        context.close()
