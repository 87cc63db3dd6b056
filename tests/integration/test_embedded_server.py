"""Prefect's embedded server answers on the loopback address, and does not outlive the process it was started for."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import REPOSITORY
from tests.integration.local_server import clean_environment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

_PROGRAM = """
import sys
from flows.orchestration import embedded
embedded.configure()
server = embedded.start()
server.wait()
print(server.address, flush=True)
print("prefect.server" in sys.modules, flush=True)
sys.stdin.read()
"""


def test_the_embedded_server_ends_with_the_process_that_needs_it_even_if_killed(tmp_path: Path) -> None:
    environment = clean_environment(PREFECT_HOME=str(tmp_path), PYTHONPATH=str(REPOSITORY))
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    assert process.stdout.readline().strip() == "False", "the server's code is the child's alone"
    with urlopen(f"{address}/health", timeout=30) as answer:
        assert answer.status == 200

    process.kill()
    process.wait(30)

    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urlopen(f"{address}/health", timeout=5).close()
        except (URLError, OSError):
            return
        time.sleep(0.2)
    pytest.fail("the server is still there a minute after its process was killed")
