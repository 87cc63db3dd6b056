"""The made-up region of the field tests, made once."""

from __future__ import annotations

import os

import pytest

from tests.field import region


@pytest.fixture(scope="session")
def field_region(tmp_path_factory: pytest.TempPathFactory) -> region.FieldRegion:
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
            patch.delenv(name)
        return region.make(tmp_path_factory.mktemp("field"))


@pytest.fixture(scope="session")
def undisturbed(field_region: region.FieldRegion, tmp_path_factory: pytest.TempPathFactory) -> region.Ran:
    """The last month with nobody's file spoiled."""
    return field_region.copy(tmp_path_factory.mktemp("undisturbed") / "region").run()
