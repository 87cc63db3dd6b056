"""How S3's answers are understood, with a client that gives them on demand."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from features.errors import StoreError
from flows.store import AlreadyThere, S3Options, StoreRefuses
from flows.store.s3 import CONFLICT_ATTEMPTS, S3Store

_KEYS = S3Options(region="eu-west-2", access_key_id="AKIDEXAMPLE", secret_access_key="top-secret")


def _answer(code: str, status: int, repeats: int = 0) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "The key AKIDEXAMPLE …", "AWSAccessKeyId": "AKIDEXAMPLE"},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": repeats},
    }
    return ClientError(response, "PutObject")


class _Client:
    """Answers each put in turn: an error is raised, None is success."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.puts: list[dict[str, Any]] = []
        self.stored: dict[str, str] | None = None

    def put_object(self, **request: Any) -> dict[str, Any]:
        self.puts.append(request)
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer
        return {}

    def head_object(self, **_: Any) -> dict[str, Any]:
        metadata = self.puts[-1]["Metadata"] if self.stored is None else self.stored
        return {"Metadata": metadata}


def _store(monkeypatch: pytest.MonkeyPatch, client: _Client, options: S3Options = _KEYS) -> tuple[S3Store, list[float]]:
    pauses: list[float] = []
    store = S3Store("bucket", "prefix", options, sleep=pauses.append)
    monkeypatch.setattr(store, "_client", client)
    return store, pauses


def test_a_conflict_is_tried_again_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    conflict = _answer("ConditionalRequestConflict", 409)
    client = _Client(conflict, conflict, conflict, None)
    store, pauses = _store(monkeypatch, client)
    store.create("a", b"x")
    assert len(client.puts) == 4
    assert len(pauses) == 3
    assert pauses[2] > pauses[0]
    assert {p["IfNoneMatch"] for p in client.puts} == {"*"}


def test_a_conflict_can_end_as_already_there(monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = _store(
        monkeypatch, _Client(_answer("ConditionalRequestConflict", 409), _answer("PreconditionFailed", 412))
    )
    with pytest.raises(AlreadyThere):
        store.create("a", b"x")


def test_endless_conflict_is_an_error_and_not_already_there(monkeypatch: pytest.MonkeyPatch) -> None:
    client = _Client(*[_answer("ConditionalRequestConflict", 409)] * CONFLICT_ATTEMPTS)
    store, _ = _store(monkeypatch, client)
    with pytest.raises(StoreError, match="nothing was overwritten") as refused:
        store.create("a", b"x")
    assert not isinstance(refused.value, AlreadyThere)
    assert client.answers == []


def test_meeting_our_own_object_after_a_lost_answer_is_success(monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = _store(monkeypatch, _Client(_answer("PreconditionFailed", 412, repeats=1)))
    store.create("a", b"x")


def test_meeting_anothers_object_after_a_repeat_is_already_there(monkeypatch: pytest.MonkeyPatch) -> None:
    client = _Client(_answer("PreconditionFailed", 412, repeats=1))
    client.stored = {"holdfast-write": "somebody else"}
    store, _ = _store(monkeypatch, client)
    with pytest.raises(AlreadyThere):
        store.create("a", b"x")


def test_encryption_and_checksum_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    client = _Client(None, None)
    store, _ = _store(
        monkeypatch, client, S3Options(region="eu-west-2", server_side_encryption="aws:kms", kms_key_id="k")
    )
    store.create("a", b"x", content_type="text/html")
    store.replace("a", b"y")
    for put in client.puts:
        assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", "k")
        assert put["ChecksumSHA256"] == b64encode(sha256(put["Body"]).digest()).decode()
        assert put["Key"] == "prefix/a"
    assert client.puts[0]["ContentType"] == "text/html"
    assert "IfNoneMatch" not in client.puts[1]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (_answer("AccessDenied", 403), "may not do that"),
        (_answer("InvalidAccessKeyId", 403), "access key is not known"),
        (_answer("NoSuchBucket", 404), "no such bucket"),
        (_answer("SlowDown", 503), "Run again"),
        (EndpointConnectionError(endpoint_url="http://x"), "does not answer"),
        (NoCredentialsError(), "No usable credentials"),
    ],
)
def test_errors_are_sentences_without_keys(monkeypatch: pytest.MonkeyPatch, error: Exception, says: str) -> None:
    client = _Client(error)
    client.stored = {}
    store, _ = _store(monkeypatch, client)
    with pytest.raises(StoreError, match=says) as refused:
        store.create("a", b"x")
    assert "AKIDEXAMPLE" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "s3://bucket/prefix" in str(refused.value)


def test_keys_are_not_shown() -> None:
    assert "AKIDEXAMPLE" not in repr(_KEYS)
    assert "top-secret" not in repr(_KEYS)


@pytest.mark.parametrize("error", [_answer("InternalError", 500), EndpointConnectionError(endpoint_url="http://x")])
def test_a_create_whose_answer_was_lost_is_read_back(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    store, _ = _store(monkeypatch, _Client(error))
    store.create("a", b"x")


@pytest.mark.parametrize(
    ("code", "lasts"),
    [
        ("AccessDenied", True),
        ("ExpiredToken", True),
        ("RequestTimeTooSkewed", True),
        ("QuotaExceeded", True),
        ("InternalError", False),
        ("SlowDown", False),
    ],
)
def test_what_a_person_must_put_right_is_told_from_what_passes(
    monkeypatch: pytest.MonkeyPatch, code: str, lasts: bool
) -> None:
    client = _Client(_answer(code, 403 if lasts else 503))
    client.stored = {}
    store, _ = _store(monkeypatch, client)
    with pytest.raises(StoreError) as refused:
        store.create("a", b"x")
    assert isinstance(refused.value, StoreRefuses) is lasts


@pytest.mark.parametrize(
    ("endpoint", "asked", "style"),
    [
        (None, None, "auto"),
        ("http://127.0.0.1:9", None, "path"),
        ("http://127.0.0.1:9", False, "auto"),
        (None, True, "path"),
    ],
)
def test_a_bucket_is_asked_by_path_where_the_settings_say_so(
    endpoint: str | None, asked: bool | None, style: str
) -> None:
    store = S3Store("bucket", "", S3Options(endpoint_url=endpoint, region="eu-west-2", path_style=asked))
    assert store._client.meta.config.s3["addressing_style"] == style
