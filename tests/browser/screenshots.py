"""The two pictures of the README: `python -m tests.browser.screenshots` after `make demo`.

A director's message as on a phone, and the region page of the demo, as PNG of few colours so that each
stays under 150 kB.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from tests.browser.chromium import chromium, opened
from tests.golden.messages.cases import MESSAGES

FOLDER = Path(__file__).parents[2] / "docs" / "images"
LIMIT_BYTES = 150_000
_COLOURS = 160


def picture(browser: Browser, html: str, width: int, height: int, target: Path) -> None:
    """The top of a page as a small PNG. Raises ValueError if it is over LIMIT_BYTES."""
    with opened(browser, html, width, height=height) as (page, _):
        taken = page.screenshot()
    few = Image.open(io.BytesIO(taken)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(target, optimize=True)
    if target.stat().st_size > LIMIT_BYTES:
        raise ValueError(f"{target} is {target.stat().st_size:,} bytes; show less of the page.")


def main(store: str = "var/demo/store") -> int:
    """Write both pictures."""
    executable = shutil.which("chromium")
    pages = sorted(Path(store).glob("region/*/index.html"))
    if executable is None or not pages:
        print("Install chromium and run `make demo` first.", file=sys.stderr)  # noqa: T201
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium(executable) as browser:
        message = MESSAGES["new_losing_grip"]().standalone_html()
        picture(browser, message, 360, 1180, FOLDER / "message-360.png")
        picture(browser, pages[-1].read_text(encoding="utf-8"), 1152, 1000, FOLDER / "region.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
