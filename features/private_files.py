"""Files that only their owner can read: 0600 in folders of 0700, whatever the process's umask."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import BinaryIO


def make_private_folder(folder: Path) -> None:
    """Make the folder and any missing folders above it; existing folders keep their permissions."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)


def open_private(new: Path) -> BinaryIO:
    """Open a new file for writing; raises FileExistsError if there is one already."""
    return os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb")


def write_private(path: Path, content: bytes, modified: float | None = None) -> None:
    """Write a file in one step and make any missing folders; a reader never sees half of it.

    `modified`: the file's modification time, in seconds since 1970.
    """
    make_private_folder(path.parent)
    unfinished = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}.part")
    try:
        with open_private(unfinished) as file:
            file.write(content)
        if modified is not None:
            os.utime(unfinished, (modified, modified))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
