"""What goes out later, to a real mail server: January's scorecard, and a correction to everyone after an objection."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import polars as pl
import pytest

from features.councils import read_register, write_register
from features.frameworks import Judgement
from features.months import Month
from flows.sample_region import sample_extracts
from tests.integration import small_region
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running
from tests.warm import run

pytestmark = [pytest.mark.integration, pytest.mark.soak, pytest.mark.timeout(900)]

DECEMBER = Month(2025, 12)
JANUARY_RUN, CORRECTED_RUN = "2026-01-16", "2026-01-20"
TEAM = "data-team@alliance.example"


def _sent(mailbox: Mailbox) -> list[tuple[frozenset[str], str, str]]:
    """Addressees, subject and text of every message, whitespace made single."""
    found = []
    for to, content in mailbox.mail:
        message = message_from_bytes(content, policy=default)
        part = message.get_body(("plain",))
        assert part is not None
        found.append((frozenset(to), str(message["Subject"]), " ".join(part.get_content().split())))
    return found


def _to(mailbox: Mailbox, addresses: Sequence[str]) -> list[str]:
    return [subject for to, subject, _ in _sent(mailbox) if to & set(addresses)]


def test_january_brings_the_scorecard_and_an_objection_a_correction_to_everyone_who_got_the_message(
    prefect_api: str, tmp_path: Path
) -> None:
    landing, store = tmp_path / "landing", tmp_path / "store"
    sample_extracts(landing, 4, 3, 7, DECEMBER)
    register = landing / "register.csv"
    known = read_register(register.read_text(), "register.csv").councils
    deputies = [replace(c, recipients=(*c.recipients, c.recipients[0].replace("dcs@", "deputy@"))) for c in known]
    judged, objects, *others = deputies
    published = Judgement(DECEMBER.first_day.replace(day=20), "Inadequate")
    register.write_text(write_register([replace(judged, judgements=(*judged.judgements, published)), objects, *others]))
    mailbox, authority = Mailbox(), Authority(tmp_path, "127.0.0.1")
    with running(mailbox, authority) as port:
        mail = {"port": str(port), "user": USER, "password": PASSWORD, "ca_file": authority.file}
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")},
            **small_region.settings(landing, str(store), deputies, **mail),
            "PREFECT_API_URL": prefect_api,
            "PREFECT_HOME": str(tmp_path / "prefect"),
        }

        def holdfast(*words: str) -> str:
            code, output = run("flows.cli.app", *words, env=environment, timeout=300)
            assert code == 0, output
            return output

        holdfast("run", "--month", "2025-11", "--as-of", "2025-12-16", "--no-send")
        holdfast("run", "--month", str(DECEMBER), "--as-of", JANUARY_RUN)
        (card,) = [text for to, subject, text in _sent(mailbox) if to == {TEAM} and "beside the judgements" in subject]
        assert f"{judged.name} ({judged.la_code}), judged Inadequate on 20 December 2025" in card
        assert "1 judgement since this group's first alert, of November 2025." in card
        for council in deputies:
            assert len(_to(mailbox, council.recipients)) == 1, "each director's message, with the deputy's copy"

        holdfast("answer", "--council", objects.la_code, "--month", str(DECEMBER), "--kind", "objection",
                 "--by", "director", "--words", "The agency figure is wrong.")  # fmt: skip
        (file,) = (landing / str(DECEMBER) / objects.la_code).glob("establishment*")
        table = pl.read_csv(file, infer_schema=False)
        doubled = (pl.col("agency_fte").cast(pl.Float64) * 2).round(2).cast(pl.String)
        file.write_bytes(table.with_columns(agency_fte=doubled).write_csv().encode())
        came = 1_768_729_000  # 18 January 2026
        os.utime(file, (came, came))
        mailbox.mail.clear()
        holdfast("run", "--month", str(DECEMBER), "--as-of", CORRECTED_RUN)
        told = {address for to, subject, _ in _sent(mailbox) if "corrected message" in subject for address in to}
        assert told == set(objects.recipients), "everyone who got the message, and nobody else"
        (text,) = {text for _, subject, text in _sent(mailbox) if "corrected message" in subject}
        assert "Our earlier message for December 2025 no longer holds: agency rate is " in text
        assert "This follows from your establishment file, which came after our earlier message." in text
        assert not any(_to(mailbox, c.recipients) for c in (judged, *others))
        summary = [text for to, subject, text in _sent(mailbox) if to == {TEAM}]
        assert not any("The agency figure is wrong" in text and "Answers that wait" in text for text in summary)
        assert not any("beside the judgements" in subject for _, subject, _ in _sent(mailbox)), "once a year"

        mailbox.mail.clear()
        holdfast("run", "--month", str(DECEMBER), "--as-of", CORRECTED_RUN)
        assert _sent(mailbox) == []
