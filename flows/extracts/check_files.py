"""`holdfast check`: the same validation as a run, made by a data officer before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Any, cast

import polars as pl
from rich.console import Console

from expectations.batch import Batch, Outcome
from expectations.fates import files_as_checked
from expectations.report.council import CouncilReport, Reported, as_html, council_report, report_document, show
from features.councils import Council, folder_name
from features.errors import ExtractError, HeaderMismatch, UnreadableExtract
from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.extracts.checking import Past, batch_of, check_history, count_usable
from flows.extracts.formats.asked import Asked, Content, Form
from flows.extracts.formats.csww.report import ReturnReport, check_return
from flows.extracts.formats.known import BY_FORM, form_by_name, kinds_of, needed_parts, read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.mapping import FOLDER as MAPPINGS
from flows.extracts.mapping import HeaderMapping, load_mapping, mapping_in_force, read_mapping
from flows.extracts.personal.refuse import refuse_in_headers
from flows.extracts.reading.cells import read_cells
from flows.extracts.reading.excel import WhichSheet
from flows.extracts.reading.headers import match_headers, meanings
from flows.extracts.reading.table import Limits
from flows.extracts.reading.tables import read_table
from flows.extracts.reading.where import Where
from flows.store import LocalStore, Store

#: References are hashed here too, with a key that is used for nothing else and leaves no trace.
_DESK_KEY = sha256(b"holdfast check").digest()


@dataclass
class _Desk:
    council: Council
    month: Month
    extracts: list[IngestedExtract] = field(default_factory=list)
    files: dict[tuple[str, Kind], str] = field(default_factory=dict)
    refused: dict[tuple[str, Kind], ExtractError] = field(default_factory=dict)
    ranks: dict[tuple[str, Kind], tuple[bool, float]] = field(default_factory=dict)

    def takes(self, key: tuple[str, Kind], rank: tuple[bool, float]) -> bool:
        """Whether this file of the kind counts, as the run chooses among several; if so, another one no longer does."""
        if rank < self.ranks.get(key, rank):
            return False
        self.ranks[key] = rank
        self.extracts = [e for e in self.extracts if (e.la_code, e.kind) != key]
        self.refused.pop(key, None)
        return True

    def count(self, batch: Batch, outcome: Outcome) -> Mapping[Kind, pl.DataFrame]:
        """The month's counts, as a run makes them before comparing them."""
        return count_usable(batch, outcome, self.extracts, {}).counts


@dataclass(frozen=True, slots=True)
class CheckedFiles:
    """One council's and month's report."""

    report: CouncilReport
    council: Council
    failures: pl.DataFrame
    """FAILURES, from which the letter to the data officer is made."""

    @property
    def errors(self) -> int:
        return self.report.files.errors

    @property
    def refused(self) -> int:
        """Files that cannot be used at all."""
        return len(self.report.files.unused)

    def show(self, console: Console) -> None:
        """Print the report for a terminal."""
        show(self.report, console)

    def document(self) -> dict[str, Any]:
        """The report's facts, for JSON."""
        return report_document(self.report)


#: What there is to say about the files of one council and month, or about one return.
HandedReport = CheckedFiles | ReturnReport


@dataclass(frozen=True, slots=True)
class Handed:
    """A file handed in for a check, and what the place it lay in says about it."""

    name: str
    content: Content | Path
    """A workforce return on the disk is read as a stream, from its path."""
    council: str | None = None
    month: Month | None = None
    mappings: Store | None = None
    """Where mappings lie beside it."""
    path: Path | None = None
    """Where it is on this machine, to be named in a command."""


def check_files(paths: Sequence[Path], *, kind: Kind | None = None, **given: Any) -> list[HandedReport]:
    """Check files of this machine together; `given` is as in `check_handed`. A folder is read as SSD tables.

    Whatever is not given comes from the file, or from the month's folder that it lies in.
    """
    return check_handed([_handed(path, kind) for path in paths], kind=kind, **given)


