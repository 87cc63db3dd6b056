"""The made-up region of the field tests, made once and copied."""

from __future__ import annotations

import os

import pytest

from flows.month.edition import TakenIn
from tests.conftest import made_once
from tests.field import region


@pytest.fixture(scope="session")
def field_region(tmp_path_factory: pytest.TempPathFactory) -> region.FieldRegion:
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
            patch.delenv(name)
        return region.FieldRegion(made_once(tmp_path_factory, "field-region", region.make))


@pytest.fixture(scope="session")
def read_region(
    field_region: region.FieldRegion, tmp_path_factory: pytest.TempPathFactory
) -> tuple[region.FieldRegion, TakenIn]:
    """The region whose last month is taken in, with nobody's file spoiled; copied before anything is decided."""
    copy = field_region.copy(tmp_path_factory.mktemp("read") / "region")
    return copy, copy.take_in()


@pytest.fixture(scope="session")
def undisturbed(
    read_region: tuple[region.FieldRegion, TakenIn], tmp_path_factory: pytest.TempPathFactory
) -> region.Ran:
    """The last month with nobody's file spoiled."""
    read, taken = read_region
    return read.copy(tmp_path_factory.mktemp("undisturbed") / "region").decide(taken)
