"""The mark that a month is done."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from features.months import Month
from flows.month.steps import write_success_marker
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
    assert len(said.pop("object_sha256")) == 64
    assert said == {
        "month": "2026-10",
        "edition": None,
        "known_by": "2026-11-20",
        "code_version": "0.2.0",
        "settings_digest": "abc",
        "councils": 2,
        "held": True,
    }
