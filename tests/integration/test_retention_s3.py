"""Retention in a bucket that keeps versions: what is deleted is in none of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from features.errors import StoreError
from features.months import Month
from flows.settings.settings import RetentionSettings
from flows.store.retention import Periods, delete_planned, plan
from flows.store.s3 import S3Store
from tests.integration.conftest import S3Server

pytestmark = pytest.mark.integration

LAST, NOW = Month(2026, 10), datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OLD = "received/2026-08/370/workforce-0c1f3a9be210.rows.parquet"
GONE = "months/2026-08/0001/workforce.parquet"
KEPT = "received/2026-10/370/workforce-0c1f3a9be210.rows.parquet"


@pytest.fixture
def client(s3_server: S3Server) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=s3_server.access_key_id,
        aws_secret_access_key=s3_server.secret_access_key,
    )


@pytest.fixture
def versioned(s3_server: S3Server, client: Any) -> Iterator[S3Store]:
    """A bucket of its own that keeps every version, seen by the store under a prefix."""
    bucket = f"versioned-{secrets.token_hex(4)}"
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    yield S3Store(bucket, "store", s3_server.options)


def contents(client: Any, bucket: str) -> dict[tuple[str, str], bytes]:
    """Every version of every object with its bytes."""
    listed = client.list_object_versions(Bucket=bucket).get("Versions", [])
    return {
        (v["Key"], v["VersionId"]): client.get_object(Bucket=bucket, Key=v["Key"], VersionId=v["VersionId"])[
            "Body"
        ].read()
        for v in listed
    }


def test_no_version_of_what_was_deleted_is_left(versioned: S3Store, client: Any) -> None:
    for content in (b"marker one", b"marker two"):
        versioned.replace(OLD, content)
    versioned.replace(GONE, b"marker three")
    versioned.delete(GONE)  # only hidden by a marker of deletion
    versioned.replace(KEPT, b"this month's")
    assert {b"marker one", b"marker two", b"marker three"} <= set(contents(client, versioned.bucket).values())

    planned = plan(versioned, versioned, Periods.counted_back(LAST, RetentionSettings(), 1), with_landing=False)
    assert [(g.objects, g.versions) for g in planned.going] == [(2, 2)]
    delete_planned(versioned, versioned, planned, at=NOW, by="lead", reason="period over")

    left = contents(client, versioned.bucket)
    assert not any(b"marker" in content for content in left.values())
    assert not client.list_object_versions(Bucket=versioned.bucket).get("DeleteMarkers")
    assert versioned.read(KEPT) == b"this month's"
    assert not plan(versioned, versioned, planned.periods, with_landing=False).going


def test_a_bucket_without_versions_is_emptied_as_well(s3_server: S3Server, s3_store: Any, client: Any) -> None:
    store: S3Store = s3_store()
    store.replace(OLD, b"marker one")
    store.replace(KEPT, b"this month's")
    planned = plan(store, store, Periods.counted_back(LAST, RetentionSettings(), 1), with_landing=False)
    delete_planned(store, store, planned, at=NOW, by="lead", reason="period over")
    assert [o.name for o in store.list("received/")] == [KEPT]


def test_who_may_only_read_is_told_that_nothing_was_deleted(s3_server: S3Server, s3_store: Any) -> None:
    store: S3Store = s3_store()
    store.replace(OLD, b"marker one")
    reader = S3Store(store.bucket, store.prefix, s3_server.options_of(s3_server.reader))
    with pytest.raises(StoreError, match="may not do that"):
        reader.purge(list(store.everything(OLD)))
    assert store.read(OLD) == b"marker one"
