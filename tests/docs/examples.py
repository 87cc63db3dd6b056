"""Small input files that pages need: made up by code, put into `examples/` of the folder their commands run in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path


def late_file(folder: Path) -> None:
    """`examples/late/workforce.csv`: what council Z02 did not send in time for October 2026."""
    (folder / "late").mkdir()
    shutil.move(folder.parent / "landing/2026-10/Z02/workforce.csv", folder / "late/workforce.csv")


def corrected_file(folder: Path) -> None:
    """`examples/corrected/workforce.csv`: Z03's file of October 2026 with one worker's sickness put right."""
    (folder / "corrected").mkdir()
    lines = (folder.parent / "landing/2026-10/Z03/workforce.csv").read_text(encoding="utf-8").splitlines()
    (folder / "corrected/workforce.csv").write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")


def file_with_errors(folder: Path) -> None:
    """`examples/wrong/workforce.csv`: half of the FTE and of the dates cannot be read."""
    (folder / "wrong").mkdir()
    text = (folder.parent / "landing/2026-10/Z01/workforce.csv").read_text(encoding="utf-8").splitlines()
    header = text[0].split(",")
    fte = header.index("fte")
    rows = [line.split(",") for line in text[1:]]
    for row in rows[::2]:
        row[fte] = "full time"
    (folder / "wrong/workforce.csv").write_text(
        "\n".join([text[0], *(",".join(r) for r in rows)]) + "\n", encoding="utf-8"
    )


def file_with_names(folder: Path) -> None:
    """`examples/names/workforce.csv`: an extract with a column that must not be sent."""
    (folder / "names").mkdir()
    text = (folder.parent / "landing/2026-10/Z01/workforce.csv").read_text(encoding="utf-8").splitlines()
    rows = [text[0] + ",surname", *(f"{line},Example" for line in text[1:])]
    (folder / "names/workforce.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


#: Name -> maker; each is called with the folder `examples/`, before any month is taken in.
EXAMPLES: dict[str, Callable[[Path], None]] = {
    "late": late_file,
    "corrected": corrected_file,
    "wrong": file_with_errors,
    "names": file_with_names,
}
