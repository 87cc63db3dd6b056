"""The try folder as a prefix of a bucket, with the rights of a run's own user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.desk.answer import Answered, Inquiry
from flows.desk.tried import look_at_tries
from flows.settings.settings import S3Settings, Settings
from tests.integration.conftest import S3Server
from tests.unit.flows.desk.test_tried import REGISTER

pytestmark = pytest.mark.integration


def test_a_file_is_answered_beside_it_and_gone_after_a_day(s3_server: S3Server, tmp_path: Path) -> None:
    s3_server.store("tries/landing").create("register.csv", REGISTER.encode())
    put = s3_server.store("tries/try")
    put.create("370/workforce.csv", b"la_code")
    settings = Settings.model_construct(
        landing=f"s3://{s3_server.bucket}/tries/landing",
        store=str(tmp_path),
        s3=S3Settings(
            endpoint_url=s3_server.endpoint_url,
            region="us-east-1",
            access_key_id=s3_server.runner[0],  # type: ignore[arg-type]
            secret_access_key=s3_server.runner[1],  # type: ignore[arg-type]
        ),
    )
    now = datetime.now(UTC)

    def answers(question: Inquiry) -> Answered:
        assert question.files[0].content == b"la_code"
        return Answered(b"<p>checked</p>\n")

    said = look_at_tries(settings, now + timedelta(minutes=1), answers)
    assert said == ["1 file of 370 in the try folder answered."]
    assert put.read("370/report.html").startswith(b"<p>checked</p>")
    assert look_at_tries(settings, now + timedelta(minutes=2), answers) == []
    look_at_tries(settings, now + timedelta(hours=25), answers)
    assert list(put.everything()) == []
