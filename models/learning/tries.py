"""How many configurations have ever been tried, recorded by the programs that try them.

The best of many tries looks better than it is, so the number travels with the record. Each program that compares
configurations calls `count_tries`, which keeps one line per comparison in `tries.json`. The same comparison on the same
data stays one line however often it is run. The card shows the sum.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

_FILE = Path(__file__).with_name("tries.json")


def count_tries(program: str, what: str, configurations: Sequence[str], data: str, file: Path = _FILE) -> int:
    """Record a comparison; return the sum of all tries.

    `data`: what the configurations were tried on, in words.
    """
    kept = _read(file)
    digest = hashlib.sha256("\n".join([program, what, data, *configurations]).encode()).hexdigest()[:12]
    kept[digest] = {"program": program, "what": what, "data": data, "tried": len(set(configurations))}
    text = json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    return tried(file)


def tried(file: Path = _FILE) -> int:
    """The number of all tries ever counted."""
    return sum(int(entry["tried"]) for entry in _read(file).values())


def _read(file: Path) -> dict[str, dict[str, str | int]]:
    found: dict[str, dict[str, str | int]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found
