"""Prefect's server for a group that signs on by name: whoever answers an approval is the person who has signed on.

`python -m flows.orchestration.signed_on 4200` takes the place of `prefect server start` behind a sign-on proxy such as
oauth2-proxy, which names the person in a header. That name is kept with the decision, whatever was typed in the form.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"
PERSON_HEADERS = (b"x-forwarded-email", b"x-forwarded-user")
_RESUME = re.compile(r"(/api)?/flow_runs/[0-9a-fA-F-]{36}/resume/?")


class SignedOn:
    """An application around Prefect's that writes the signed-on person into answers to an approval."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        person = _person(scope)
        if scope["type"] != "http" or person == "" or not _RESUME.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        content = _with_person(body, person)
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        length = (b"content-length", str(len(content)).encode())
        read = False

        async def once() -> Message:
            nonlocal read
            if read:
                return await receive()
            read = True
            return {"type": "http.request", "body": content, "more_body": False}

        await self._app({**scope, "headers": [*headers, length]}, once, send)


def _person(scope: MutableMapping[str, Any]) -> str:
    """Who has signed on, by the proxy; empty if nobody says so."""
    given = dict(reversed(scope.get("headers", ())))
    return next((str(given[h], "latin-1").strip() for h in PERSON_HEADERS if given.get(h, b"").strip()), "")


def _with_person(body: bytes, person: str) -> bytes:
    """The answer with the person's name; what is no answer stays as it is, for Prefect to refuse."""
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    if not isinstance(answer, dict) or not isinstance(answer.get("run_input"), dict):
        return body
    answer["run_input"]["by"] = person[:100]
    return json.dumps(answer).encode()


def main() -> None:
    """Serve on the loopback address, on the given port, as `prefect server start` does."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 4200
    os.environ.setdefault("PREFECT_API_URL", f"http://{HOST}:{port}/api")
    os.environ.setdefault("PREFECT_SERVER_API_HOST", HOST)
    os.environ.setdefault("PREFECT_SERVER_API_PORT", str(port))
    from flows.orchestration import embedded

    embedded.configure()
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(SignedOn(create_app(final=True)), host=HOST, port=port, log_level="warning")


if __name__ == "__main__":
    main()
