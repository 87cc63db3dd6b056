"""The probe on real servers: SeaweedFS passes it, and its users learn what they may not do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.store import StoreRefuses, store_at
from flows.store.probe import require_fit
from tests.integration.conftest import S3Server

pytestmark = pytest.mark.integration


def test_a_real_store_passes_and_a_reader_is_told_what_it_may_not(s3_server: S3Server) -> None:
    now = datetime.now(UTC)
    url = f"s3://{s3_server.bucket}/probed"
    with pytest.raises(StoreRefuses, match=r"Could not create .*AccessDenied"):
        require_fit(store_at(url, s3=s3_server.options_of(s3_server.reader)), now)
    with pytest.raises(StoreRefuses, match="minutes apart"):
        require_fit(store_at(url, s3=s3_server.options_of(s3_server.runner)), now + timedelta(hours=1))
    require_fit(store_at(url, s3=s3_server.options_of(s3_server.runner)), now)
    require_fit(store_at(url, s3=s3_server.options_of(s3_server.runner)), now)