def check_handed(
    files: Sequence[Handed],
    *,
    council: str | None = None,
    month: Month | None = None,
    kind: Kind | None = None,
    published: Path | None = None,
    mapping: Path | None = None,
    landing: Store | None = None,
    past: Past | None = None,
) -> list[HandedReport]:
    """Check files together, one report per council and month; a council's files are checked against each other.

    The command line, the desk and the try folder all use it, so that they say the same. A workforce return (.xml)
    gets its own report, because it goes to DfE under its own rules, and what a run takes from it stands beside the
    council's files; `published` is DfE's file of earlier figures to compare it with. Of several files of one kind
    the run's choice counts. Whatever is not given comes from the file: the kind from its name, the council and
    month from its first rows. A home-made file is read by `mapping`, or by the council's saved one: beside the
    file, or in the `landing` store. With `past`, the records that a run would compare the files with, the answer is
    the same as the run's. Raises UnreadableExtract if a file says neither council nor month.
    """
    desks: dict[tuple[str, Month], _Desk] = {}
    returns: list[HandedReport] = []
    of_returns: list[Handed] = []
    for file in files:
        form = Form.NATIVE if kind else form_by_name(file.name, is_folder=isinstance(file.content, Mapping))
        if form is Form.CSWW:
            source = cast("bytes | Path", file.content)
            returns.append(check_return(source, file.name, council=council, month=month, published=published))
            of_returns.append(file)
            continue
        content = cast(Content, file.content)
        names = content if isinstance(content, Mapping) else (file.name,)
        kinds = [kind or _kind_of(file.name)] if form is Form.NATIVE else kinds_of(form, names)
        for one in kinds:
            laid = _Laid(file, content, one, form, partial(_mapping, file, mapping, landing))
            _lay_out(desks, laid, council, month, past)
    # A run takes a return's figures beside the council's files. Without either the return stands alone.
    for file in of_returns if past is not None or desks else ():
        _lay_out_return(desks, file, council, month, past)
    return returns + _check_desks(desks.values(), past)


def _lay_out_return(
    desks: dict[tuple[str, Month], _Desk], file: Handed, council: str | None, month: Month | None, past: Past | None
) -> None:
    if isinstance(file.content, Path) and not file.content.is_file():
        return
    content = _content(file.content, Form.CSWW) if isinstance(file.content, Path) else file.content
    with suppress(ExtractError):  # its own report has said that it names no council or month
        for one in BY_FORM[Form.CSWW].kinds:
            _lay_out(desks, _Laid(file, content, one, Form.CSWW, lambda *_: None), council, month, past)


def _handed(path: Path, kind: Kind | None) -> Handed:
    """A file of this machine, with what the month's folder that it lies in says."""
    form = Form.NATIVE if kind else form_of(path)
    of = folder_month(path)
    beside = path.absolute().parent.parent.parent
    return Handed(
        path.name,
        path if form is Form.CSWW else _content(path, form),
        path.parent.name if of else None,
        of,
        LocalStore(beside) if of and (beside / MAPPINGS).is_dir() else None,
        path,
    )


def page_of(found: Sequence[CheckedFiles | Reported], **facts: Any) -> bytes:
    """The reports as one page; `facts` are for a template that shows more, as in `as_html`."""
    return as_html(*(one.report if isinstance(one, CheckedFiles) else one for one in found), **facts)


def _check_desks(desks: Iterable[_Desk], past: Past | None) -> list[HandedReport]:
    found: list[HandedReport] = []
    for desk in desks:
        # Great Expectations takes seconds to import, and a return alone does not need it.
        from expectations.passing.check import check_batches

        batch = batch_of(desk.month, desk.extracts, desk.files, desk.refused)
        known = check_history(past.history, [(desk.month, past.cutoff)]) if past else None
        (outcome,) = check_batches([batch], known, past.accepted if past else (), desk.count)
        registered = past.register.by_folder.get(desk.council.folder) if past else None
        files = files_as_checked(batch, outcome, desk.council.la_code, registered.name if registered else "")
        found.append(CheckedFiles(council_report(batch, outcome, files), desk.council, outcome.failures))
    return found


def _mapping(
    file: Handed, given: Path | None, landing: Store | None, council: Council, kind: Kind, month: Month
) -> HeaderMapping | None:
    """The given mapping, or the saved one that applies. Raises HeaderMismatch if it cannot be used."""
    where = Where(f"{council.name} ({council.la_code})", month, file.name)
    if given is not None:
        try:
            return read_mapping(given.read_bytes(), str(given), where)
        except OSError:
            raise UnreadableExtract(f"There is no mapping {given}, or it may not be read.") from None
    store = file.mappings or landing
    if store is None:
        return None
    saved = mapping_in_force(store.list(f"{MAPPINGS}/{council.folder}/"), council, kind, month)
    return load_mapping(store, saved.name, where) if saved else None


def form_of(path: Path) -> Form:
    """The form that a file's name means; a folder is read as SSD tables, any .xml as the workforce return."""
    return form_by_name(path.name, is_folder=path.is_dir())


def _content(path: Path, form: Form) -> Content:
    try:
        if path.exists() and not (path.is_dir() or path.is_file()):
            raise UnreadableExtract(f"{path} is no file but a pipe, a socket or a device. Give the file itself.")
        if path.is_dir():
            endings = tuple(f".{e}" for e in BY_FORM[form].endings)
            names = sorted(p.name for p in path.iterdir() if p.name.lower().endswith(endings))
            wanted = names if form is Form.NATIVE else needed_parts(BY_FORM[form], names)
            return {name: (path / name).read_bytes() for name in wanted}
        return path.read_bytes()
    except OSError:
        raise UnreadableExtract(f"There is no file {path}, or it may not be read.") from None


