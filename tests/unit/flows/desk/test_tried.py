"""A file in the try folder is answered once, to its officer, by what `holdfast check` says; it is gone after a day."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.councils import Council, write_register
from features.months import Month
from features.registry import Kind
from flows.desk.answer import Answered, Inquiry, answer_here
from flows.desk.tried import look_at_tries, tries_address
from flows.mail.undelivered import undelivered
from flows.settings.settings import Settings, TransportChoice
from flows.store import open_store
from tests.unit.flows.extracts.conftest import WORKFORCE

REGISTER = write_register(
    [
        Council("370", "Barnsley", Month(2009, 4), expects=(Kind.WORKFORCE,), data_officer="data@barnsley.example"),
        Council("301", "Ashby", Month(2009, 4), expects=(Kind.WORKFORCE,), data_officer="data@ashby.example"),
    ]
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "register.csv").write_text(REGISTER)
    (tmp_path / "store").mkdir()
    (tmp_path / "try" / "370").mkdir(parents=True)
    return Settings.load(
        landing=str(tmp_path / "landing"), store=str(tmp_path / "store"), mail={"outbox": str(tmp_path / "outbox")}
    )


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    return tmp_path / "try" / "370"


def a_minute_later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def asked(questions: list[Inquiry]) -> Callable[[Inquiry], Answered]:
    """Answers every question with a short page, and keeps it."""

    def answers(question: Inquiry) -> Answered:
        questions.append(question)
        return Answered(b"<p>checked</p>\n")

    return answers


def test_it_is_answered_beside_the_file_and_by_mail_and_never_counted(settings: Settings, folder: Path) -> None:
    (folder / "workforce.csv").write_text(WORKFORCE.replace(",0.8,", ",much,"))
    (folder / "payroll.csv").write_text(WORKFORCE)
    assert look_at_tries(settings, a_minute_later(), answer_here) == ["2 files of 370 in the try folder answered."]
    page = (folder / "report.html").read_text()
    assert "Checks of October 2026" in page
    assert "fte could not be read" in page
    assert "payroll.csv: the name does not say which extract it is" in page
    (letter,) = Path(settings.mail.outbox).glob("*.eml")
    assert "To: data@barnsley.example" in letter.read_text()
    assert {o.name.split("/")[0] for o in open_store(settings, settings.store).list()} == {"ledger"}
    assert look_at_tries(settings, a_minute_later(), answer_here) == []


def test_a_file_with_personal_data_is_deleted_at_once_and_its_answer_stays(settings: Settings, folder: Path) -> None:
    header, *rows = WORKFORCE.splitlines()
    named = "\n".join([f"{header},surname", *(f"{row},Example" for row in rows)])
    (folder / "workforce.csv").write_text(named)
    (folder / "payroll.csv").write_text(WORKFORCE)
    look_at_tries(settings, a_minute_later(), answer_here)
    assert sorted(p.name for p in folder.iterdir()) == ["payroll.csv", "report.html"]
    page = (folder / "report.html").read_text()
    assert "surname" in page
    assert "Example" not in page
    assert look_at_tries(settings, a_minute_later(), answer_here) == []
    (folder / "payroll.csv").unlink()
    assert look_at_tries(settings, a_minute_later(), answer_here) == []
    assert (folder / "report.html").read_text() == page
    assert len(list(Path(settings.mail.outbox).glob("*.eml"))) == 1


def test_of_a_folder_with_personal_data_every_file_is_deleted(settings: Settings, folder: Path) -> None:
    (folder / "ssd").mkdir()
    for name in ("ssd_person.csv", "ssd_cin_episodes.csv"):
        (folder / "ssd" / name).write_text("a\n1\n")
    look_at_tries(settings, a_minute_later(), lambda _: Answered(b"<p>refused</p>\n", personal=("ssd",)))
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["report.html"]


def test_a_corrected_file_is_answered_again(settings: Settings, folder: Path) -> None:
    questions: list[Inquiry] = []
    for content in ("one", "two, which is longer"):
        (folder / "workforce.csv").write_text(content)
        look_at_tries(settings, a_minute_later(), asked(questions))
    assert [q.files[0].content for q in questions] == [b"one", b"two, which is longer"]


def test_a_file_that_may_still_be_arriving_waits(settings: Settings, folder: Path) -> None:
    questions: list[Inquiry] = []
    (folder / "workforce.csv").write_text("half")
    assert look_at_tries(settings, datetime.now(UTC), asked(questions)) == []
    assert questions == []


def test_a_day_later_file_and_report_are_gone_and_the_folder_stays(settings: Settings, folder: Path) -> None:
    (folder / "workforce.csv").write_text("one")
    # As a program that keeps modification times leaves it: it came now all the same.
    os.utime(folder / "workforce.csv", (0, 0))
    questions: list[Inquiry] = []
    look_at_tries(settings, a_minute_later(), asked(questions))
    assert len(questions) == 1
    look_at_tries(settings, datetime.now(UTC) + timedelta(hours=25), asked(questions))
    assert list(folder.iterdir()) == []
    assert len(questions) == 1


def test_a_folder_of_no_council_is_told_so(settings: Settings, folder: Path) -> None:
    wrong = folder.with_name("barnsley")
    wrong.mkdir()
    (wrong / "workforce.csv").write_text(WORKFORCE)
    look_at_tries(settings, a_minute_later(), asked([]))
    assert "No council in the register has the folder “barnsley”" in (wrong / "report.html").read_text()


def test_one_councils_fault_stops_no_other(settings: Settings, folder: Path) -> None:
    for council in (folder, folder.with_name("301")):
        council.mkdir(exist_ok=True)
        (council / "workforce.csv").write_text(WORKFORCE)
    folder.with_name("301").joinpath("report.html").mkdir()
    first, second = look_at_tries(settings, a_minute_later(), asked([]))
    assert first.startswith("The files of 301 in the try folder could not be answered: ")
    assert second == "1 file of 370 in the try folder answered."


def test_the_report_is_as_readable_as_its_folder(settings: Settings, folder: Path) -> None:
    folder.chmod(0o2770)
    (folder / "workforce.csv").write_text("one")
    look_at_tries(settings, a_minute_later(), asked([]))
    assert (folder / "report.html").stat().st_mode & 0o777 == 0o660


def test_where_nobody_uses_it_nothing_is_looked_at(settings: Settings, tmp_path: Path) -> None:
    nowhere = settings.model_copy(update={"tries": str(tmp_path / "nowhere")})
    assert look_at_tries(nowhere, a_minute_later(), asked([])) == []


def test_mail_that_did_not_go_is_sent_by_the_keeper(settings: Settings, folder: Path) -> None:
    (folder / "workforce.csv").write_text(WORKFORCE)
    closed = {"transport": TransportChoice.SMTP, "host": "127.0.0.1", "port": 1, "redirect_to": "inbox@group.example"}
    away = settings.model_copy(update={"mail": settings.mail.model_copy(update=closed)})
    (said,) = look_at_tries(away, a_minute_later(), answer_here)
    assert said.endswith("; the mail to the data officer has not gone yet.")
    (waiting,) = undelivered(open_store(settings, settings.store), away, Month(2026, 10))
    assert (waiting.folder, waiting.whom) == ("370", "data officer")


@pytest.mark.parametrize(
    ("landing", "tries"),
    [
        ("landing", "try"),
        ("/srv/holdfast/landing/", "/srv/holdfast/try"),
        ("s3://bucket/landing", "s3://bucket/try"),
        ("s3://bucket/group/landing", "s3://bucket/group/try"),
        ("s3://bucket", "s3://bucket/try"),
        ("file:///srv/landing", "file:///srv/try"),
    ],
)
def test_it_lies_beside_the_landing(landing: str, tries: str) -> None:
    assert tries_address(Settings.model_construct(landing=landing, tries="")) == tries
