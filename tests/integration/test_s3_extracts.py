"""A month taken in from one S3 prefix and remembered under another, as in production."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest

from expectations.fates import Fate
from features.councils import Council, Register
from features.months import Month
from features.registry import Kind
from flows.extracts.landing import list_month
from flows.extracts.receive import receive_file
from flows.extracts.submissions import read_submissions
from tests.unit.flows.extracts.conftest import record_submission

from .conftest import S3Server

pytestmark = pytest.mark.integration

OCTOBER = Month(2026, 10)
KEY = b"a key of thirty-two bytes or more"
ROW = "370,2026-10-31,{vacancies},8,9\n"
HEADER = "la_code,reference_date,vacancy_fte,agency_fte,agency_headcount\n"


def test_landing_ingest_log_and_restatement_on_s3(s3_server: S3Server) -> None:
    landing, store = s3_server.store("extracts-landing"), s3_server.store("extracts-store")
    register = Register((Council("370", "Barnsley", Month(2015, 1), expects=(Kind.ESTABLISHMENT,)),))
    landing.create("2026-10/370/establishment.csv", (HEADER + ROW.format(vacancies=12.5)).encode())
    landing.create("2026-10/370/caseload.csv", b"la_code,reference_date,Surname\n370,2026-10-31,x\n")
    landing.create("2026-10/999/workforce.csv", b"x")
    first = list_month(landing, OCTOBER, register)
    assert [u.name for u in first.unrecognised] == ["2026-10/999/workforce.csv"]
    for file in first.every_file:
        first_read = receive_file(landing, file, key=KEY)
        record_submission(store, first_read.submission, first_read.table)
    landing.create("2026-10/370/establishment.corrected.csv", (HEADER + ROW.format(vacancies=13)).encode())
    second = list_month(landing, OCTOBER, register)
    received = [receive_file(landing, f, key=KEY) for f in second.every_file]
    for one in received:
        record_submission(store, one.submission, one.table)
    # S3 keeps times to the second: of two submissions within one, both are kept, and order is by name.
    assert len(second.files) == 2
    assert len(second.earlier) == 1
    log = read_submissions(store, OCTOBER)
    assert [(str(s.kind), str(s.outcome), s.kept) for s in log] == [
        ("caseload", "refused", False),
        ("establishment", "accepted", True),
        ("establishment", "accepted", True),
    ]
    assert len({s.key[:2] for s in log}) == 2, "one of the three was sent again"
    kept = [o.name for o in store.list("received/")]
    assert len(kept) == 2
    assert all("establishment-" in name for name in kept)
    before = {o.name: store.read(o.name) for o in store.list()}
    for one in received:
        record_submission(store, one.submission, one.table)
    assert {o.name: store.read(o.name) for o in store.list()} == before
    record_submission(store, replace(received[-1].submission, outcome=Fate.QUARANTINED, reason="Why."))
    assert [s.outcome for s in read_submissions(store, OCTOBER)].count(Fate.QUARANTINED) == 1


def test_a_key_that_cannot_be_a_name_is_named_and_left_alone(s3_server: S3Server) -> None:
    landing = s3_server.store("odd-landing")
    landing.create("2026-10/370/establishment.csv", (HEADER + ROW.format(vacancies=12.5)).encode())
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=s3_server.access_key_id,
        aws_secret_access_key=s3_server.secret_access_key,
    )
    for name in ("establishment.a\nb.csv", f"establishment.{'x' * 226}.csv"):
        client.put_object(Bucket=landing.bucket, Key=f"{landing.prefix}2026-10/370/{name}", Body=b"x")
    found = list_month(landing, OCTOBER, Register((Council("370", "Barnsley", Month(2015, 1)),)))
    assert [f.name for f in found.every_file] == ["2026-10/370/establishment.csv"]
    assert len(found.unrecognised) == 2
    assert all("left alone" in u.reason and u.reason.isprintable() for u in found.unrecognised)
    assert landing.lax_rights() == ""
