"""What the settings say of a bucket reaches the server: certificate, session token, checksums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from flows.settings.settings import Settings
from flows.store import Store, StoreRefuses, open_store
from tests.integration.smtp_server import Authority

pytestmark = pytest.mark.integration


class Asked(BaseHTTPRequestHandler):
    """Takes every object and remembers the requests: path and headers."""

    protocol_version = "HTTP/1.1"
    requests: ClassVar[list[tuple[str, Mapping[str, str]]]] = []

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    Asked.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.socket = Authority(tmp_path, "localhost").context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _store(address: str, **s3: object) -> Store:
    given = {"endpoint_url": address, "region": "eu-west-2", "access_key_id": "AKID", "secret_access_key": "s", **s3}
    return open_store(Settings.model_validate({"s3": given}), "s3://bucket/store")


def test_a_private_authority_and_credentials_that_expire(address: str, tmp_path: Path) -> None:
    _store(address, ca_file=str(tmp_path / "authority.pem"), session_token="for some hours").replace("a", b"x")
    ((path, headers),) = Asked.requests
    assert path == "/bucket/store/a", "an address of its own is asked by path"
    assert headers["x-amz-security-token"] == "for some hours"
    assert headers["x-amz-checksum-sha256"]


def test_a_store_without_checksums_is_sent_none(address: str, tmp_path: Path) -> None:
    _store(address, ca_file=str(tmp_path / "authority.pem"), checksums="none").replace("a", b"x")
    ((_, headers),) = Asked.requests
    assert not [name for name in headers if "checksum" in name]


def test_a_certificate_of_an_unknown_authority_is_said_at_once(address: str) -> None:
    with pytest.raises(StoreRefuses, match="certificate cannot be trusted: give its authority as s3.ca_file"):
        _store(address).replace("a", b"x")
    assert Asked.requests == []
