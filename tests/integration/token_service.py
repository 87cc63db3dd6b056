"""A token endpoint as Microsoft's sign-in service is one: discovery, client credentials, tokens that end."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import trustme

TENANT, CLIENT_ID, SECRET = "8f0a1c3e-0000-4000-8000-000000000001", "holdfast-app", "a secret of the application"


@dataclass
class TokenService:
    """What it gives, and what it was asked."""

    address: str = ""
    ca_file: str = ""
    lives_seconds: int = 3600
    away: bool = False
    given: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)

    def is_valid(self, user: str, token: str) -> bool:
        return token in self.given and token not in self.revoked and user == "holdfast@alliance.example"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.away:
            return 503, {}
        if path.endswith("/.well-known/openid-configuration"):
            base = f"{self.address}/{TENANT}"
            return 200, {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        self.asked.append(form)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, SECRET):
            said = f"AADSTS7000215: Invalid client secret provided: {form.get('client_secret')}"
            return 401, {"error": "invalid_client", "error_description": said, "error_codes": [7000215]}
        self.given.append(f"token-{len(self.given) + 1}")
        return 200, {"token_type": "Bearer", "expires_in": self.lives_seconds, "access_token": self.given[-1]}


@contextmanager
def token_service(folder: Path) -> Iterator[TokenService]:
    """The service on a port of 127.0.0.1, over TLS."""
    service, authority = TokenService(), trustme.CA()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(sent).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, body = service.answer(self.path, form)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *given: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    service.address = f"https://127.0.0.1:{server.server_port}"
    service.ca_file = str(folder / "token-authority.pem")
    authority.cert_pem.write_to_path(service.ca_file)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
