"""The pictures of the Prefect UI in the docs: `python -m tests.browser.ui_screenshots`.

Starts `holdfast server` on a made-up region in a temporary folder and goes through a month as a person does.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.browser.chromium import chromium
from tests.browser.prefect_ui import opened_ui
from tests.browser.screenshots import FOLDER, LIMIT_BYTES
from tests.browser.ui_journey import journey, served

_COLOURS = 160
_WIDTH, _HEIGHT = 1180, 1000


def main() -> int:
    """Write every picture the journey offers, as `docs/images/ui-NAME.png`."""
    executable = shutil.which("chromium")
    if executable is None:
        print("Install chromium first.", file=sys.stderr)  # noqa: T201
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-ui-", ignore_cleanup_errors=True) as given,
        served(Path(given)) as server,
        chromium(executable) as browser,
        opened_ui(browser, server, _WIDTH, _HEIGHT) as ui,
    ):

        def look(name: str) -> None:
            # While a part of the page is still coming, a grey form stands in its place.
            ui.page.wait_for_function("() => !document.querySelector('.animate-pulse')", timeout=30_000)
            ui.page.wait_for_timeout(3_000)  # the picture of the task runs is drawn after the page
            ui.page.evaluate("window.scrollTo(0, 0)")
            taken = ui.page.screenshot(animations="disabled")
            target = FOLDER / f"ui-{name}.png"
            # By coverage: the other method loses the orange of the few points that matter.
            few = (
                Image.open(io.BytesIO(taken))
                .convert("RGB")
                .quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            )
            few.save(target, optimize=True)
            if target.stat().st_size > LIMIT_BYTES:
                raise ValueError(f"{target} is {target.stat().st_size:,} bytes; show less of the page.")

        journey(ui, Path(given), look)
    return 0


if __name__ == "__main__":
    sys.exit(main())
