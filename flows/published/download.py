"""Downloads one file, whole or not at all, within limits of time and size, and never from an unexpected host."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from features.errors import ReferenceDataError
from flows.settings.published_sources import is_loopback, shown_address

_REDIRECTS = 5
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0
_MEGABYTE = 1_000_000
#: Status codes that are worth another attempt: the server is in trouble or asks us to wait.
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_WORDS = {
    401: "asks for a login",
    403: "refuses access",
    404: "has nothing at this address",
    410: "says that the file is gone",
}
_USER_AGENT = "holdfast-reference-refresh"


class NotFetched(ReferenceDataError):
    """A published file could not be fetched whole."""


class _Later(Exception):
    """This attempt failed, but the next one may succeed."""

    def __init__(self, sentence: str, after_seconds: float = 0) -> None:
        super().__init__(sentence)
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class Patience:
    """The limits of one download."""

    connect_seconds: float = 10
    read_seconds: float = 60
    total_seconds: float = 900
    max_bytes: int = 100 * _MEGABYTE
    attempts: int = 4


@dataclass(frozen=True, slots=True)
class Fetched:
    """A downloaded file."""

    content: bytes = field(repr=False)
    url: str
    """Its address after redirects, without the query."""
    whole: bool
    """Whether the server said how long the file is, so that a missing end would have been noticed."""


class Downloader:
    """Fetches files under one set of limits; `sleep` and `clock` are replaced in tests."""

    def __init__(
        self,
        patience: Patience,
        redirect_hosts: tuple[str, ...] = (),
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = patience
        self._redirect_hosts = frozenset(h.lower() for h in redirect_hosts)
        self._sleep = sleep
        self._clock = clock

    def fetch(self, url: str, name: str, *, json: bool = False) -> Fetched:
        """Download the file at `url`. Tries again with growing pauses if the server is silent or in trouble.

        `name` is the file's name in sentences. `json` asks for a JSON response. Raises NotFetched with a sentence if
        the file is unreachable, refused, cut off, too large, too slow, redirected elsewhere, or a web page.
        """
        attempts = self._patience.attempts
        for attempt in range(1, attempts + 1):
            try:
                return self._once(url, name, json=json)
            except _Later as trouble:
                if attempt == attempts:
                    times = "once" if attempts == 1 else f"{attempts} times"
                    raise NotFetched(f"{name}: {trouble} It was tried {times}.") from None
                pause = max(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), trouble.after_seconds)
                self._sleep(min(pause, _LONGEST_PAUSE_SECONDS))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, url: str, name: str, *, json: bool) -> Fetched:
        until = self._clock() + self._patience.total_seconds
        at = httpx.URL(url)
        with self._client(at.host) as client:
            for _ in range(_REDIRECTS + 1):
                try:
                    with client.stream("GET", at) as answer:
                        if answer.has_redirect_location:
                            at = self._redirected(at, answer.headers["location"], httpx.URL(url), name)
                            continue
                        _check_status(answer, at, name)
                        _check_kind(answer, at, name, json=json)
                        content = self._body(answer, at, name, until)
                        return Fetched(content, shown_address(str(at)), _length_was_told(answer))
                except httpx.TimeoutException:
                    raise _Later(f"{at.host} did not answer in time.") from None
                except httpx.RemoteProtocolError:
                    raise _Later(f"{at.host} broke off before the whole file had come.") from None
                except httpx.TransportError as error:
                    raise _Later(f"{at.host} could not be reached ({type(error).__name__}).") from None
        raise NotFetched(f"{name}: {shown_address(url)} redirects more than {_REDIRECTS} times. Correct the address.")

    def _client(self, host: str) -> httpx.Client:
        patience = self._patience
        return httpx.Client(
            timeout=httpx.Timeout(patience.read_seconds, connect=patience.connect_seconds),
            follow_redirects=False,
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip"},
            # A council's proxy and certificates come from the environment. A server on this machine needs neither.
            trust_env=not is_loopback(host),
        )

    def _redirected(self, at: httpx.URL, location: str, start: httpx.URL, name: str) -> httpx.URL:
        try:
            target = at.join(location)
        except httpx.InvalidURL:
            raise NotFetched(f"{name}: {shown_address(str(at))} redirects to an address that cannot be read.") from None
        if target.host.lower() != start.host.lower() and target.host.lower() not in self._redirect_hosts:
            raise NotFetched(
                f"{name}: {shown_address(str(at))} redirects to {target.host or 'no host'}, which is not expected, so "
                "nothing was fetched. If the publisher has moved, add the host to reference.redirect_hosts in the "
                "settings."
            )
        if target.scheme != "https" and not (target.scheme == "http" and is_loopback(target.host)):
            raise NotFetched(
                f"{name}: {shown_address(str(at))} redirects to an address without https, which is not fetched."
            )
        if target.userinfo:
            raise NotFetched(
                f"{name}: {shown_address(str(at))} redirects to an address with a user name. It is not fetched."
            )
        return target

    def _body(self, answer: httpx.Response, at: httpx.URL, name: str, until: float) -> bytes:
        limit = self._patience.max_bytes
        told = answer.headers.get("content-length", "")
        if told.isdigit() and int(told) > limit:
            raise _too_large(name, limit)
        found = bytearray()
        for part in _decoded(self._in_time(answer, at, until), answer, at, limit):
            found += part
            if len(found) > limit:
                raise _too_large(name, limit)
        if not found:
            raise _Later(f"{at.host} sent an empty file.")
        return bytes(found)

    def _in_time(self, answer: httpx.Response, at: httpx.URL, until: float) -> Iterator[bytes]:
        for raw in answer.iter_raw():
            if self._clock() > until:
                seconds = self._patience.total_seconds
                raise _Later(f"{at.host} was too slow: the file had not come after {seconds:g} s.")
            yield raw


def _too_large(name: str, limit: int) -> NotFetched:
    return NotFetched(
        f"{name}: the file is larger than {limit // _MEGABYTE} MB, so it was not fetched. If it is the right file, "
        "raise reference.max_file_mb in the settings."
    )


def _check_status(answer: httpx.Response, at: httpx.URL, name: str) -> None:
    status = answer.status_code
    if status == httpx.codes.OK:
        return
    if status in _TRY_AGAIN:
        asked = answer.headers.get("retry-after", "")
        raise _Later(f"{at.host} is in trouble (status {status}).", float(asked) if asked.isdigit() else 0)
    what = _WORDS.get(status, "gives no file")
    raise NotFetched(
        f"{name}: {at.host} {what} (status {status}): {shown_address(str(at))}. Publishers move files with a release: "
        "correct the address in the settings."
    )


def _check_kind(answer: httpx.Response, at: httpx.URL, name: str, *, json: bool) -> None:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    page = kind in ("text/html", "application/xhtml+xml")
    if page or (not json and kind in ("application/json", "application/problem+json")):
        raise NotFetched(
            f"{name}: {at.host} answered with {'a web page' if page else 'a message'} instead of the file: "
            f"{shown_address(str(at))}. Correct the address in the settings."
        )


def _length_was_told(answer: httpx.Response) -> bool:
    return "content-length" in answer.headers or "chunked" in answer.headers.get("transfer-encoding", "").lower()


def _decoded(raw: Iterator[bytes], answer: httpx.Response, at: httpx.URL, limit: int) -> Iterator[bytes]:
    """Decompress the body in portions of limited size. A compressed stream that is cut off is noticed."""
    coding = answer.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        yield from raw
        return
    if coding not in ("gzip", "x-gzip"):
        raise NotFetched(f"{at.host} sent the file in the coding “{coding[:20]}”, which was not asked for.")
    unpack = zlib.decompressobj(wbits=31)
    try:
        for portion in raw:
            rest = portion
            while rest:
                if unpack.eof:
                    unpack = zlib.decompressobj(wbits=31)
                yield unpack.decompress(rest, limit + 1)
                rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    except zlib.error:
        raise _Later(f"{at.host} sent a compressed file that cannot be unpacked.") from None
    if not unpack.eof:
        raise _Later(f"{at.host} broke off before the whole file had come.")
