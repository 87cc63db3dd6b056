"""The Prefect UI in a real browser on a real server: form, run, artifacts, approval, one council again."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.prefect_ui import PrefectUi, opened_ui
from tests.browser.ui_journey import journey, served, to_the_mail
from tests.integration.local_server import Server

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(1800)]

#: Prefect's second UI asks its makers' analytics service for its configuration, also with analytics off; it sends
#: nothing with it, and does without an answer.
KNOWN_ELSEWHERE = {"sr-client-cfg.amplitude.com"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("ui")) as started:
        yield started


@pytest.fixture
def ui(browser: Browser, server: Server) -> Iterator[PrefectUi]:
    with opened_ui(browser, server) as one:
        yield one


def test_a_wrong_month_gets_a_sentence_and_a_right_one_is_held_read_and_approved(ui: PrefectUi, server: Server) -> None:
    ui.open_form("monthly")
    for title in ("Month", "Reason", "Published file", "Published record"):
        expect(ui.field(title)).to_be_visible()
    ui.field("Month").fill("2026-13")

    ui.open_run(ui.submit())
    ui.until_state("Failed")
    expect(ui.page.get_by_text("“2026-13” is not a month. Write it as YYYY-MM").first).to_be_visible()

    to_the_mail(ui, server.folder, look=lambda _name: None)

    assert {urlsplit(address).hostname for address in ui.asked_elsewhere} <= KNOWN_ELSEWHERE


@pytest.mark.soak
def test_the_journey_of_the_pictures_runs_one_council_again(ui: PrefectUi, server: Server) -> None:
    journey(ui, server.folder, look=lambda _name: None)
