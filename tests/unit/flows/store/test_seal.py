"""A JSON object of the store vouches for itself; one without a seal, as 0.1.0 wrote them, is read as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.store import DamagedObject, LocalStore
from flows.store.reading import NAME, SEAL, read_json, sealed, unsealed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=4).filter(
    lambda d: not {SEAL, NAME} & {*d}
)


@given(DOCUMENTS)
def test_what_was_sealed_is_read_back(document: dict[str, Any]) -> None:
    assert unsealed(sealed("runs/a.json", document), "runs/a.json") == document
    assert unsealed(sealed("runs/a.json", document), "published/runs/a.json") == document
    assert unsealed(json.dumps(document).encode(), "runs/a.json") == document
    with pytest.raises(ValueError, match="another object's"):
        unsealed(sealed("runs/a.json", document), "runs/b.json")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(DOCUMENTS, st.data())
def test_a_flipped_bit_never_reads_as_another_value(
    tmp_path: Path, document: dict[str, Any], data: st.DataObject
) -> None:
    content = sealed("runs/2026-10/success.json", document)
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    flipped = content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :]
    store = LocalStore(tmp_path)
    store.replace("runs/2026-10/success.json", flipped)
    try:
        read = read_json(store, "runs/2026-10/success.json", dict)
    except DamagedObject as error:
        assert "runs/2026-10/success.json" in str(error)
    else:  # the flip fell on the name of the seal or on a space
        assert {k: v for k, v in read.items() if k in document} == document


def test_another_value_by_hand_is_found(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.create("a.json", sealed("a.json", {"held": True}).replace(b"true", b"false"))
    with pytest.raises(DamagedObject, match="a.json"):
        read_json(store, "a.json", dict)
