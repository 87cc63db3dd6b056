"""Starts Debian's Chromium without a window, and opens pages in it that must call nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

Scheme = Literal["light", "dark"]


@contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """The browser; without its sandbox, which containers do not allow, as it opens nothing but our own pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, html: str, width: int, *, scheme: Scheme = "light", height: int = 800, images: bool = True
) -> Iterator[tuple[Page, list[str]]]:
    """The page at a width, and the addresses it has asked for outside itself (it gets none of them).

    All pages are shown in one tab, one after the other: a tab of its own costs more than what is looked at in it.
    """
    page = browser.contexts[0].pages[0] if browser.contexts else browser.new_context().new_page()
    page.goto("about:blank")
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    asked: list[str] = []

    def refuse(address: str) -> bool:
        inside = address.startswith(("data:", "about:"))
        if not inside:
            asked.append(address)
        return not inside

    page.route(refuse, lambda route: route.abort())
    if not images:
        html = html.replace('src="data:image', 'data-src="data:image')
    page.set_content(html, wait_until="load")
    try:
        yield page, asked
    finally:
        page.unroute_all()
