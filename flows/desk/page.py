"""`holdfast desk`: a page on which an officer drops files and reads their report. It stores nothing.

One small Starlette application. It listens on the loopback address; for others it stands behind the group's own
sign-on, which names the person in a header. Then a person can check files of their own council only, because a report
compares a file with the council's past. The page has no script: the browser sends the files as an ordinary form.
"""

from __future__ import annotations

import asyncio
import re
import socket
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_string
from hashlib import sha256
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from expectations.report.council import as_html
from features.councils import folder_name
from features.errors import HoldfastError, SettingsError
from features.months import Month
from flows.desk.answer import Inquiry, Problem, answered
from flows.desk.past import settings_if_any
from flows.extracts.check_files import Handed
from flows.settings.settings import Settings
from flows.store import open_store
from flows.store.context import load_register

HOST = "127.0.0.1"
#: The header in which oauth2-proxy and similar programs name the person who has signed on.
PERSON_HEADER = "X-Forwarded-Email"
_TEMPLATE = "desk.html.j2"


@dataclass(frozen=True, slots=True)
class DeskLimits:
    """How much is taken at once: several times the largest extracts of a council."""

    files: int = 10
    megabytes: int = 100
    upload_seconds: float = 60
    check_seconds: float = 120
    at_once: int = 2


class _Refused(Exception):
    """The request is not answered with a report. Its text is a sentence for the page."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def desk_app(name: str = "", limits: DeskLimits = DeskLimits()) -> ASGIApp:
    """The application. `name` is the host name under which a sign-on proxy shows it; empty: this machine only."""
    busy = asyncio.Semaphore(limits.at_once)

    async def page(request: Request) -> Response:
        try:
            settings = settings_if_any()
            own = _own_councils(settings, request) if name else None
            if request.method != "POST":
                return HTMLResponse(as_html(template=_TEMPLATE, limits=limits))
            _refuse_other_sites(request)
            if busy.locked():
                raise _Refused(503, "The desk is busy with other files. Try again in a minute.")
            async with busy:
                fields, files = parts_of_form(
                    await _body(request, limits), request.headers.get("content-type", ""), limits
                )
                question = _question(settings, fields, files, own, limits)
                made = await run_in_threadpool(answered, question, limits.check_seconds)
        except _Refused as error:
            refused = as_html(Problem(str(error)), template=_TEMPLATE, limits=limits)
            return HTMLResponse(refused, error.status)
        return HTMLResponse(made.page)

    hosts = [name] if name else [HOST, "localhost"]
    app = Starlette(routes=[Route("/", page, methods=["GET", "POST"])])
    return _guarded(TrustedHostMiddleware(app, allowed_hosts=hosts, www_redirect=False))


def run_desk(port: int, name: str, say: Callable[[str], None]) -> None:
    """Show the desk on this machine until stopped. Raises SettingsError if the port is taken."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((HOST, port))
    except OSError:
        raise SettingsError(f"Port {port} is taken. Stop what listens there, or choose another with --port.") from None
    say(f"The desk is at http://{HOST}:{door.getsockname()[1]}. It stores nothing. Ctrl-C ends it.")
    config = uvicorn.Config(
        desk_app(name), log_level="error", access_log=False, server_header=False, proxy_headers=False, lifespan="off"
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])


def _guarded(app: ASGIApp) -> ASGIApp:
    """Every answer with headers that let a browser load, keep and send on nothing."""
    style = as_html(template=_TEMPLATE, limits=DeskLimits()).partition(b"<style>")[2].partition(b"</style>")[0]
    digest = b64encode(sha256(style).digest()).decode()
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",  # with no-referrer a browser would not say where a form comes from
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await app(scope, receive, with_headers)

    return guarded


