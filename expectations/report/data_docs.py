"""Great Expectations' own pages about a month's suites, made fit to be kept and passed on.

Its pages fetch styles, scripts and a logo from a score of addresses and carry the time of the run. Here
its renderer makes the page, and only plain elements of the result are kept, by a list of what may stay;
everything else, known or not, is dropped. The results hold counts only (`engine.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from html.parser import HTMLParser
from importlib import import_module
from typing import Any

from expectations.accepted import Accepted, expired, unmatched
from expectations.batch import Batch, Outcome, SuiteResult
from expectations.fates import CouncilFiles
from expectations.passing import engine
from expectations.report.council import CouncilReport, as_html, as_json, council_report, render_page
from features.councils import folder_name

# fmt: off
_KEPT_ELEMENTS = frozenset({
    "div", "span", "table", "thead", "tbody", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol",
    "li", "strong", "b", "em", "br", "hr", "code", "small", "section",
})
#: Its headings hang under our one heading without a gap.
_LEVELS = {"h4": "h2", "h5": "h2", "h6": "h3"}
_EMPTY_ELEMENTS = frozenset({"br", "hr"})
#: Elements dropped with all that is inside them. Others are dropped and their text kept.
_DROPPED_WHOLE = frozenset({
    "script", "style", "head", "nav", "footer", "button", "form", "label", "select", "svg", "iframe", "object",
    "template", "noscript", "title",
})
# fmt: on
_KEPT_ATTRIBUTES = frozenset({"colspan", "rowspan", "hidden", "scope"})
#: The class of what the pages say of one column; around it stand menus.
_SECTION = "ge-section"
#: Great Expectations says by icon whether a check passed.
_STATUS = {
    "text-success": ("passed", "Passed"),
    "text-danger": ("failed", "Failed"),
    "text-warning": ("failed", "Failed"),
}


def site(
    batch: Batch, outcome: Outcome, councils: Sequence[CouncilFiles], accepted: Sequence[Accepted] = ()
) -> dict[str, bytes]:
    """Every page of a month's validation by its relative name, `index.html` first.

    `councils/<folder>.html` and `.json` are the councils' own reports.
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
        pages[f"councils/{folder_name(report.files.la_code)}.json"] = as_json(report)
    for name, suite in suites:
        pages[name] = suite_page(suite)
    return pages


def _urgency(report: CouncilReport) -> tuple[int, int, str]:
    """Most to put right first."""
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
    """Only the plain elements of a page's body: no script, style, form, image, address or attribute but layout.

    Of a page with `within`, only what is inside a `div` of that class.
    """
    cleaner = _Cleaner(within)
    cleaner.feed(html)
    cleaner.close()
    return re.sub(r"\s*\n\s*", "\n", "".join(cleaner.kept)).strip()


def _rendered(suite: SuiteResult) -> str:
    engine.load_great_expectations()
    core = import_module("great_expectations.core")
    renderer = import_module("great_expectations.render.renderer")
    failed = _failed(suite)
    total = len(suite.results)
    result = core.ExpectationSuiteValidationResult(
        success=failed == 0,
        results=list(suite.results),
        suite_name=suite.name,
        statistics={
            "evaluated_expectations": total,
            "successful_expectations": total - failed,
            "unsuccessful_expectations": failed,
            "success_percent": 100 * (total - failed) / total if total else 100.0,
        },
        meta={"run_id": {"run_name": str(suite.last), "run_time": f"{suite.last.last_day.isoformat()}T00:00:00+00:00"}},
    )
    document: Any = renderer.ValidationResultsPageRenderer(run_info_at_end=True).render(result)
    # The first section repeats the statistics, the last the run: both stand in our heading.
    document.sections = sorted(document.sections[1:-1], key=_passes_all)
    return str(_view().render(document))


def _passes_all(section: Any) -> bool:
    """Whether nothing in a section failed: what did goes first."""
    return not any(sign in str(section.to_json_dict()) for sign, (words, _) in _STATUS.items() if words == "failed")


@cache
def _view() -> Any:
    """One for all pages: each compiles its score of templates anew."""
    return import_module("great_expectations.render.view").DefaultJinjaPageView()


def _failed(suite: SuiteResult) -> int:
    return sum(not one.success for one in suite.results)


def _file_name(suite: SuiteResult) -> str:
    return re.sub(r"[^a-z]+", "-", suite.name.lower()).strip("-") + ".html"


class _Cleaner(HTMLParser):
    """Copies what is on the lists."""

    def __init__(self, within: str | None) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self._dropping: list[str] = []
        self._within = within
        self._depth = 0
        """How many `div` are open since, and with, the one that counts."""

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
