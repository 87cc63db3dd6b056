"""`make bench`: features and their rivals, a national month, a large workforce return; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

MODULES = ("benchmarks.features", "benchmarks.monthly_run", "benchmarks.csww")


def main() -> int:
    """Run the benchmarks one after another; the first failure ends it."""
    for module in MODULES:
        print(f"\n== python -m {module}", flush=True)  # noqa: T201
        code = subprocess.run([sys.executable, "-m", module], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
