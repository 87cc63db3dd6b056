"""What we use of Great Expectations beyond its documented interface is still there, and still does what we use it for.

After an upgrade, a failure here names the part, the version and what it is for.
"""

from __future__ import annotations

import ast

import pytest

from expectations.batch import CheckBroken, Severity
from expectations.passing import engine, hooks
from expectations.passing.engine import load_great_expectations
from expectations.suites.rules import Asserts
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    load_great_expectations()


@pytest.mark.parametrize("hook", [h for h in vars(hooks).values() if isinstance(h, hooks.Hook)], ids=lambda h: h.name)
def test_it_is_there(hook: hooks.Hook) -> None:
    assert hook.get() is not None


def test_each_still_does_what_we_use_it_for() -> None:
    said = f"Great Expectations {hooks.version()}: {{}} works differently; it is used {{}}"
    check = engine.Check("x.y.z", "y", Asserts.BETWEEN, {"max_value": 1.0}, Severity.QUERY, "A check.")
    document = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "y", "max_value": 1.0}}
    document |= {"meta": {"check": "x.y.z"}, "description": "A check.", "severity": "warning"}
    assert hooks.CONFIGURATION.get()(**check.document()).to_json_dict() == document, said.format(
        hooks.CONFIGURATION.name, hooks.CONFIGURATION.why
    )


def test_one_that_is_gone_is_named_with_the_version_and_its_use() -> None:
    with pytest.raises(
        CheckBroken, match=rf"Great Expectations {hooks.version()} has no math.tau_squared any more. We use"
    ):
        hooks.Hook("math", "tau_squared", "for nothing").get()


def test_no_other_module_reaches_into_it() -> None:
    """A module's path inside Great Expectations stands in `hooks.py` alone."""
    reaching = {
        path.name
        for room in ("expectations", "flows", "features", "models")
        for path in (REPOSITORY / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and str(node.value).startswith("great_expectations.")
    }
    assert reaching == {"hooks.py"}
