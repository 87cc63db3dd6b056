"""Figures held as they were read: a JSON file beside the test, compared within a tolerance.

`UPDATE_GOLDEN=1 pytest FILE` writes it anew; read the difference before you commit.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


def differences(found: Any, file: Path, tolerance: float = 2e-6) -> list[str]:
    """Where figures differ from those in the file; floats may differ by the tolerance."""
    found = json.loads(json.dumps(found, default=str))
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return list(_differences(found, json.loads(file.read_text(encoding="utf-8")), "", tolerance))


def _differences(ours: Any, theirs: Any, at: str, tolerance: float) -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [d for key, value in ours.items() for d in _differences(value, theirs[key], f"{at}/{key}", tolerance)]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for i, (one, other) in pairs for d in _differences(one, other, f"{at}/{i}", tolerance)]
    if isinstance(ours, float) and isinstance(theirs, float):
        return [] if ours == pytest.approx(theirs, abs=tolerance, nan_ok=True) else [f"{at}: {ours} is not {theirs}"]
    return [] if ours == theirs else [f"{at}: {ours} is not {theirs}"]
