"""Options for reaching a bucket. They are apart from `s3.py` so that boto3 is imported only if there is a bucket."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class S3Options:
    """How to reach a bucket. If no keys are given, boto3 finds them (environment, profile, role)."""

    endpoint_url: str | None = None
    """URL of an S3-compatible store; None means AWS."""
    region: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    path_style: bool | None = None
    """None means: if there is an `endpoint_url`, as such stores rarely have a host name for each bucket."""
    checksums: bool = True
    """Whether to send a SHA-256 with each object and ask for it with each read."""
    server_side_encryption: str | None = None
    """`AES256` or `aws:kms`; None uses the bucket's default."""
    kms_key_id: str | None = None
    connect_timeout_seconds: float = 10
    read_timeout_seconds: float = 60
    attempts: int = 5
    """How often one request is tried on connection errors, throttling and 5xx."""
