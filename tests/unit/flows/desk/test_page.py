"""The desk takes a form and nothing else, from its own page, under its own name, within its limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from flows.desk import page
from flows.desk.answer import Answered, Inquiry
from flows.desk.page import PERSON_HEADER, DeskLimits, desk_app
from tests.unit.flows.desk.test_tried import REGISTER

#: Bytes of files, among them what could be taken for the form's own marks.
BYTES = st.lists(st.sampled_from([b"\r\n", b"--", b"\r\n--", b"\x00", b"a", b"\xff", b"\r", b"\n"])).map(b"".join)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[Inquiry]:
    """Every question that reached the check, which is left out here."""
    found: list[Inquiry] = []

    def answered(question: Inquiry, seconds: float) -> Answered:
        found.append(question)
        return Answered(b"<p>checked</p>")

    monkeypatch.setattr(page, "answered", answered)
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    return found


def client(name: str = "", **limits: float) -> TestClient:
    return TestClient(desk_app(name, DeskLimits(**limits)), base_url=f"http://{name or '127.0.0.1'}:4280")  # type: ignore[arg-type]


def test_every_answer_lets_the_browser_load_keep_and_frame_nothing(questions: list[Inquiry]) -> None:
    desk = client()
    for answer in (
        desk.get("/"),
        desk.post("/"),
        desk.get("/nowhere"),
        desk.get("/", headers={"Host": "evil.example"}),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in desk.get("/").text


def test_another_host_name_is_not_answered(questions: list[Inquiry]) -> None:
    assert client().get("/", headers={"Host": "evil.example"}).status_code == 400
    assert client("desk.example").get("/", headers={"Host": "127.0.0.1"}).status_code == 400


@pytest.mark.parametrize(
    "header", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_a_form_of_another_page_is_not_taken(questions: list[Inquiry], header: dict[str, str]) -> None:
    answer = client().post("/", files={"files": ("workforce.csv", b"x")}, headers=header)
    assert (answer.status_code, questions) == (403, [])


def test_what_is_too_much_gets_a_sentence(questions: list[Inquiry]) -> None:
    many = [("files", (f"workforce{n}.csv", b"x")) for n in range(3)]
    assert "At most 2 files" in client(files=2).post("/", files=many).text
    large = {"files": ("workforce.csv", b"x" * 1_100_000)}
    assert client(megabytes=1).post("/", files=large).status_code == 413
    assert "No file was chosen" in client().post("/", files={"files": ("", b"")}).text
    assert "No form came" in client().post("/", content=b"{}").text
    assert questions == []


def test_wrong_words_get_a_sentence_and_are_not_repeated_unescaped(questions: list[Inquiry]) -> None:
    files = {"files": ("workforce.csv", b"x")}
    assert client().post("/", files=files, data={"month": "<b>May</b>"}).status_code == 400
    assert "<b>" not in client().post("/", files=files, data={"month": "<b>May</b>", "council": ""}).text
    assert client().post("/", files=files, data={"council": "../x"}).status_code == 400
    assert questions == []


@given(BYTES, BYTES)
def test_files_arrive_as_they_were(first: bytes, second: bytes) -> None:
    sent = TestClient(lambda *_: None).build_request(  # type: ignore[arg-type, return-value]
        "POST", "/", files=[("files", ("a.csv", first)), ("files", ("ü “b”.csv", second))], data={"month": "2026-10"}
    )
    fields, files = page.parts_of_form(sent.read(), sent.headers["content-type"], DeskLimits())
    assert [f.content for f in files] == [first, second]
    assert fields == {"month": "2026-10"}


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, questions: list[Inquiry]) -> list[Inquiry]:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "register.csv").write_text(REGISTER)
    monkeypatch.setenv("HOLDFAST_LANDING", str(tmp_path / "landing"))
    return questions


def test_behind_a_sign_on_a_person_checks_files_of_their_own_council(group: list[Inquiry]) -> None:
    desk, files = client("desk.example"), {"files": ("workforce.csv", b"x")}
    assert desk.get("/").status_code == 403
    assert desk.get("/", headers={PERSON_HEADER: "who@elsewhere.example"}).status_code == 403
    officer = {PERSON_HEADER: "Data@Barnsley.example"}
    assert desk.post("/", files=files, headers=officer).status_code == 200
    assert desk.post("/", files=files, data={"council": "301"}, headers=officer).status_code == 403
    team = {PERSON_HEADER: "data-team@holdfast.example"}
    assert desk.post("/", files=files, data={"council": "301"}, headers=team).status_code == 200
    assert [q.council for q in group] == ["370", "301"]
