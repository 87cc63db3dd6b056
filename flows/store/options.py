"""How a bucket is reached. Apart from what reaches it: boto3 is imported only where there is a bucket."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class S3Options:
    """How to reach a bucket. Keys left out are found as boto3 finds them (environment, profile, role)."""

    endpoint_url: str | None = None
    """For S3-compatible stores; None is AWS."""
    region: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    path_style: bool | None = None
    """None: where there is an `endpoint_url`, whose host names are rarely made for each bucket."""
    checksums: bool = True
    """Whether a SHA-256 is sent with each object and asked for with each read."""
    server_side_encryption: str | None = None
    """`AES256` or `aws:kms`; None leaves it to the bucket's default."""
    kms_key_id: str | None = None
    connect_timeout_seconds: float = 10
    read_timeout_seconds: float = 60
    attempts: int = 5
    """Of one request, on connection errors, throttling and 5xx."""
