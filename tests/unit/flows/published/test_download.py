"""A file comes whole, from where it should, in bounded time and size, or not at all and with a sentence."""

from __future__ import annotations

import gzip
import socket
from itertools import count

import pytest

from flows.published.download import Downloader, NotFetched, Patience
from tests.unit.flows.published.web import Web, cut, file, status, without_length

CSV = b"time_period,cases\n2023,5\n" * 2000


class Pauses(list[float]):
    """Stands for sleeping, and remembers for how long."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def fetch(url: str, pauses: Pauses | None = None, hosts: tuple[str, ...] = (), **limits: float) -> bytes:
    patience = Patience(**{"connect_seconds": 5, "read_seconds": 5, **limits})  # type: ignore[arg-type]
    return Downloader(patience, hosts, sleep=pauses if pauses is not None else Pauses()).fetch(url, "workforce").content


def test_a_whole_file_comes_as_it_is(web: Web) -> None:
    url = web.serve("/file.csv", file(CSV))
    found = Downloader(Patience()).fetch(f"{url}?token=secret", "workforce")
    assert (found.content, found.whole) == (CSV, True)
    assert found.url == url, "the query may carry a token and is not kept"


def test_compression_is_undone(web: Web) -> None:
    # Two members one after the other are one file, as gzip allows.
    packed = gzip.compress(CSV[:1000]) + gzip.compress(CSV[1000:])
    assert fetch(web.serve("/file.csv", file(packed, content_encoding="gzip"))) == CSV


def test_a_file_that_breaks_off_is_tried_again_and_then_refused(web: Web) -> None:
    pauses = Pauses()
    with pytest.raises(NotFetched, match=r"workforce: 127\.0\.0\.1 broke off .* tried 4 times\."):
        fetch(web.serve("/file.csv", cut(CSV, 300)), pauses)
    assert pauses == [2, 4, 8]
    assert len(web.asked) == 4


def test_the_next_attempt_may_succeed(web: Web) -> None:
    pauses = Pauses()
    assert fetch(web.serve("/file.csv", cut(CSV, 300), status(500), file(CSV)), pauses) == CSV
    assert pauses == [2, 4]


def test_a_compressed_file_that_breaks_off_is_noticed_although_its_length_fits(web: Web) -> None:
    half = gzip.compress(CSV)[:-20]
    with pytest.raises(NotFetched, match="broke off"):
        fetch(web.serve("/file.csv", file(half, content_encoding="gzip")), attempts=1)


def test_a_file_of_untold_length_is_marked(web: Web) -> None:
    found = Downloader(Patience()).fetch(web.serve("/file.csv", without_length(CSV)), "workforce")
    assert (found.content, found.whole) == (CSV, False)


def test_a_server_that_asks_for_patience_gets_it(web: Web) -> None:
    pauses = Pauses()
    assert fetch(web.serve("/file.csv", status(503, retry_after="7"), file(CSV)), pauses) == CSV
    assert pauses == [7]


def test_a_server_that_asks_for_a_day_does_not_get_it(web: Web) -> None:
    pauses = Pauses()
    fetch(web.serve("/file.csv", status(429, retry_after="86400"), file(CSV)), pauses)
    assert pauses == [60]


@pytest.mark.parametrize(
    ("code", "words"),
    [(404, "has nothing at this address"), (403, "refuses access"), (410, "is gone"), (206, "gives no")],
)
def test_what_will_not_get_better_is_not_tried_again(web: Web, code: int, words: str) -> None:
    with pytest.raises(NotFetched, match=rf"{words}.*status {code}.*correct the address") as refused:
        fetch(web.serve("/file.csv", status(code)) + "?token=secret")
    assert len(web.asked) == 1
    assert "secret" not in str(refused.value)


def test_a_web_page_or_a_message_is_not_taken_for_the_file(web: Web) -> None:
    with pytest.raises(NotFetched, match="a web page instead of the file"):
        fetch(web.serve("/page", file(b"<html>Sorry</html>", "text/html; charset=utf-8")))
    with pytest.raises(NotFetched, match="a message instead of the file"):
        fetch(web.serve("/message", file(b"{}", "application/problem+json")))


def test_a_redirect_on_the_same_host_is_followed(web: Web) -> None:
    web.serve("/new.csv", file(CSV))
    assert fetch(web.serve("/old.csv", status(302, location="/new.csv"))) == CSV


def test_a_redirect_elsewhere_is_refused_by_name_and_not_followed(web: Web) -> None:
    elsewhere = web.serve("/new.csv", file(CSV)).replace("127.0.0.1", "localhost")
    url = web.serve("/old.csv", status(301, location=elsewhere))
    with pytest.raises(NotFetched, match=r"redirects to localhost, which is not expected.*redirect_hosts"):
        fetch(url)
    assert web.asked == ["/old.csv"]
    assert fetch(url, hosts=("localhost",)) == CSV, "a host that the settings allow is followed"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("http://files.example/new.csv", "without https"),
        ("https://someone:secret@files.example/new.csv", "user name"),
        ("file:///etc/hostname", "redirects to no host"),
    ],
)
def test_a_redirect_to_an_unsafe_address_is_refused(web: Web, target: str, words: str) -> None:
    with pytest.raises(NotFetched, match=words) as refused:
        fetch(web.serve("/old.csv", status(302, location=target)), hosts=("files.example",))
    assert "secret" not in str(refused.value)


def test_redirects_in_a_circle_end(web: Web) -> None:
    with pytest.raises(NotFetched, match="redirects more than 5 times"):
        fetch(web.serve("/file.csv", status(302, location="/file.csv")))
    assert len(web.asked) == 6


def test_a_silent_server_is_given_up(web: Web) -> None:
    with pytest.raises(NotFetched, match="did not answer in time"):
        fetch(web.serve("/file.csv", web.silence()), read_seconds=0.1, attempts=2)
    assert len(web.asked) == 2


def test_a_download_that_takes_too_long_is_given_up(web: Web) -> None:
    hours = count(0, 3600)
    downloader = Downloader(Patience(attempts=1), sleep=Pauses(), clock=lambda: float(next(hours)))
    with pytest.raises(NotFetched, match="too slow: the file had not come after 900 s"):
        downloader.fetch(web.serve("/file.csv", file(CSV)), "workforce")


def test_a_file_that_is_too_large_is_refused_before_it_comes(web: Web) -> None:
    with pytest.raises(NotFetched, match=r"larger than 1 MB.*max_file_mb"):
        # Not a byte of it is sent: only its length counts.
        fetch(web.serve("/file.csv", status(200, content_length="1000001")), max_bytes=1_000_000)


def test_a_file_that_turns_out_too_large_is_refused(web: Web) -> None:
    with pytest.raises(NotFetched, match="larger than 1 MB"):
        fetch(web.serve("/file.csv", without_length(b"1,2\n" * 300_000)), max_bytes=1_000_000)


def test_a_bomb_is_refused(web: Web) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(NotFetched, match="larger than 1 MB"):
        fetch(web.serve("/file.csv", file(bomb, content_encoding="gzip")), max_bytes=1_000_000)


def test_a_coding_nobody_asked_for_is_refused(web: Web) -> None:
    with pytest.raises(NotFetched, match="coding “br”"):
        fetch(web.serve("/file.csv", file(CSV, content_encoding="br")))


def test_an_empty_file_is_no_file(web: Web) -> None:
    with pytest.raises(NotFetched, match="empty file"):
        fetch(web.serve("/file.csv", status(200)), attempts=1)


def test_nobody_there_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = taken.getsockname()[1]
        with pytest.raises(NotFetched, match=r"127\.0\.0\.1 could not be reached"):
            fetch(f"http://127.0.0.1:{port}/file.csv", attempts=1)
