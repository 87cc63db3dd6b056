"""`make bench`: the table of speeds that docs/decisions.md explains. Each benchmark runs in its own process."""

from __future__ import annotations

import subprocess
import sys

MODULES = (
    "benchmarks.features",
    "benchmarks.monthly_run",
    "benchmarks.validation",
    "benchmarks.whole_runs",
    "benchmarks.catch_up",
    "benchmarks.workers",
    "benchmarks.cluster",
    "benchmarks.annex_a",
    "benchmarks.csww",
)


def main() -> int:
    """Run the benchmarks one after another. Stop at the first failure."""
    for module in MODULES:
        print(f"\n== python -m {module}", flush=True)  # noqa: T201
        code = subprocess.run([sys.executable, "-m", module], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
