"""The councils of a month, and the mark that it is done."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from features.councils import Council, Register
from features.errors import SettingsError
from features.months import Month
from flows.month.steps import chosen_councils, write_success_marker
from flows.store import LocalStore


def test_the_success_marker_is_a_line_ended_text_and_says_what_was_decided(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    versions = SimpleNamespace(known_by="2026-11-20", code="0.2.0", settings="abc")
    alerting: Any = SimpleNamespace(manifest=None, versions=versions, decided=("one", "two"))
    name = write_success_marker(store, Month(2026, 10), alerting, {"held": True})
    assert name == "runs/2026-10/success.json"
    content = store.read(name)
    assert content.endswith(b"}\n")
    said = json.loads(content)
    assert len(said.pop("object_sha256")) == 64 and said.pop("object_name") == name
    assert said == {
        "month": "2026-10",
        "edition": None,
        "known_by": "2026-11-20",
        "code_version": "0.2.0",
        "settings_digest": "abc",
        "councils": 2,
        "held": True,
    }


@pytest.mark.parametrize(
    ("councils", "why"),
    [
        ((), "the register is empty"),
        ((Council("991", "Ashcombe", Month(2026, 11)),), "valid_from and valid_to of its rows leave it out"),
    ],
)
def test_a_month_without_any_council_is_refused_in_a_sentence(councils: tuple[Council, ...], why: str) -> None:
    with pytest.raises(SettingsError, match=f"No council reports for October 2026: .*{why}"):
        chosen_councils(Register(councils), Month(2026, 10), ())
