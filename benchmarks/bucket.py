"""An S3 server on this machine that counts the requests it gets, for benchmarks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from flows.store import S3Options
from flows.store.s3 import S3Store

_NAME = "holdfast"
_KEY = "benchmark"


@dataclass
class Bucket:
    """A bucket in memory, and the requests that came for it, by method."""

    endpoint_url: str
    requests: Counter[str] = field(default_factory=Counter)

    @property
    def settings(self) -> dict[str, str]:
        """What a run needs in its environment to use it, with a landing and a store."""
        return {
            "HOLDFAST_LANDING": f"s3://{_NAME}/landing",
            "HOLDFAST_STORE": f"s3://{_NAME}/store",
            "HOLDFAST_S3__ENDPOINT_URL": self.endpoint_url,
            "HOLDFAST_S3__REGION": "us-east-1",
            "HOLDFAST_S3__ACCESS_KEY_ID": _KEY,
            "HOLDFAST_S3__SECRET_ACCESS_KEY": _KEY,
        }

    def fill(self, prefix: str, folder: Path) -> None:
        """Put a folder's files under a prefix."""
        options = S3Options(
            endpoint_url=self.endpoint_url, region="us-east-1", access_key_id=_KEY, secret_access_key=_KEY
        )
        store = S3Store(_NAME, prefix, options)
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            store.replace(file.relative_to(folder).as_posix(), file.read_bytes())

    def taken(self) -> Counter[str]:
        """The requests since the last call."""
        found, self.requests = self.requests, Counter()
        return found


@contextmanager
def counting_bucket() -> Iterator[Bucket]:
    """A server with an empty bucket for the block."""
    import boto3
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from moto.s3.models import s3_backends
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: Any) -> None: ...

    answer, made = DomainDispatcherApplication(create_backend_app), Bucket("")

    def counted(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        made.requests[environ["REQUEST_METHOD"]] += 1
        found: Iterable[bytes] = answer(environ, start)
        return found

    server = make_server("127.0.0.1", 0, counted, threaded=True, request_handler=Quiet)
    made.endpoint_url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        boto3.client(
            "s3", endpoint_url=made.endpoint_url, region_name="us-east-1",
            aws_access_key_id=_KEY, aws_secret_access_key=_KEY,
        ).create_bucket(Bucket=_NAME)  # fmt: skip
        made.taken()
        yield made
    finally:
        server.shutdown()
        thread.join()
        s3_backends[DEFAULT_ACCOUNT_ID].reset()
