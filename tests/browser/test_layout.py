"""Every message and the region page in a real browser: on a phone, in a mail program's column, in the dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from flows.alerts.letter.letter import FIGURES_HEADING
from tests.browser.chromium import Scheme, opened
from tests.browser.pages import some
from tests.golden.messages.cases import MESSAGES
from tests.unit.flows.alerts.test_region_page import page as region_page_of_examples

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PHONE, COLUMN = 360, 600
#: What a common phone shows at once.
SCREEN = 800
#: WCAG 2.2, 1.4.3: contrast of text; large text (24 px, or 18.66 px and bold) needs less.
ENOUGH, ENOUGH_IF_LARGE = 4.5, 3.0

#: Every piece of text a reader sees, with the contrast of its colour to what lies behind it.
_CONTRASTS = """() => {
  const numbers = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches &&
      getComputedStyle(document.documentElement).colorScheme.includes('dark') ? [18, 18, 18] : [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !e.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (['SCRIPT', 'STYLE', 'OPTION'].includes(e.tagName)) continue;
    const box = e.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(e), [a, b] = [light(numbers(style.color)), light(behind(e))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    found.push({text: text.slice(0, 40), ratio: (a + 0.05) / (b + 0.05), size, large: size >= (bold ? 18.66 : 24)});
  }
  return found;
}"""


def widest(page: Page) -> int:
    return int(page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"))


def pale(page: Page) -> list[dict[str, Any]]:
    texts: list[dict[str, Any]] = page.evaluate(_CONTRASTS)
    assert len(texts) > 5
    return [t for t in texts if t["ratio"] < (ENOUGH_IF_LARGE if t["large"] else ENOUGH)]


def standing(page: Page) -> list[int]:
    return [int(n) for n in page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(h => h.tagName[1])")]


def fits(browser: Browser, html: str, width: int) -> None:
    with opened(browser, html, width) as (page, asked):
        assert widest(page) <= width, "no sideways scrolling"
        assert asked == [], "nothing is fetched from anywhere"
        assert page.eval_on_selector_all("img", "all => all.filter(i => !i.complete || !i.naturalWidth).length") == 0


@pytest.mark.parametrize("name", some(MESSAGES))
def test_a_message_fits_a_phone_and_a_column_and_is_well_formed(browser: Browser, name: str) -> None:
    html = MESSAGES[name]().standalone_html()
    fits(browser, html, PHONE)
    fits(browser, html, COLUMN)
    with opened(browser, html, PHONE) as (page, _):
        assert page.locator("html").get_attribute("lang") == "en-GB"
        assert page.eval_on_selector_all("img:not([alt]), img[alt='']", "all => all.length") == 0
        levels = standing(page)
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False)), levels
        sizes = page.evaluate(_CONTRASTS)
        assert min(t["size"] for t in sizes) >= 12, "nothing is too small to read on a phone"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", some(["new_losing_grip", "recovering", "not_scored", "correction", "run_summary"]))
def test_a_messages_text_stands_out_in_light_and_dark(browser: Browser, name: str, scheme: Scheme) -> None:
    with opened(browser, MESSAGES[name]().standalone_html(), PHONE, scheme=scheme) as (page, _):
        assert pale(page) == []


@pytest.mark.parametrize("name", some(n for n in MESSAGES if MESSAGES[n]().letter.points))
def test_the_first_screen_has_band_reason_measures_questions_and_somebody_to_call(browser: Browser, name: str) -> None:
    message = MESSAGES[name]()
    with opened(browser, message.standalone_html(), PHONE, height=SCREEN, images=False) as (page, _):
        box = page.get_by_text(message.letter.contact).bounding_box()
        assert box is not None and box["y"] + box["height"] <= SCREEN
        figures = page.get_by_role("heading", name=FIGURES_HEADING).bounding_box()
        assert figures is not None and figures["y"] > box["y"], "figures and charts come after it"


def test_the_first_screen_of_an_alert_says_what_happened_and_why(browser: Browser) -> None:
    message = MESSAGES["new_losing_grip"]()
    with opened(browser, message.standalone_html(), PHONE, height=640) as (page, _):
        first = page.get_by_text(message.letter.points[0].label, exact=False).first
        box = first.bounding_box()
        assert box is not None and box["y"] < 640
        title = page.locator("h1").bounding_box()
        assert title is not None and title["y"] < 200


def test_a_message_without_images_still_says_what_the_chart_shows(browser: Browser) -> None:
    message = MESSAGES["new_losing_grip"]()
    with opened(browser, message.standalone_html(), PHONE, images=False) as (page, _):
        alt = page.locator("img").first.get_attribute("alt")
        assert alt is not None and "Cases without a worker 7.0%, marked worse for 5 months" in alt
        assert widest(page) <= PHONE


@pytest.mark.parametrize("width", [PHONE, 1200])
def test_the_region_page_fits(browser: Browser, width: int) -> None:
    fits(browser, region_page_of_examples(), width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_region_page_is_well_formed_and_readable(browser: Browser, scheme: Scheme) -> None:
    with opened(browser, region_page_of_examples(), PHONE, scheme=scheme) as (page, _):
        assert page.locator("html").get_attribute("lang") == "en-GB"
        levels = standing(page)
        assert levels[0] == 1 and levels.count(1) == 1
        assert page.eval_on_selector_all("svg:not([aria-label]):not([aria-hidden])", "all => all.length") == 0
        assert pale(page) == []


def test_the_region_page_filters_and_sorts(browser: Browser) -> None:
    with opened(browser, region_page_of_examples(), COLUMN) as (page, asked):
        shown = page.locator(".council:visible")
        every = shown.count()
        assert every > 1
        name = page.locator(".council:visible h2").last.inner_text()
        page.locator("input[type=search]").fill(name)
        assert page.locator(".council:visible h2").all_inner_texts() == [name]
        page.locator("input[type=search]").fill("")
        assert shown.count() == every
        page.locator("select").first.select_option("name")
        names = page.locator(".council:visible h2").all_inner_texts()
        assert names == sorted(names)
        assert asked == []
