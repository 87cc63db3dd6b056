"""Keyed hashes of references."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl
import pytest

from features.errors import SettingsError
from flows.extracts import pseudonyms as module
from flows.extracts.pseudonyms import pseudonyms

KEY = bytes(range(32))


def _hash(*references: str | None, la_code: str = "370", key: bytes = KEY) -> list[int | None]:
    hashed = pseudonyms(pl.Series("r", references, dtype=pl.String()), la_code=la_code, key=key)
    assert hashed.dtype == pl.UInt64()
    return hashed.to_list()


def test_the_hash_is_blake2b_of_council_and_reference() -> None:
    expected = blake2b(b"370\x1fW1", key=KEY, digest_size=8).digest()
    assert _hash("W1") == [int.from_bytes(expected, "big")]


def test_equal_references_meet_within_a_council_and_not_between_councils() -> None:
    assert _hash("W1", None, "W1", "W2")[:3] == [_hash("W1")[0], None, _hash("W1")[0]]
    assert _hash("W1", la_code="371") != _hash("W1")
    assert _hash("W1") != _hash("w1") != _hash("W2")


def test_another_key_gives_other_hashes() -> None:
    assert _hash("W1", key=bytes(32)) != _hash("W1")
    assert _hash("W1", key=bytes(100)) != _hash("W1", key=bytes(101))


@pytest.mark.parametrize("key", [b"", b"short", bytes(31)])
def test_a_short_key_is_refused(key: bytes) -> None:
    with pytest.raises(SettingsError, match="needs 32"):
        _hash("W1", key=key)


def test_what_is_remembered_is_bounded_and_changes_no_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    afresh = [_hash(f"W{i}", key=bytes(40))[0] for i in range(6)]
    monkeypatch.setattr(module, "_REFERENCES", 3)
    for _ in range(3):
        assert _hash(*(f"W{i}" for i in range(6)), key=bytes(40)) == afresh
        assert _hash("W0", None, key=bytes(40)) == [afresh[0], None]
    assert len(module._remembered("370", bytes(40))) <= 3 + 6
