"""Great Expectations' own pages about a month's suites, cleaned so that they can be kept and passed on.

Its pages fetch styles, scripts and a logo from about twenty addresses and show the time of the run. Here its renderer
makes the page, and only plain elements on a list of allowed ones are kept. Everything else, known or unknown, is
dropped. The results hold counts only (`engine.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from html.parser import HTMLParser
from typing import Any

from expectations.accepted import Accepted, expired, unmatched
from expectations.batch import Batch, Outcome, SuiteResult
from expectations.fates import CouncilFiles
from expectations.passing import engine, hooks
from expectations.report.council import CouncilReport, as_html, as_json, council_report, render_page
from features.councils import folder_name

# fmt: off
_KEPT_ELEMENTS = frozenset({
    "div", "span", "table", "thead", "tbody", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol",
    "li", "strong", "b", "em", "br", "hr", "code", "small", "section",
})
#: Its headings are placed below our single heading, without skipping a level.
_LEVELS = {"h4": "h2", "h5": "h2", "h6": "h3"}
_EMPTY_ELEMENTS = frozenset({"br", "hr"})
#: These elements are dropped with everything inside them. Of other elements that are not allowed, the text is kept.
_DROPPED_WHOLE = frozenset({
    "script", "style", "head", "nav", "footer", "button", "form", "label", "select", "svg", "iframe", "object",
    "template", "noscript", "title",
})
# fmt: on
_KEPT_ATTRIBUTES = frozenset({"colspan", "rowspan", "hidden", "scope"})
#: The class of the sections about a single column; the rest of the page is menus.
_SECTION = "ge-section"
#: Great Expectations shows by icon whether a check passed.
_STATUS = {
    "text-success": ("passed", "Passed"),
    "text-danger": ("failed", "Failed"),
    "text-warning": ("failed", "Failed"),
}


def site(
    batch: Batch, outcome: Outcome, councils: Sequence[CouncilFiles], accepted: Sequence[Accepted] = ()
) -> dict[str, bytes]:
    """Every page of a month's validation, by relative name; `index.html` comes first.

    `councils/<folder>.html` is a council's own report; `reports.json` has the facts of all of them, by folder.
    """
    pages: dict[str, bytes] = {}
    reports = [council_report(batch, outcome, files) for files in councils]
    suites = [(f"data-docs/{_file_name(suite)}", suite) for suite in outcome.suites]
    pages["index.html"] = render_page(
        "index.html.j2",
        month=outcome.month,
        statistics=outcome.statistics,
        reports=[(f"councils/{folder_name(r.files.la_code)}.html", r) for r in sorted(reports, key=_urgency)],
        suites=[(name, suite.name, _failed(suite)) for name, suite in suites],
        expired=expired(accepted, outcome.month),
        unmatched=unmatched(accepted, outcome.failures, outcome.month),
    )
    for report in reports:
        pages[f"councils/{folder_name(report.files.la_code)}.html"] = as_html(report)
    pages["reports.json"] = as_json(reports)
    for name, suite in suites:
        pages[name] = suite_page(suite)
    return pages


def _urgency(report: CouncilReport) -> tuple[int, int, str]:
    """Sort key: councils with the most to correct come first."""
    return -report.files.errors, -report.files.queries, report.files.name


def suite_page(suite: SuiteResult) -> bytes:
    """Great Expectations' page of one suite, cleaned."""
    return render_page(
        "data_docs.html.j2",
        suite=suite,
        failed=_failed(suite),
        body=clean(_rendered(suite), within=_SECTION),
    )


def clean(html: str, within: str | None = None) -> str:
    """Only the plain elements of a page's body: no scripts, styles, forms, images, addresses or non-layout attributes.

    With `within`, only what is inside a `div` of that class.
    """
    cleaner = _Cleaner(within)
    cleaner.feed(html)
    cleaner.close()
    return re.sub(r"\s*\n\s*", "\n", "".join(cleaner.kept)).strip()


def _rendered(suite: SuiteResult) -> str:
    engine.load_great_expectations()
    # Of its own summary nothing is kept, so it is given none.
    result = hooks.VALIDATION_RESULT.get()(
        success=True,
        results=[_result(one) for one in suite.results],
        suite_name=suite.name,
        statistics={},
        meta={"run_id": {"run_name": str(suite.last), "run_time": f"{suite.last.last_day.isoformat()}T00:00:00+00:00"}},
    )
    document: Any = hooks.PAGE_RENDERER.get()(run_info_at_end=True).render(result)
    # The first section repeats the statistics and the last describes the run; our heading has both.
    document.sections = sorted(document.sections[1:-1], key=_passes_all)
    return str(_view().render(document))


def _result(document: Mapping[str, Any]) -> Any:
    """A result as Great Expectations' object, with the share of all rows; the document has that of filled cells."""
    found, rows = document["result"]["unexpected_count"], document["result"]["element_count"]
    share = {"unexpected_percent": 100.0 * found / rows} if found else {}
    configuration = hooks.CONFIGURATION.get()(**document["expectation_config"])
    result = {**document["result"], **share}
    return hooks.RESULT.get()(**{**document, "expectation_config": configuration, "result": result})


def _passes_all(section: Any) -> bool:
    """Whether nothing in a section failed; sections with failures are sorted first."""
    return not any(sign in str(section.to_json_dict()) for sign, (words, _) in _STATUS.items() if words == "failed")


@cache
def _view() -> Any:
    """One view for all pages, because each view compiles about twenty templates again."""
    return hooks.PAGE_VIEW.get()()


def _failed(suite: SuiteResult) -> int:
    return sum(not one["success"] for one in suite.results)


def _file_name(suite: SuiteResult) -> str:
    return re.sub(r"[^a-z]+", "-", suite.name.lower()).strip("-") + ".html"


class _Cleaner(HTMLParser):
    """Copies the allowed elements and drops the rest."""

    def __init__(self, within: str | None) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self._dropping: list[str] = []
        self._within = within
        self._depth = 0
        """The number of `div` open since the one that matched `within`, including that one."""

    @property
    def _outside(self) -> bool:
        return self._within is not None and self._depth == 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "div" and not self._dropping and (self._depth or self._within in classes):
            self._depth += 1
        if self._outside:
            return
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.append(tag)
            return
        if tag in _DROPPED_WHOLE:
            self._dropping.append(tag)
            return
        if tag == "i":
            for name in classes:
                if name in _STATUS:
                    style, word = _STATUS[name]
                    self.kept.append(f'<span class="{style}">{word}</span>')
            return
        if tag in _KEPT_ELEMENTS:
            kept = "".join(f' {n}="{escape(v or "")}"' for n, v in attrs if n in _KEPT_ATTRIBUTES)
            self.kept.append(f"<{_LEVELS.get(tag, tag)}{kept}>")

    def handle_endtag(self, tag: str) -> None:
        if self._outside:
            return
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
            return
        if tag in _KEPT_ELEMENTS and tag not in _EMPTY_ELEMENTS:
            self.kept.append(f"</{_LEVELS.get(tag, tag)}>")
        if tag == "div" and self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if not self._dropping and not self._outside:
            self.kept.append(escape(data, quote=False))
