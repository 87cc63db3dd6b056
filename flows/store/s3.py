"""The object store in S3, or in any service with S3's API."""

from __future__ import annotations

import random
import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from hashlib import sha256
from typing import Any, NoReturn

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError, HTTPClientError, ParamValidationError
from botocore.exceptions import ConnectionError as NoConnection

from features.errors import StoreError
from flows.store.names import checked_name, is_usable, printable_name
from flows.store.options import S3Options
from flows.store.port import (
    AlreadyThere,
    DamagedObject,
    ObjectInfo,
    ObjectMissing,
    Stored,
    StoreRefuses,
    StrangeObject,
)

#: How often a create is tried while another conditional write of the same name is in progress (409).
CONFLICT_ATTEMPTS = 8

_WRITE_TOKEN = "holdfast-write"

#: The most objects that one request may delete.
_DELETE_AT_ONCE = 1000

#: Error codes that waiting does not cure, and what to do about each.
_ADVICE = {
    "NoSuchBucket": "There is no such bucket: check the store's address.",
    "AccessDenied": "These credentials may not do that: check the bucket's policy.",
    "403": "These credentials may not do that: check the credentials and the bucket's policy.",
    "InvalidAccessKeyId": "The access key is not known there: check the credentials.",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key: check the credentials.",
    "InvalidToken": "The session token is not valid: renew the credentials.",
    "ExpiredToken": "The credentials have expired: renew them.",
    "TokenRefreshRequired": "The credentials have expired: renew them.",
    "RequestExpired": "The credentials have expired, or this machine's clock is wrong: look at both.",
    "RequestTimeTooSkewed": "This machine's clock is wrong: set it.",
    "AccountProblem": "The account is closed or not paid for: ask whoever keeps it.",
    "AllAccessDisabled": "The bucket is closed: ask whoever keeps it.",
    "InvalidObjectState": "The object lies in an archive: have it brought back.",
    "MethodNotAllowed": "The bucket does not allow that: check its lock and its policy.",
    "QuotaExceeded": "The store is full: make room, or have its quota raised.",
    "XMinioStorageFull": "The store is full: make room.",
    "InsufficientStorage": "The store is full: make room.",
    "507": "The store is full: make room.",
    "EntityTooLarge": "The object is larger than the store takes: have its limit raised.",
    "NotImplemented": "The store does not know this request: see docs/s3.md for what a store must keep.",
    "InvalidEncryptionAlgorithmError": "The encryption is not known there: check the settings.",
    "KMS.DisabledException": "The encryption key is switched off: ask whoever keeps it.",
    "KMS.NotFoundException": "There is no such encryption key: check the settings.",
    "KMS.AccessDeniedException": "These credentials may not use the encryption key: check its policy.",
    "PermanentRedirect": "The bucket is in another region: set the store's region.",
    "AuthorizationHeaderMalformed": "The bucket is in another region: set the store's region.",
}


