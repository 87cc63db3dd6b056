"""`holdfast reference find` against a server that answers as the source code of DfE's service says.

Paths, field names, page sizes and the shortest search are those of its controllers, requests and view models.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from features.errors import ReferenceDataError, SettingsError
from flows.cli.app import app
from tests.terminal import Terminal
from tests.unit.flows.published.published import yearly
from tests.unit.flows.published.web import Answer, Web, file

_PUBLICATION = "89c02688-646d-45b5-8919-9a3fafcaddb1"
_WORKFORCE, _OLD, _GONE = (f"7588c2d6-9e8a-4d84-8f19-6b8d52a01fb{i}" for i in range(3))


def _data_set(id: str, title: str, status: str = "Published", superseded_by: str | None = None) -> dict[str, Any]:
    return {
        "id": id,
        "title": title,
        "summary": "<p>Workforce by council.</p>",
        "status": status,
        "supersedingDataSetId": superseded_by,
        "latestVersion": {
            "version": "2.0",
            "published": "2026-02-26T09:30:00+00:00",
            "totalResults": 1000,
            "file": {"id": _GONE},
            "timePeriods": {"start": "2017", "end": "2025"},
            "geographicLevels": ["National", "Local authority"],
            "filters": [],
            "indicators": [],
        },
    }


def _listed(results: list[dict[str, Any]], *, most: int, shortest: int = 0) -> Answer:
    """A page of a list, as the service gives it: 400 for a page or search that it does not take."""

    def answer(to: BaseHTTPRequestHandler) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(to.path).query).items()}
        page, size = int(asked.get("page", 1)), int(asked.get("pageSize", 10))
        search = asked.get("search", "").lower()
        if not 1 <= size <= most or page < 1 or len(search) < shortest:
            to.send_response(400)
            to.send_header("Content-Length", "0")
            to.end_headers()
            return
        hits = [r for r in results if not search or any(w in r["title"].lower() for w in search.split())]
        document = {
            "results": hits[(page - 1) * size : page * size],
            "paging": {
                "page": page,
                "pageSize": size,
                "totalResults": len(hits),
                "totalPages": (len(hits) - 1) // size + 1,
            },
        }
        file(json.dumps(document).encode(), "application/json")(to)

    return answer


@pytest.fixture
def folder(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose settings name the server, which has one publication with 23 data sets."""
    publication = {
        "id": _PUBLICATION,
        "title": "Children's social work workforce",
        "slug": "childrens-social-work-workforce",
        "summary": "",
        "lastPublished": "2026-02-26T09:30:00+00:00",
    }
    sets = [
        _data_set(_WORKFORCE, "Workforce by council"),
        _data_set(_OLD, "Workforce to 2022", "Deprecated", _WORKFORCE),
        _data_set(_GONE, "Workforce withdrawn", "Withdrawn"),
        *[_data_set(f"00000000-0000-4000-8000-0000000000{i:02}", f"Other {i}") for i in range(20)],
    ]
    web.serve("/v1/publications", _listed([publication], most=40, shortest=3))
    web.serve(f"/v1/publications/{_PUBLICATION}/data-sets", _listed(sets, most=20))
    web.serve(f"/v1/data-sets/{_WORKFORCE}/csv", file(yearly([2024, 2025])))
    web.serve(f"/v1/data-sets/{_OLD}/csv", file(b"time_period,shoes\n2024,3\n"))
    (tmp_path / "holdfast.toml").write_text(f'store = "store"\n\n[reference]\napi = "http://127.0.0.1:{web.port}/v1"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _find(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["reference", "find", *arguments])


def test_data_sets_are_shown_with_their_ids_and_what_became_of_them(web: Web, folder: Path) -> None:
    said = _find("social", "work", "workforce").output
    assert "Children's social work workforce\n   1 Workforce by council\n" in said
    assert f"{_WORKFORCE}, version 2.0, figures to 2025, National, Local authority" in said
    assert f"deprecated: it gets no more figures and will be taken away; {_WORKFORCE} takes its place" in said
    assert "withdrawn: it can no longer be used" in said
    assert "Workforce by council." in said
    assert "23 Other 19" in said, "the second page is read too"
    assert any("search=social%20work%20workforce" in path for path in web.asked)


@pytest.mark.parametrize("pin", [["--pin"], []])
def test_one_is_written_into_the_settings_and_the_refresh_fetches_it(web: Web, folder: Path, pin: list[str]) -> None:
    (folder / "holdfast.toml").chmod(0o600)
    result = _find("workforce", "--write", "1", *pin)
    assert result.exit_code == 0, result.output
    written = (folder / "holdfast.toml").read_text()
    assert f'holds = "workforce"\ndata_set = "{_WORKFORCE}"\n{"version = " if pin else ""}' in written
    assert (folder / "holdfast.toml").stat().st_mode & 0o777 == 0o600
    from flows.settings.settings import Settings

    (source,) = Settings.load().reference.sources
    assert (source.name, source.data_set) == ("workforce", _WORKFORCE)
    assert (source.version == "2.0") == bool(pin)
    again = _find("workforce", "--write", _WORKFORCE)
    assert isinstance(again.exception, SettingsError)
    assert "was left as it is" in str(again.exception)
    assert (folder / "holdfast.toml").read_text() == written


def test_what_holdfast_cannot_read_is_not_written(folder: Path) -> None:
    before = (folder / "holdfast.toml").read_text()
    for which, says in (
        ("2", "does not know a file with these columns"),
        ("3", "is withdrawn"),
        ("99", "neither a number"),
    ):
        result = _find("workforce", "--write", which)
        assert isinstance(result.exception, SettingsError | ReferenceDataError)
        assert says in str(result.exception)
    for words, says in (("bananas", "No publication"), ("so", "3 letters or more")):
        assert says in str(_find(words).exception)
    assert (folder / "holdfast.toml").read_text() == before


@pytest.mark.soak
def test_at_a_terminal_a_person_chooses_one_or_leaves_with_ctrl_c(folder: Path) -> None:
    before = (folder / "holdfast.toml").read_text()
    question = "Which one into the settings? Its number; Enter for none"
    for keys, ends_with in (
        (b"\x03", "Aborted"),
        (b"\r", "--write NUMBER writes one into the settings."),
        (b"1\r", "Written into"),
    ):
        assert (folder / "holdfast.toml").read_text() == before
        command = Terminal(folder, "reference", "find", "workforce")
        assert command.until(question)
        assert "   1 Workforce by council" in command.said
        command.type(keys)
        assert command.until(ends_with), command.said
        assert command.process.wait(30) == (1 if ends_with == "Aborted" else 0)
    assert f'data_set = "{_WORKFORCE}"' in (folder / "holdfast.toml").read_text()
