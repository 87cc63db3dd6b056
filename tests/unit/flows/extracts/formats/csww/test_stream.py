"""The file as a stream: what is read, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import UnreadableExtract
from flows.extracts.formats.csww.stream import Stream
from tests.unit.flows.extracts.formats.csww.made_up import (
    AGENCY,
    IN_POST,
    csww,
    header,
    message,
    record,
    vacancies,
    worker,
)

GOOD = csww(worker(), worker(AGENCY))
SECRET = "Zebedee"


def numbers(content: bytes, chunk: int = 10_000) -> list[str | None]:
    """The registration numbers a stream finds."""
    return [n for part in Stream(content, "return.xml", chunk).chunks() for n in part["SWENo"].to_list()]


NUMBERS = [IN_POST["SWENo"], AGENCY["SWENo"]]
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        GOOD.removeprefix(DECLARATION),
        GOOD.replace(b"UTF-8", b"iso-8859-1").replace(b"A university", b"Universit\xe9"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"  ", b"").replace(b"\n", b""),
        GOOD.replace(b"<Message>", b"<!-- a note --><?page break?><Message xmlns:xsi='http://www.w3.org/x' xsi:a='b'>"),
    ],
    ids=["plain", "mark", "utf-16", "undeclared", "latin-1", "windows lines", "one line", "notes"],
)
def test_read_whatever_the_encoding_and_layout(content: bytes) -> None:
    assert numbers(content) == NUMBERS


REFUSED = {
    "empty": (b"", "the file is empty"),
    "no XML": (b"la_code,fte\n301,0.5\n", "the file is no XML"),
    "a workbook": (b"PK\x03\x04" + bytes(100), "the file is no XML"),
    "breaks off": (GOOD[:900], "breaks off or is damaged"),
    "another root": (b"<Children><Child/></Children>", "does not begin with Message"),
    "a namespace": (GOOD.replace(b"<Message>", b'<Message xmlns="urn:x">'), "belong to an XML namespace"),
    "a document type": (GOOD.replace(b"<Message>", b"<!DOCTYPE Message><Message>"), "document type or entities"),
    "an entity bomb": (
        b'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
        b"<Message><CSWWWorker><FTE>&c;</FTE></CSWWWorker></Message>",
        "document type or entities",
    ),
    "an external entity": (
        b'<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/hostname">]><Message>&a;</Message>',
        "document type or entities",
    ),
    "an external document type": (
        b'<!DOCTYPE m SYSTEM "http://127.0.0.1/x.dtd"><Message/>',
        "document type or entities",
    ),
    "an undeclared entity": (GOOD.replace(b"A university", b"&a;"), "breaks off or is damaged"),
    "an unknown encoding": (GOOD.replace(b"UTF-8", b"klingon"), "encoding the file names is not known"),
    "another encoding than it says": (GOOD.replace(b"A university", b"\xff\xfe\xff"), "its text is not UTF-8"),
    "no workers": (message(header(), vacancies()), "has no CSWWWorker"),
    "deeply nested": (b"<Message>" + b"<a>" * 10_000, "nested more deeply"),
    "nested in a worker": (b"<Message><CSWWWorker>" + b"<FTE>" * 10_000, "nested more deeply"),
    "an endless tag": (b"<Message a='" + b"a" * 9_000_000, "a tag of the file never ends"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_in_a_sentence(what: str) -> None:
    content, says = REFUSED[what]
    with pytest.raises(UnreadableExtract) as caught:
        numbers(content)
    assert says in str(caught.value) and str(caught.value).startswith("return.xml: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableExtract, match="There is no file"):
        list(Stream(tmp_path / "none.xml", "none.xml").chunks())


def test_a_refusal_repeats_nothing_of_the_file() -> None:
    for content in (f"<{SECRET}/>".encode(), GOOD[:900].replace(b"SW1234567", SECRET.encode()), SECRET.encode()):
        with pytest.raises(UnreadableExtract) as caught:
            numbers(content)
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None


def test_chunks_come_as_the_file_is_read(tmp_path: Path) -> None:
    """Sixty-four kilobytes are read at a time, and no more than that is ahead of what is handed on."""
    path = tmp_path / "return.xml"
    path.write_bytes(csww(*(worker(SWENo=f"SW{n}") for n in range(2_000))))
    stream = Stream(path, path.name, chunk=100)
    heights = [chunk.height for chunk in stream.chunks()]
    assert sum(heights) == stream.outline.workers == 2_000
    assert max(heights) < 300


def test_where_a_record_stands() -> None:
    (chunk,) = Stream(GOOD, "return.xml").chunks()
    assert chunk["worker"].to_list() == [1, 2]
    lines = GOOD.decode().split("\n")
    assert [lines[n - 1].strip() for n in chunk["line"].to_list()] == ["<CSWWWorker>"] * 2


def test_text_split_over_reads_is_whole() -> None:
    padding = "x" * 65_000
    content = message(
        f"<!-- {padding} -->", header(), vacancies(), *(record(worker(SWENo=f"SW{n}")) for n in range(300))
    )
    assert numbers(content) == [f"SW{n}" for n in range(300)]


def test_elements_that_are_not_values() -> None:
    inner = (
        record(worker())
        .replace("<FTE>0.8</FTE>", "<FTE>0.<b>8</b></FTE>")
        .replace("<Cases30>16</Cases30>", "<Cases30/>")
    )
    twice = record(worker(OrgRole=["5", "6"], QualLevel=["1", "1"]))
    (chunk,) = Stream(message(header(), vacancies(), inner, twice), "return.xml").chunks()
    assert chunk["FTE"].to_list() == ["<", "0.8"], "no number comes of an element within an element"
    assert chunk["Cases30"].to_list() == ["", "16"], "empty is not missing"
    assert chunk["unknown"].to_list() == [1, 0]
    assert chunk["OrgRole"].to_list() == ["5", "5"]
    assert [bin(n).count("1") for n in chunk["twice"].to_list()] == [0, 2]
    assert [bin(n).count("1") for n in chunk["differs"].to_list()] == [0, 1]


def test_a_text_longer_than_any_value_is_cut() -> None:
    (chunk,) = Stream(csww(worker(QualInst="y" * 3_000_000)), "return.xml").chunks()
    assert len(chunk["QualInst"].item()) < 100_000


def test_the_outline() -> None:
    content = message(record(worker()), vacancies(), header(), "<Annex/>", "<cswwworker/>", "<Header/>")
    stream = Stream(content, "return.xml")
    list(stream.chunks())
    outline = stream.outline
    assert (outline.workers, outline.header.count, outline.vacancies.count) == (1, 2, 1)
    assert outline.unordered_blocks and outline.unknown_blocks == 2
    assert outline.lookalikes == {"CSWWWorker": 1}
    assert outline.header.one("LEA") == "301" and outline.header.one("Sender") is None
    assert outline.vacancies.one("NoAgencyFTE") == "1"