def _refuse_other_sites(request: Request) -> None:
    """Take a form only from our own page: another page open in the same browser could send one too."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in (None, "same-origin") or (origin and urlsplit(origin).netloc != request.headers.get("host")):
        raise _Refused(403, "The files came from another page. Open the desk itself and choose them there.")


def _own_councils(settings: Settings | None, request: Request) -> frozenset[str] | None:
    """Folders of the councils whose files the signed-on person may check; None for the data team, who may check all."""
    person = request.headers.get(PERSON_HEADER, "").strip().casefold()
    if settings is None or not person:
        raise _Refused(403, "Nobody has signed on. Open the desk at the address that your data team gave you.")
    if person == settings.mail.data_team.casefold():
        return None
    try:
        register = load_register(open_store(settings, settings.landing, must_exist=True), settings.register_file)
    except HoldfastError as error:
        raise _Refused(503, f"The desk cannot work now. Tell the data team: {error}") from None
    own = {c.folder for c in register.councils if person in {a.casefold() for a in (c.data_officer, *c.recipients)}}
    if not own:
        raise _Refused(403, "The register of councils does not know your address. Ask the data team to add it.")
    return frozenset(own)


async def _body(request: Request, limits: DeskLimits) -> bytes:
    """The whole form, in memory. Too much is read to its end, so that the browser shows the answer, but not kept."""
    kept, most = bytearray(), limits.megabytes * 1_000_000
    too_much = False
    try:
        async with asyncio.timeout(limits.upload_seconds):
            async for chunk in request.stream():
                too_much = too_much or len(kept) + len(chunk) > most
                if too_much:
                    kept.clear()
                else:
                    kept += chunk
    except (TimeoutError, ClientDisconnect):
        raise _Refused(408, "The files took too long to arrive. Try again, with fewer or smaller files.") from None
    if too_much:
        raise _Refused(413, f"The files are larger than {limits.megabytes} MB together. Choose fewer, or check them.")
    return bytes(kept)


def parts_of_form(body: bytes, content_type: str, limits: DeskLimits) -> tuple[dict[str, str], list[Handed]]:
    """The form's fields and files (RFC 7578)."""
    kind = message_from_string(f"Content-Type: {content_type}\n\n")
    boundary = kind.get_boundary()
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        raise _Refused(400, "No form came. Open the desk in a browser and choose files there.")
    fields: dict[str, str] = {}
    files: list[Handed] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1"))[1:]:
        if part.startswith(b"--"):
            break
        head, _, content = part.partition(b"\r\n\r\n")
        about = message_from_string(head.decode("utf-8", "replace").strip())
        name = _plain_name(about.get_filename() or "")
        if name:
            files.append(Handed(name, content))
        else:
            fields[str(about.get_param("name", "", "content-disposition"))] = content.decode("utf-8", "replace").strip()
    if not files:
        raise _Refused(400, "No file was chosen. Choose one or more files, or drop them on the box.")
    if len(files) > limits.files:
        raise _Refused(400, f"At most {limits.files} files are checked together. Choose fewer.")
    return fields, files


def _plain_name(given: str) -> str:
    """The last part of a file's name, in characters that can be shown."""
    return "".join(c for c in given.replace("\\", "/").rpartition("/")[2] if c.isprintable())[:120]


def _question(
    settings: Settings | None,
    fields: Mapping[str, str],
    files: Sequence[Handed],
    own: frozenset[str] | None,
    limits: DeskLimits,
) -> Inquiry:
    council, month = fields.get("council", ""), fields.get("month", "")
    if own is not None and not council and len(own) == 1:
        (council,) = own
    if own is not None and folder_name(council) not in own:
        raise _Refused(403, f"You check files of {', '.join(sorted(own))}. Write one of these as the council.")
    if council and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 /-]{0,23}", council):
        raise _Refused(400, "The council is not a code. Write it as in the register, for example 301, or nothing.")
    try:
        of = Month.parse(month) if month else None
    except HoldfastError as error:
        raise _Refused(400, str(error)) from None
    return Inquiry(
        settings, datetime.now(UTC), tuple(files), council or None, of, template=_TEMPLATE, facts={"limits": limits}
    )
