"""WCAG 2.2 AA by axe-core, headings and landmarks included: every kind of message and every page, light and dark."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import Scheme, opened
from tests.browser.pages import PAGES, some
from tests.conftest import made_once
from tests.golden.messages.cases import MESSAGES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: npm's package of the rules. Only its one file is read; nothing of it is installed or kept.
AXE = "axe-core@4.10.3"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: In the dark a page has the same elements in other colours.
IN_THE_DARK = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
PHONE = 360

SHOWN: dict[str, Callable[[], str]] = {
    **{name: lambda make=make: make().standalone_html() for name, make in MESSAGES.items()},
    **PAGES,
}


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of axe-core, fetched by npm; where that cannot be, the tests are skipped, but not in CI."""
    return (made_once(tmp_path_factory, "axe", _fetch) / "axe.min.js").read_text()


def _fetch(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    npm = shutil.which("npm")
    fetched = npm and subprocess.run([npm, "pack", AXE, "--silent"], cwd=folder, capture_output=True, timeout=120)
    packed = next(folder.glob("axe-core-*.tgz"), None)
    if not fetched or packed is None:
        why = f"npm could not fetch {AXE}" if npm else "npm is not installed; `apt-get install npm`"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with tarfile.open(packed) as archive:
        content = archive.extractfile("package/axe.min.js")
        assert content is not None
        (folder / "axe.min.js").write_bytes(content.read())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", some(SHOWN))
def test_a_page_keeps_every_rule_and_fits_a_phone(browser: Browser, axe: str, name: str, scheme: Scheme) -> None:
    with opened(browser, SHOWN[name](), PHONE, scheme=scheme) as (page, asked):
        page.evaluate(axe)
        only = IN_THE_DARK if scheme == "dark" else {"type": "tag", "values": RULES}
        found = page.evaluate("only => axe.run(document, {runOnly: only})", only)
        assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
        assert asked == []


def test_the_rules_find_what_they_are_for(browser: Browser, axe: str) -> None:
    faulty = (
        "<html lang='en-GB'><title>x</title><p style='color:#bbb;background:#fff'>pale</p><img src='data:,'></html>"
    )
    with opened(browser, faulty, PHONE) as (page, _):
        page.evaluate(axe)
        found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
        assert {"color-contrast", "image-alt", "landmark-one-main"} <= {v["id"] for v in found["violations"]}
