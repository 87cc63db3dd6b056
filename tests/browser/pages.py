"""The pages that a browser test looks at, made from the examples of the unit tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest

from expectations.fates import CouncilFiles, files_as_checked
from expectations.report.data_docs import site
from features.registry import Kind
from tests.unit.expectations.examples import batch_of, check_batch, large_rows
from tests.unit.flows.alerts.test_region_page import page as region_page_of_examples


@cache
def validation_pages() -> dict[str, str]:
    """A month's validation of two councils, one with errors and queries, the other with none."""
    spoiled = large_rows()
    spoiled[Kind.WORKFORCE][3]["org_role"] = "9"
    spoiled[Kind.CASELOAD][5]["closed_date"] = spoiled[Kind.CASELOAD][5]["referral_date"].replace(year=2001)
    batch = batch_of({"901": large_rows(), "902": spoiled})
    outcome = check_batch(batch)
    councils: list[CouncilFiles] = [files_as_checked(batch, outcome, code) for code in ("901", "902")]
    return {name: page.decode() for name, page in site(batch, outcome, councils).items() if name.endswith(".html")}


PAGES: dict[str, Callable[[], str]] = {
    "region": region_page_of_examples,
    **{
        name: lambda name=name: validation_pages()[name]
        for name in ("index.html", "councils/901.html", "councils/902.html", "data-docs/caseload-static.html")
    },
}

#: Of pages laid out alike, the one with most in it. `make soak` looks at every page.
EVERY_PUSH = {
    "new_losing_grip", "not_scored", "run_summary", "scorecard", "data_officer", "region", "index.html",
    "councils/902.html",
}  # fmt: skip


def some(names: Iterable[str]) -> list[Any]:
    """Names as parameters of a test, those that only `make soak` looks at marked."""
    return [name if name in EVERY_PUSH else pytest.param(name, marks=pytest.mark.soak) for name in names]
