"""What lies in a landing folder and is no file: named, left alone, and everything else is read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from features.councils import Council, Register
from features.months import Month
from flows.extracts.landing import list_month
from flows.extracts.receive import receive_file
from flows.store import LocalStore

from .conftest import BARNSLEY, KEY, OCTOBER, WORKFORCE

BEXLEY = Council("303", "Bexley", Month(2015, 1))


def _socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def _raw(folder: Path, name: bytes) -> None:
    with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123
        file.write(WORKFORCE.encode())


#: What is put into a council's folder, and what is said of it.
STRANGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to itself": (lambda f: (f / "caseload.csv").symlink_to(f / "caseload.csv"), "leads to itself"),
    "two links to each other": (
        lambda f: ((f / "caseload.csv").symlink_to(f / "other.csv"), (f / "other.csv").symlink_to(f / "caseload.csv")),
        "leads to itself",
    ),
    "a link leading out": (lambda f: (f / "caseload.csv").symlink_to("/etc/hostname"), "leads out of the folder"),
    "a link to nothing": (lambda f: (f / "caseload.csv").symlink_to(f / "nothing.csv"), "not there"),
    "a link to a folder": (lambda f: (f / "ssd").symlink_to("/etc"), "is no file"),
    "a pipe": (lambda f: os.mkfifo(f / "caseload.csv"), "a pipe"),
    "a pipe with a council's only name": (lambda f: os.mkfifo(f / "workforce.resent.csv"), "a pipe"),
    "a socket": (lambda f: _socket(f / "caseload.csv"), "a socket"),
    "a name that is not UTF-8": (lambda f: _raw(f, b"caseload.\xff\xfe.csv"), "cannot be used"),
    "a name with a line break": (lambda f: _raw(f, b"caseload.a\nb.csv"), "cannot be used"),
    "a name with an escape": (lambda f: _raw(f, b"caseload.\x1b[31m.csv"), "cannot be used"),
    "a name of 240 bytes": (lambda f: _raw(f, b"caseload." + b"x" * 227 + b".csv"), "cannot be used"),
    "a table in a folder that is a pipe": (
        lambda f: ((f / "ssd").mkdir(), os.mkfifo(f / "ssd" / "ssd_cin_episodes.csv")),
        "a pipe",
    ),
}


def _landing(tmp_path: Path) -> Path:
    for council in ("303", "370"):
        folder = tmp_path / "2026-10" / council
        folder.mkdir(parents=True)
        (folder / "workforce.csv").write_text(WORKFORCE.replace("370,", f"{council},"))
    return tmp_path


@pytest.mark.skipif(os.name == "nt", reason="links, pipes and such names are of other systems")
@pytest.mark.parametrize("what", STRANGE)
def test_it_is_named_and_left_alone_and_everything_else_is_read(what: str, tmp_path: Path) -> None:
    make, said = STRANGE[what]
    root = _landing(tmp_path / "landing")
    make(root / "2026-10" / "370")
    landing = LocalStore(root)
    found = list_month(landing, OCTOBER, Register((BARNSLEY, BEXLEY)))
    assert [f.name for f in found.every_file] == ["2026-10/303/workforce.csv", "2026-10/370/workforce.csv"]
    assert found.unrecognised
    for one in found.unrecognised:
        assert said in one.reason and "left alone" in one.reason
        assert one.reason.isprintable() and len(one.reason) < 300
        one.reason.encode()
    for file in found.every_file:
        assert receive_file(landing, file, key=KEY).extract is not None


@pytest.mark.skipif(os.name == "nt", reason="links are of other systems")
def test_a_link_inside_the_landing_is_a_file_and_a_months_folder_that_leads_out_is_not(tmp_path: Path) -> None:
    root = _landing(tmp_path / "landing")
    (root / "2026-10/370/establishment.csv").symlink_to(root / "2026-10/370/workforce.csv")
    (root / "2026-09").symlink_to("/etc")
    register = Register((BARNSLEY, BEXLEY))
    assert len(list_month(LocalStore(root), OCTOBER, register).every_file) == 3
    (strange,) = list_month(LocalStore(root), Month(2026, 9), register).unrecognised
    assert strange.name == "2026-09" and "is no file" in strange.reason


@pytest.mark.skipif(os.name == "nt", reason="rights are of other systems")
def test_a_folder_that_may_not_be_opened_is_one_councils() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = _landing(Path(folder) / "landing")
        for open_folder in (root, root / "2026-10", root / "2026-10/370"):
            open_folder.chmod(0o755)
        (root / "2026-10/303").chmod(0)
        was = os.geteuid()
        if was == 0:
            os.seteuid(65_534)  # the superuser may open every folder
        try:
            found = list_month(LocalStore(root), OCTOBER, Register((BARNSLEY, BEXLEY)))
        finally:
            os.seteuid(was)
            (root / "2026-10/303").chmod(0o755)
    assert [f.name for f in found.every_file] == ["2026-10/370/workforce.csv"]
    assert [u.name for u in found.unrecognised] == ["2026-10/303"]
    assert "may not be opened" in found.unrecognised[0].reason


@pytest.mark.skipif(os.name == "nt", reason="rights are of other systems")
def test_a_landing_folder_open_to_everybody_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o001 == 0:
            # Nobody else comes as far as this folder, whatever its own rights.
            closed = LocalStore(tmp_path / "closed")
            (tmp_path / "closed").mkdir(mode=0o755)
            assert closed.lax_rights() == ""
            break
    shared = Path("/tmp")
    if not shared.is_dir() or not shared.stat().st_mode & 0o001:
        pytest.skip("there is no folder that everybody reaches")
    assert f"look into {shared}" in LocalStore(shared).lax_rights()
