"""Least privilege on a real S3 server: who may read may not write, and nobody deletes."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from features.errors import StoreError
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import publish_alert
from flows.store.s3 import S3Store
from tests.integration.conftest import S3Server
from tests.unit.flows.alerts.examples import alert, score

pytestmark = pytest.mark.integration

POLICY = Path(__file__).parents[2] / "docs" / "s3-policy.json"


@pytest.fixture
def prefix() -> str:
    return f"store/privilege-{secrets.token_hex(6)}"


@pytest.fixture
def runner(s3_server: S3Server, prefix: str) -> S3Store:
    return S3Store(s3_server.bucket, prefix, s3_server.options_of(s3_server.runner))


@pytest.fixture
def reader(s3_server: S3Server, prefix: str) -> S3Store:
    return S3Store(s3_server.bucket, prefix, s3_server.options_of(s3_server.reader))


def client(server: S3Server) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
    )


@pytest.fixture
def published_policy(s3_server: S3Server) -> Iterator[None]:
    """The statements of the published policy that this server can hold, on the bucket while the test runs."""
    policy = json.loads(POLICY.read_text().replace("BUCKET", s3_server.bucket))
    # The exception for the role of retention names a role of AWS, which this server does not know.
    policy["Statement"] = [
        {k: v for k, v in s.items() if k != "Condition"} for s in policy["Statement"] if s["Sid"] == "NobodyElseDeletes"
    ]
    s3 = client(s3_server)
    s3.put_bucket_policy(Bucket=s3_server.bucket, Policy=json.dumps(policy))
    yield
    s3.delete_bucket_policy(Bucket=s3_server.bucket)


def eventually(refused: Callable[[], None]) -> str:
    """The sentence with which an action is refused, once the server has taken in its new policy."""
    until = time.monotonic() + 10
    while True:
        try:
            refused()
        except StoreError as error:
            return str(error)
        assert time.monotonic() < until, "the action is still allowed"
        time.sleep(0.1)


def test_the_run_needs_no_more_than_to_read_write_and_list(runner: S3Store) -> None:
    published = publish_alert(runner, alert(score(0.6)), Contact())
    assert publish_alert(runner, alert(score(0.6)), Contact()).alert == published.alert
    assert published.name in [o.name for o in runner.list("alerts/")]


def test_a_reader_reads_and_its_writes_are_refused_with_a_sentence(runner: S3Store, reader: S3Store) -> None:
    runner.create("alerts/a.json", b"first")
    assert reader.read("alerts/a.json") == b"first"
    assert [o.name for o in reader.list()] == ["alerts/a.json"]
    for write in (
        lambda: reader.replace("alerts/a.json", b"second"),
        lambda: reader.create("alerts/b.json", b"new"),
        lambda: reader.delete("alerts/a.json"),
    ):
        with pytest.raises(StoreError, match="These credentials may not do that: check the bucket's policy") as refused:
            write()
        assert reader.options.access_key_id not in str(refused.value)
    assert [(o.name, runner.read(o.name)) for o in runner.list()] == [("alerts/a.json", b"first")]


def test_under_the_published_policy_not_even_the_run_deletes(runner: S3Store, published_policy: None) -> None:
    runner.create("ledger/a.json", b"told")

    def delete() -> None:
        runner.delete("ledger/a.json")
        runner.replace("ledger/a.json", b"told")

    assert "may not do that" in eventually(delete)
    assert runner.read("ledger/a.json") == b"told"
    runner.create("ledger/b.json", b"told as well")


def test_the_published_policy_lets_the_run_do_what_it_does_and_nothing_else() -> None:
    every = json.loads(POLICY.read_text())["Statement"]
    statements = [s for s in every if "holdfast-retention" not in str(s["Principal"])]
    tries = ["arn:aws:s3:::BUCKET/try/*"]
    allowed = {a for s in statements if s["Effect"] == "Allow" and s["Resource"] != tries for a in s["Action"]}
    assert allowed == {"s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:ListBucketVersions"}
    deleting = {
        (s["Principal"]["AWS"].rpartition("/")[2], *s["Resource"])
        for s in every
        if s["Effect"] == "Allow" and "s3:DeleteObjectVersion" in s["Action"]
    }
    assert deleting == {("holdfast-retention", "arn:aws:s3:::BUCKET/store/*"), ("holdfast-run", *tries)}
    writes = [r for s in statements if s["Effect"] == "Allow" and "s3:PutObject" in s["Action"] for r in s["Resource"]]
    assert writes == ["arn:aws:s3:::BUCKET/store/*", *tries]


def test_what_is_written_encrypted_says_so_and_comes_back(s3_server: S3Server, prefix: str) -> None:
    options = replace(s3_server.options_of(s3_server.runner), server_side_encryption="AES256")
    store = S3Store(s3_server.bucket, prefix, options)
    store.create("alerts/a.json", b"created")
    store.replace("region/index.html", b"replaced")
    for name, content in (("alerts/a.json", b"created"), ("region/index.html", b"replaced")):
        head = client(s3_server).head_object(Bucket=s3_server.bucket, Key=f"{prefix}/{name}")
        assert head["ServerSideEncryption"] == "AES256"
        assert store.read(name) == content
