"""What a real S3 server refuses, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import StoreError
from flows.store import store_at
from flows.store.s3 import S3Store

from .conftest import S3Server, free_ports

pytestmark = pytest.mark.integration


def test_a_wrong_secret(s3_server: S3Server) -> None:
    store = S3Store(s3_server.bucket, "x", replace(s3_server.options, secret_access_key="wrong-secret"))
    with pytest.raises(StoreError, match="SignatureDoesNotMatch") as refused:
        store.create("a", b"x")
    assert "wrong-secret" not in str(refused.value)
    assert s3_server.access_key_id not in str(refused.value)


def test_an_unknown_key(s3_server: S3Server) -> None:
    store = S3Store(s3_server.bucket, "x", replace(s3_server.options, access_key_id="AKIDUNKNOWN"))
    with pytest.raises(StoreError, match="access key is not known"):
        store.read("a")


def test_a_bucket_that_is_not_there(s3_server: S3Server) -> None:
    with pytest.raises(StoreError, match="s3://no-such-bucket"):
        store_at("s3://no-such-bucket/x", s3=s3_server.options, must_exist=True)
    store_at(f"s3://{s3_server.bucket}/x", s3=s3_server.options, must_exist=True)


def test_a_server_that_does_not_answer(s3_server: S3Server) -> None:
    nobody = replace(s3_server.options, endpoint_url=f"http://127.0.0.1:{free_ports(1)[0]}", attempts=1)
    with pytest.raises(StoreError, match="does not answer"):
        list(S3Store("holdfast", "", nobody).list())


def test_only_this_machine_is_listened_to(s3_server: S3Server) -> None:
    assert s3_server.endpoint_url.startswith("http://127.0.0.1:")
    # /proc/net/tcp lists listeners as hexadecimal address:port; state 0A is listening.
    port = f":{int(s3_server.endpoint_url.rpartition(':')[2]):04X}"
    table = Path("/proc/net/tcp")
    lines = table.read_text().splitlines() if table.exists() else []
    listening = [f[1] for f in map(str.split, lines) if f[3:4] == ["0A"] and f[1].endswith(port)]
    assert all(address.startswith("0100007F") for address in listening)