class S3Store:
    """A bucket, or a prefix of one, with the semantics of the port.

    Each object is sent with a SHA-256, which the server checks. If the server stores it, it is checked again on every
    read. Errors are sentences with the service's error code but without its message, which can contain key ids.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        options: S3Options | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.bucket = bucket
        self.prefix = f"{checked_name(prefix.strip('/'))}/" if prefix.strip("/") else ""
        self.options = options or S3Options()
        self.url = f"s3://{bucket}/{self.prefix}".rstrip("/")
        self._sleep = sleep
        self._client = _client(self.options)

    def __reduce__(self) -> tuple[type[S3Store], tuple[str, str, S3Options]]:
        """Pickle only the address and options: in another process the store opens its own connection."""
        return (S3Store, (self.bucket, self.prefix, self.options))

    def read(self, name: str) -> bytes:
        """The content of the object. Raises ObjectMissing."""
        try:
            asked = {"ChecksumMode": "ENABLED"} if self.options.checksums else {}
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(name), **asked)
            content: bytes = answer["Body"].read()
        except FlexibleChecksumError:
            raise DamagedObject(
                f"“{name}” in {self.url} does not match its checksum. Restore it from its source."
            ) from None
        except (BotoCoreError, ClientError) as error:
            if _code(error) in ("NoSuchKey", "404"):
                raise ObjectMissing(f"There is no “{name}” in {self.url}.") from None
            self._raise("read", name, error)
        return content

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose name starts with `prefix`, in order of name.

        They are sorted here, as AWS lists by code point but some compatible stores list folder by folder.
        """
        return iter(self.survey(prefix)[0])

    def strange(self, prefix: str = "") -> Iterator[StrangeObject]:
        """Objects whose keys cannot be used as names."""
        return iter(self.survey(prefix)[1])

    def lax_rights(self) -> str:
        """Always empty: who may read a bucket is not checked here (`docs/s3.md`)."""
        return ""

    def survey(self, prefix: str = "") -> tuple[Sequence[ObjectInfo], Sequence[StrangeObject]]:
        """What `list` and `strange` give, from one listing."""
        found: list[ObjectInfo] = []
        strange: list[StrangeObject] = []
        why = "has a name that cannot be used: rename it, with at most 200 bytes of ordinary characters"
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + prefix)
        try:
            for page in pages:
                for entry in page.get("Contents", ()):
                    name, modified = entry["Key"].removeprefix(self.prefix), entry["LastModified"].astimezone(UTC)
                    if not name or name.endswith("/"):  # web consoles create empty objects to represent folders
                        continue
                    if is_usable(name):
                        found.append(ObjectInfo(name, entry["Size"], modified))
                    else:
                        strange.append(StrangeObject(printable_name(name), why, modified))
        except (BotoCoreError, ClientError) as error:
            self._raise("list", prefix, error)
        return sorted(found, key=lambda o: o.name), strange

    def info(self, name: str) -> ObjectInfo | None:
        """Size and time of one object; None if it is not there."""
        head = self._head(name)
        if head is None:
            return None
        return ObjectInfo(name, head["ContentLength"], head["LastModified"].astimezone(UTC))

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write a new object. Raises AlreadyThere if the name is taken; of many calls at once exactly one succeeds.

        A 412 means that the name is taken. A 409 only means that another conditional write was in progress, so the
        create is tried again after a growing pause with jitter. If a response is lost, the client's retry may find the
        object it wrote itself. Each write therefore carries a token, by which this is recognised as success.
        """
        token = secrets.token_hex(16)
        for attempt in range(CONFLICT_ATTEMPTS):
            try:
                self._put(name, content, content_type, IfNoneMatch="*", Metadata={_WRITE_TOKEN: token})
                return
            except (BotoCoreError, ClientError) as error:
                code = _code(error)
                if code in ("PreconditionFailed", "412"):
                    if _was_repeated(error) and self._carries(name, token):
                        return
                    raise AlreadyThere(f"“{name}” is already in {self.url}; it was left as it is.") from None
                if code not in ("ConditionalRequestConflict", "409", "OperationAborted"):
                    if _answer_was_lost(error) and self._carries_after(name, token):
                        return
                    self._raise("create", name, error)
            self._sleep(min(0.05 * 2**attempt, 2.0) * random.uniform(0.5, 1.5))
        raise StoreError(
            f"“{name}” in {self.url} could not be created: another writer held it through "
            f"{CONFLICT_ATTEMPTS} attempts. Run again; nothing was overwritten."
        )

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write an object in one step, over any that is there."""
        try:
            self._put(name, content, content_type)
        except (BotoCoreError, ClientError) as error:
            self._raise("write", name, error)

    def delete(self, name: str) -> None:
        """Delete an object if it is there (retention only)."""
        try:
            self._client.delete_object(Bucket=self.bucket, Key=self._key(name))
        except (BotoCoreError, ClientError) as error:
            self._raise("delete", name, error)

    def everything(self, prefix: str = "") -> Iterator[Stored]:
        """Every version of every object under a prefix, including delete markers."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=self.prefix + prefix
        )
        found: list[Stored] = []
        try:
            for page in pages:
                for entry in page.get("Versions", ()):
                    found.append(self._version(entry, latest=entry.get("IsLatest", True)))
                found += [self._version(entry, latest=False) for entry in page.get("DeleteMarkers", ())]
        except (BotoCoreError, ClientError) as error:
            self._raise("list the versions of", prefix, error)
        return iter(sorted(found, key=lambda o: (o.name, o.version or "")))

    def earlier(self, name: str) -> Iterator[tuple[bytes, str]]:
        """Earlier contents of an object with their types, newest first; none if the bucket keeps no versions."""
        key = self._key(name)
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key)
        try:
            for entry in (e for page in pages for e in page.get("Versions", ())):
                if entry["Key"] == key and not entry["IsLatest"]:
                    answer = self._client.get_object(Bucket=self.bucket, Key=key, VersionId=entry["VersionId"])
                    yield answer["Body"].read(), answer["ContentType"]
        except (BotoCoreError, ClientError) as error:
            self._raise("read the versions of", name, error)

    def purge(self, stored: Iterable[Stored]) -> None:
        """Delete these versions for good. Raises StoreError, which says how many the bucket refused to delete."""
        everything = list(stored)
        for start in range(0, len(everything), _DELETE_AT_ONCE):
            batch = everything[start : start + _DELETE_AT_ONCE]
            keys = [
                {"Key": self.prefix + one.name, **({"VersionId": one.version} if one.version else {})} for one in batch
            ]
            try:
                answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})
            except (BotoCoreError, ClientError) as error:
                self._raise("delete", batch[0].name, error)
            if refused := answer.get("Errors"):
                code = refused[0].get("Code", "")
                raise StoreError(
                    f"{len(refused)} of {len(batch)} objects in {self.url} were not deleted ({code}), "
                    f"“{refused[0].get('Key', '').removeprefix(self.prefix)}” among them. "
                    f"{_ADVICE.get(code, 'Run again; if it stays, ask whoever keeps the bucket.')}"
                )

    def check_exists(self) -> None:
        """Raise StoreError if the bucket cannot be reached with these credentials."""
        try:
            self._client.head_bucket(Bucket=self.bucket)
        except (BotoCoreError, ClientError) as error:
            self._raise("open", "", error)

    def _version(self, entry: dict[str, Any], *, latest: bool) -> Stored:
        return Stored(entry["Key"].removeprefix(self.prefix), entry.get("Size", 0), entry.get("VersionId"), latest)

    def _key(self, name: str) -> str:
        return self.prefix + checked_name(name)

    def _put(self, name: str, content: bytes, content_type: str, **conditions: Any) -> None:
        extra: dict[str, Any] = dict(conditions)
        if self.options.server_side_encryption:
            extra["ServerSideEncryption"] = self.options.server_side_encryption
        if self.options.kms_key_id:
            extra["SSEKMSKeyId"] = self.options.kms_key_id
        if self.options.checksums:
            # Computed here and sent in a header. botocore's own checksum may follow the content in a trailer, and some
            # compatible stores keep that framing as part of the object.
            extra["ChecksumSHA256"] = b64encode(sha256(content).digest()).decode()
        self._client.put_object(
            Bucket=self.bucket, Key=self._key(name), Body=content, ContentType=content_type, **extra
        )

    def _head(self, name: str) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self._client.head_object(Bucket=self.bucket, Key=self._key(name))
        except (BotoCoreError, ClientError) as error:
            if _code(error) in ("NoSuchKey", "NotFound", "404"):
                return None
            self._raise("look at", name, error)
        return head

    def _carries(self, name: str, token: str) -> bool:
        head = self._head(name)
        return head is not None and head.get("Metadata", {}).get(_WRITE_TOKEN) == token

    def _carries_after(self, name: str, token: str) -> bool:
        """After a lost response: whether the object is there with our token. False if that cannot be found out."""
        try:
            return self._carries(name, token)
        except StoreError:
            return False

    def _raise(self, verb: str, name: str, error: Exception) -> NoReturn:
        target = f"“{name}” in {self.url}" if name else self.url
        code = _code(error)
        untrusted = code == "SSLError" and "CERTIFICATE_VERIFY_FAILED" in str(error)
        if untrusted:
            advice = "Its certificate cannot be trusted: give its authority as s3.ca_file, or correct the address."
        elif isinstance(error, (HTTPClientError, NoConnection)):
            advice = "The store does not answer: check its address and the network, then run again."
        elif "Credentials" in code:
            advice = "No usable credentials were found: set them in the settings or the environment."
        else:
            advice = _ADVICE.get(code, "Run again; if it stays, ask whoever keeps the bucket.")
        lasting = code in _ADVICE or "Credentials" in code or isinstance(error, ParamValidationError) or untrusted
        raise (StoreRefuses if lasting else StoreError)(f"Could not {verb} {target} ({code}). {advice}") from None


def _client(options: S3Options) -> Any:
    path_style = bool(options.endpoint_url) if options.path_style is None else options.path_style
    return boto3.session.Session().client(
        "s3",
        endpoint_url=options.endpoint_url,
        region_name=options.region,
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret_access_key,
        aws_session_token=options.session_token,
        verify=options.ca_file,
        config=Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_supported" if options.checksums else "when_required",
            connect_timeout=options.connect_timeout_seconds,
            read_timeout=options.read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": options.attempts},
            s3={"addressing_style": "path" if path_style else "auto"},
            max_pool_connections=32,
        ),
    )


def _code(error: Exception) -> str:
    """The service's error code, or the name of the error on the client's side."""
    if isinstance(error, ClientError):
        answer: dict[str, Any] = dict(error.response)
        return str(answer.get("Error", {}).get("Code") or answer.get("ResponseMetadata", {}).get("HTTPStatusCode"))
    return type(error).__name__


def _answer_was_lost(error: Exception) -> bool:
    """Whether the write may have succeeded although it got an error response or none."""
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)) >= 500
    return isinstance(error, (HTTPClientError, NoConnection))


def _was_repeated(error: Exception) -> bool:
    """Whether the client sent this request more than once, so that an earlier response may have been lost."""
    return isinstance(error, ClientError) and error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
