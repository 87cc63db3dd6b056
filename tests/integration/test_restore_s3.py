"""`holdfast doctor --repair` on a bucket that keeps versions, on two services: what was lost or altered comes back."""

from __future__ import annotations

import secrets
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import boto3
import polars as pl
import pytest
from moto import mock_aws

from features.months import Month
from flows.orchestration.doctor import examine
from flows.orchestration.restore import mend
from flows.store import LocalStore, S3Options
from flows.store.editions import History
from flows.store.s3 import S3Store

pytestmark = pytest.mark.integration

INPUT = Path(__file__).parents[1] / "input" / "store-0.1.0.tar.xz"
OCTOBER = Month(2026, 10)


@pytest.fixture(params=["SeaweedFS", pytest.param("moto", marks=pytest.mark.soak)])
def bucket(request: pytest.FixtureRequest) -> Iterator[S3Store]:
    """A bucket of its own that keeps every version."""
    with ExitStack() as until_the_end:
        if request.param == "moto":
            until_the_end.enter_context(mock_aws())
            options = S3Options(region="us-east-1", access_key_id="key", secret_access_key="secret")
        else:
            options = request.getfixturevalue("s3_server").options
        client = boto3.client(
            "s3",
            endpoint_url=options.endpoint_url,
            region_name=options.region,
            aws_access_key_id=options.access_key_id,
            aws_secret_access_key=options.secret_access_key,
        )
        name = f"versioned-{secrets.token_hex(4)}"
        client.create_bucket(Bucket=name)
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        yield S3Store(name, "store", options)


def fill(bucket: S3Store, folder: Path) -> None:
    """Copy the small store of 0.1.0 there, October with hashes as editions are written today."""
    with tarfile.open(INPUT) as archive:
        archive.extractall(folder, filter="data")
    store = LocalStore(folder / "store")
    (manifest,) = History(store).editions(OCTOBER)
    tables = {
        Path(o.name).stem: pl.read_parquet(store.read(o.name))
        for o in store.list(manifest.prefix)
        if o.name.endswith(".parquet")
    }
    store.purge(list(store.everything(manifest.prefix)))
    History(store).write(manifest, tables)
    for one in store.list():
        if one.name.startswith(("months/", "alerts/2026-10/", "submissions/", "pseudonyms/", "received/", "runs/")):
            bucket.create(one.name, store.read(one.name), content_type="text/plain")


def test_what_was_lost_or_altered_comes_back_from_its_version(bucket: S3Store, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    assert examine(bucket).findings == ()
    before = {o.name: bucket.read(o.name) for o in bucket.list()}
    lost = ("months/2026-10/0001/manifest.json", "months/2026-09/0001/failures.parquet", "pseudonyms/key.json")
    for name in lost:
        bucket.delete(name)
    altered = ("months/2026-10/0001/failures.parquet", "alerts/2026-10/Z01.json")
    for name in altered:
        bucket.replace(name, before[name][:40] + b"?" + before[name][41:] if name.endswith("parquet") else b"{")
    bucket.replace(altered[0], b"altered once more")
    marker = "runs/2026-10/success.json"
    bucket.replace(marker, b"")

    found = mend(bucket, examine(bucket))

    restored = {f.name for f in found.findings if f.restored_from}
    assert restored == {*lost, *altered}, found.to_text()
    assert (
        f"“{lost[0]}” in the store was missing or damaged; it was restored from an earlier version" in found.to_text()
    )
    assert found.headline.startswith("0 of ") and found.headline.endswith("5 restored; 1 laid aside")
    (left,) = [f for f in found.findings if not f.restored_from]
    assert left.name == marker and left.laid_aside, "an earlier marker may be untrue by now: a run writes it anew"
    now = {o.name: bucket.read(o.name) for o in bucket.list() if not o.name.startswith("set-aside/")}
    assert now == {n: c for n, c in before.items() if n != marker}
    assert [f.name for f in examine(bucket).findings] == [marker], "until a run has written it"
