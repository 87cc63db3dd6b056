"""The table of formats in which a council's figures arrive, one line each. Every format is recognised from here.

A format says how a landed object is recognised, which extracts it gives, and who reads it. A reader turns the bytes
into a `RawTable` under our own column names (`ingest_table` does the rest: dates, codes, pseudonyms, council and
month), so that a figure is read in the same way whatever its format.

The sector's own formats carry birth dates and ethnicity by design. The reader drops whatever goes beyond the contract.
The store keeps no bytes of any format.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from features.months import Month
from features.registry import CASELOAD, EXTRACTS, Kind
from flows.extracts.formats.annex_a import reader as annex_a
from flows.extracts.formats.annex_a.needs import NOT_CARRIED
from flows.extracts.formats.asked import Asked, Content, Form
from flows.extracts.formats.csww import reader as csww
from flows.extracts.formats.csww.rates import YEARS_FLOWS
from flows.extracts.formats.dfe import reader as dfe
from flows.extracts.formats.dfe.workforce_file import columns_of
from flows.extracts.formats.own import reader as own
from flows.extracts.formats.ssd import reader as ssd
from flows.extracts.formats.ssd.tables import PROFESSIONALS, TABLES, table_name
from flows.extracts.ingest import IngestedExtract

#: The endings of our own extracts.
OWN_ENDINGS = ("csv", "parquet", "xlsx")


@dataclass(frozen=True, slots=True)
class Recognition:
    """One format: its names in the landing store, what it gives, and which reader reads it."""

    form: Form
    title: str
    heading: str
    """Its column in the table of what each format can give."""
    page: str
    """The page of the documentation that describes it."""
    kinds: tuple[Kind, ...]
    read: Callable[[Content, Asked], IngestedExtract]
    """Reads one extract from the bytes. Raises an ExtractError."""
    said: Callable[[Content], tuple[str | None, Month | None]]
    """The council's code and the month, as far as the content gives them."""
    stem: str = ""
    """Its name in the landing folder; none if it arrives under the names of our own extracts."""
    endings: tuple[str, ...] = OWN_ENDINGS
    begins_like: Callable[[Content], bool] | None = None
    """For a format without its own name: whether the content is of this format and not our own extract of that kind."""
    folder: bool = False
    tables: tuple[str, ...] = ()
    """For a folder: the tables that are read. Files of other tables are not opened."""
    lesser: tuple[Kind, ...] = ()
    """Kinds given only in part: for councils that need not send that extract, and never in place of another file of
    it."""
    second: tuple[Kind, ...] = ()
    """Kinds that give way to the council's own extract, whenever it arrived, because it holds more."""
    carries: Mapping[Kind, Collection[str]] = field(default_factory=dict)
    """The fields that it gives of a kind, if not all."""
    yearly: bool = False
    """Whether it is made once a year, of 30 September."""

    def fields(self, kind: Kind) -> frozenset[str]:
        """The fields that it can give of a kind, besides council and month; none of a kind that is not its own."""
        if kind not in self.kinds:
            return frozenset()
        return frozenset(self.carries.get(kind, (f.name for f in EXTRACTS[kind].fields[2:])))


FORMATS: tuple[Recognition, ...] = (
    Recognition(Form.NATIVE, "our own extracts", "Our extracts", "data-contract.md", tuple(Kind), own.read, own.said),
    Recognition(
        Form.CSWW,
        "the children’s social work workforce return",
        "Workforce return",
        "csww-rules.md",
        (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.RETURN),
        csww.read,
        csww.said,
        stem="csww",
        endings=("xml",),
        second=(Kind.WORKFORCE, Kind.ESTABLISHMENT),
        carries={Kind.WORKFORCE: csww.TAKEN, Kind.ESTABLISHMENT: csww.ESTABLISHMENT, Kind.RETURN: YEARS_FLOWS},
        yearly=True,
    ),
    Recognition(
        Form.ANNEX_A,
        "Ofsted’s Annex A workbook",
        "Annex A",
        "annex-a.md",
        (Kind.CASELOAD,),
        annex_a.read,
        annex_a.said,
        stem="annex_a",
        endings=("xlsx",),
        carries={Kind.CASELOAD: [f.name for f in CASELOAD.fields[2:] if f.name not in NOT_CARRIED]},
    ),
    Recognition(
        Form.SSD,
        "Standard Safeguarding Dataset tables",
        "SSD",
        "formats.md",
        (Kind.CASELOAD, Kind.WORKFORCE),
        ssd.read,
        ssd.said,
        stem="ssd",
        endings=("csv", "parquet"),
        folder=True,
        tables=tuple(t.name for t in TABLES),
        lesser=(Kind.WORKFORCE,),
        carries={Kind.WORKFORCE: ssd.WORKFORCE_FIELDS},
    ),
    Recognition(
        Form.DFE,
        "DfE’s published workforce file",
        "DfE’s published file",
        "formats.md",
        (Kind.RETURN,),
        dfe.read,
        dfe.said,
        endings=("csv",),
        begins_like=dfe.begins_like,
        carries={Kind.RETURN: columns_of("since 2023")},
        yearly=True,
    ),
)

BY_FORM = {f.form: f for f in FORMATS}
#: The formats with their own name in the landing folder.
RECOGNITIONS = tuple(f for f in FORMATS if f.stem)


def recognise_sector_file(stem: str, ending: str) -> Recognition | None:
    """The sector's format that a file's name means: `csww` and `xml`, for example; case does not matter."""
    name = _plain(stem)
    return next((r for r in RECOGNITIONS if not r.folder and name == r.stem and ending in r.endings), None)


def form_by_name(name: str, *, is_folder: bool) -> Form:
    """The format of a file to be checked, which may be named more freely than in the landing folder.

    It is enough if only one format has the file's ending, or if the name begins like the format's. A folder named like
    an extract holds a council's own files.
    """
    if is_folder and _plain(name) in set(Kind):
        return Form.NATIVE
    stem, _, ending = name.rpartition(".")
    for known in RECOGNITIONS:
        if known.folder and is_folder:
            return known.form
        fits = ending.lower() in known.endings and not (known.folder or is_folder)
        if fits and (ending.lower() not in OWN_ENDINGS or _plain(stem).startswith(known.stem)):
            return known.form
    return Form.NATIVE


def _plain(stem: str) -> str:
    return stem.strip().lower().replace("-", "_").replace(" ", "_")


def needed_parts(known: Recognition, names: Iterable[str]) -> tuple[str, ...]:
    """The files of a folder that are read, or all if there are none, so that the reader can say what is missing."""
    given = sorted(names)
    return tuple(n for n in given if table_name(n) in known.tables) or tuple(given)


def kinds_of(form: Form, names: Iterable[str]) -> tuple[Kind, ...]:
    """The extracts that a file, or a folder of these files, gives."""
    known = BY_FORM[form]
    there = {table_name(n) for n in names}
    return tuple(k for k in known.kinds if k not in known.lesser or PROFESSIONALS in there)


def read_form(form: Form, content: Content, asked: Asked) -> IngestedExtract:
    """Read one extract from a landed file or folder.

    Raises an ExtractError: UnreadableExtract, HeaderMismatch, PersonalDataRefused,
    or WrongCouncilOrMonth.
    """
    return _told_apart(form, content, asked.kind).read(content, asked)


def _told_apart(form: Form, content: Content, kind: Kind) -> Recognition:
    """The format; its content decides if another format arrives under the same name."""
    for other in FORMATS if form is Form.NATIVE else ():
        if other.begins_like is not None and kind in other.kinds and other.begins_like(content):
            return other
    return BY_FORM[form]
