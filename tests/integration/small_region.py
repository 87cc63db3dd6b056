"""A made-up region small enough to be run many times, in which every council has a message to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from features.councils import Council, read_register, write_register
from features.months import Month
from flows.sample_region import sample_extracts

LAST, AS_OF = Month(2026, 10), "2026-11-20"
COUNCILS, MONTHS = 4, 3
KEY = "a key that is used in tests alone, nowhere else"


def make(landing: Path) -> list[Council]:
    """Write the region; nobody's workforce file of the last month has come, so every director is told. Two each."""
    sample_extracts(landing, COUNCILS, MONTHS, 7, LAST)
    for file in (landing / str(LAST)).glob("*/workforce.*"):
        file.unlink()
    known = read_register((landing / "register.csv").read_text(), "register.csv").councils
    councils = [replace(c, recipients=(*c.recipients, c.recipients[0].replace("dcs@", "deputy@"))) for c in known]
    (landing / "register.csv").write_text(write_register(councils))
    return councils


def settings(landing: Path, store: str, councils: list[Council], **mail: str) -> dict[str, str]:
    """The environment of a production run that really mails, without whatever the test itself was started with."""
    domains = sorted({a.rpartition("@")[2] for c in councils for a in (*c.recipients, c.data_officer)})
    listed = ", ".join(f'"{d}"' for d in [*domains, "alliance.example"])
    given: Mapping[str, str] = {
        "environment": "production",
        "landing": str(landing),
        "store": store,
        "pseudonym_key": KEY,
        "config": "",
        "mail__transport": "smtp",
        "mail__host": "127.0.0.1",
        "mail__sender": "Holdfast <holdfast@alliance.example>",
        "mail__reply_to": "data-team@alliance.example",
        "mail__data_team": "data-team@alliance.example",
        "mail__contact_name": "Asha Bell",
        "mail__contact_telephone": "01632 960 123",
        "mail__allowed_domains": f"[{listed}]",
        **{f"mail__{name}": value for name, value in mail.items()},
    }
    return {f"HOLDFAST_{name.upper()}": value for name, value in given.items()}


def command(moment: str = "") -> list[str]:
    """The run as a module and its words; see `whole_run`."""
    return ["tests.integration.whole_run", str(LAST), AS_OF, *([moment] if moment else [])]
