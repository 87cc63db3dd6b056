"""Headless Chromium for the tests that look at pages as a reader's browser lays them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium


@pytest.fixture(scope="module")
def browser(program: Callable[[str, str], str]) -> Iterator[Browser]:
    """Closed with its module: Playwright's loop runs in the main thread, where other tests start loops of their own."""
    with chromium(program("chromium", "chromium")) as one:
        yield one
