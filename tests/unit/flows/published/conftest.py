"""The web server of these tests, started for each that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.flows.published.web import Web, running


@pytest.fixture
def web() -> Iterator[Web]:
    with running() as server:
        yield server
