"""A folder whose clock the test moves: objects are as old as it says."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flows.store import LocalStore


class ClockedStore(LocalStore):
    def __init__(self, root: Path, clock: Callable[[], datetime]) -> None:
        super().__init__(root)
        self._clock = clock

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        super().create(name, content, content_type=content_type)
        self._date(name)

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        super().replace(name, content, content_type=content_type)
        self._date(name)

    def _date(self, name: str) -> None:
        moment = self._clock().timestamp()
        os.utime(self.root / name, (moment, moment))
