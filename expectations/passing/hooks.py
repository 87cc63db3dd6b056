"""Every part of Great Expectations that we use beyond its documented interface, in one place.

An upgrade may move any of them. `tests/unit/expectations/passing/test_hooks.py` looks at each, and says which one an
upgrade broke and what it is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from expectations.batch import CheckBroken


@dataclass(frozen=True, slots=True)
class Hook:
    """A name inside Great Expectations."""

    module: str
    name: str
    why: str
    """What we use it for, as the end of “we use it …”."""

    def get(self) -> Any:
        """What stands under the name. Raises CheckBroken, with the version, if it is gone."""
        try:
            return getattr(import_module(self.module), self.name)
        except (ImportError, AttributeError):
            raise CheckBroken(
                f"Great Expectations {version()} has no {self.module}.{self.name} any more. We use it {self.why}. "
                "Install the locked version, or mend expectations/passing/hooks.py."
            ) from None


def version() -> str:
    """The version of Great Expectations in use."""
    return str(import_module("great_expectations").__version__)


RESULT = Hook("great_expectations.core", "ExpectationValidationResult", "for a result on a page")
CONFIGURATION = Hook(
    "great_expectations.expectations.expectation_configuration", "ExpectationConfiguration", "for a result on a page"
)
VALIDATION_RESULT = Hook(
    "great_expectations.core", "ExpectationSuiteValidationResult", "to render a suite of many councils as one page"
)
PAGE_RENDERER = Hook("great_expectations.render.renderer", "ValidationResultsPageRenderer", "for the pages of suites")
PAGE_VIEW = Hook("great_expectations.render.view", "DefaultJinjaPageView", "for the pages of suites")