@dataclass(frozen=True, slots=True)
class _Laid:
    """A file to be checked, and how to read it."""

    file: Handed
    content: Content
    kind: Kind
    form: Form
    mapping: Callable[[Council, Kind, Month], HeaderMapping | None]


def _lay_out(
    desks: dict[tuple[str, Month], _Desk], laid: _Laid, given: str | None, month: Month | None, past: Past | None
) -> None:
    file, content, kind, form = laid.file, laid.content, laid.kind, laid.form
    refusal: ExtractError | None = None
    try:
        is_own_file = form is Form.NATIVE and isinstance(content, bytes)
        said = _said(content, file.name, kind) if is_own_file else BY_FORM[form].said(content)
    except ExtractError as error:
        said, refusal = (None, None), _or_mapped(error, file, kind, given, month)
    # A run goes by the folder of the landing that a file lies in, whatever the file says.
    in_landing = past is not None and file.council in past.register.by_folder
    first, then = ((file.council, file.month), said) if in_landing else (said, (file.council, file.month))
    la_code, of = given or first[0] or then[0], month or first[1] or then[1]
    if la_code is None or of is None:
        raise refusal or UnreadableExtract(
            f"{file.name}: the file does not say whose and which month's it is. Give the council and the month too "
            "(on the command line --council and --month)."
        )
    registered = past.register.by_folder.get(folder_name(la_code)) if past else None
    if registered is not None and kind in BY_FORM[form].lesser and kind in registered.expects:
        return  # a run takes this kind from the council's own extract, which the council must send
    owner = registered or Council(la_code, f"council {la_code}", of)
    desk = desks.setdefault((folder_name(la_code), of), _Desk(owner, of))
    key = (desk.council.la_code, kind)
    since = file.path.stat().st_mtime if file.path else 0.0
    if not desk.takes(key, (kind not in (*BY_FORM[form].lesser, *BY_FORM[form].second), since)):
        return
    desk.files[key] = file.name
    received = datetime(of.year, of.number, 1, tzinfo=UTC)
    read_by = None
    try:
        read_by = laid.mapping(desk.council, kind, of) if form is Form.NATIVE else None
        secret, limits = (past.key, past.limits) if past else (_DESK_KEY, Limits())
        asked = Asked(file.name, kind, desk.council, of, secret, received, limits, read_by)
        desk.extracts.append(read_form(form, content, asked))
    except ExtractError as error:
        desk.refused[key] = error if read_by else _or_mapped(error, file, kind, la_code, of)


def _or_mapped(error: ExtractError, file: Handed, kind: Kind, la_code: str | None, month: Month | None) -> ExtractError:
    """The refusal of a file whose columns are not ours, with the command that finds out what they mean."""
    if not isinstance(error, HeaderMismatch | WhichSheet) or "holdfast map" in str(error):
        return error
    where = quote(str(file.path or file.name))
    asked = f"{where} --kind {kind} --council {la_code or 'CODE'} --month {month or 'YYYY-MM'}"
    return type(error)(
        f"{error} If it is a list of the council's own, say once what its columns mean: `holdfast map {asked}`."
    )


def _kind_of(name: str) -> Kind:
    """The kind that the file's name begins with; raises UnreadableExtract."""
    for kind in Kind:
        if re.match(rf"{kind}\b|{kind}_", name.lower()):
            return kind
    raise UnreadableExtract(
        f"{name}: the name does not say which extract it is. Name it {', '.join(Kind)}, or give --kind. "
        "`holdfast map` reads a list with headers of its own."
    )


@dataclass(frozen=True, slots=True)
class _Unplaced(Where):
    """A file whose council and month are not known yet."""

    def __str__(self) -> str:
        return self.filename


def _said(content: Content, name: str, kind: Kind) -> tuple[str | None, Month | None]:
    """The council and month in the first row of the file that names both."""
    where = _Unplaced("", Month(2000, 1), name)
    table = read_table(cast(bytes, content), kind=kind, where=where)
    refuse_in_headers(table, contract=meanings(kind), where=where)
    match = match_headers(table.headers, kind=kind, where=where, places=table.places)
    fields = {n: EXTRACTS[kind].field(n) for n in ("la_code", "reference_date")}
    read = {n: read_cells(table.cells[str(match.positions[n])], f).values.drop_nulls() for n, f in fields.items()}
    code = read["la_code"][0] if read["la_code"].len() else None
    day: date | None = read["reference_date"][0] if read["reference_date"].len() else None
    return code, Month.of(day) if day else None


def folder_month(path: Path) -> Month | None:
    """The month of the landing folder that holds the file, or None if it is elsewhere."""
    name = path.absolute().parent.parent.name
    return Month.parse(name) if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", name) else None
