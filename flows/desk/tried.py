"""The try folder, `<council>/<file>` beside the landing: files there are checked, answered, and deleted after a day.

A file refused because it holds personal data is deleted as soon as its answer is written.

Nothing in it is ever counted. The report, `report.html`, lies beside the files, and the council's data officer gets it
by mail. `holdfast serve` looks every minute; `holdfast try` looks once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from features.councils import Council, Register
from features.errors import HoldfastError, MailError
from features.months import Month, london_day
from features.words import count_words
from flows.desk.answer import Answered, Inquiry, Problem, answered, written
from flows.extracts.check_files import Handed
from flows.mail.deliver import deliver
from flows.mail.transports.open import mail_policy, open_courier
from flows.settings.settings import Settings
from flows.store import LocalStore, ObjectInfo, Store, StoreRefuses, open_store
from flows.store.context import load_register
from flows.store.ledger import Status

REPORT = "report.html"
#: How long files and their report stay.
KEPT = timedelta(days=1)
#: A file that changed within this time may still be arriving.
_ARRIVING = timedelta(seconds=10)
_MOST_FILES = 20


def tries_address(settings: Settings) -> str:
    """Where the try folder is: by the settings, or beside the landing."""
    if settings.tries:
        return settings.tries
    landing = settings.landing.rstrip("/")
    if urlsplit(landing).scheme == "s3" and not urlsplit(landing).path:
        return f"{landing}/try"
    head, slash, _ = landing.rpartition("/")
    return f"{head}{slash}try"


def look_at_tries(settings: Settings, now: datetime, answers: Callable[[Inquiry], Answered] = answered) -> list[str]:
    """Answer what is new, and delete what has lain there for a day. Returns a sentence for each council's files.

    A fault at one council's files is such a sentence too, and the others are still answered.
    """
    store = _opened(settings)
    by_folder: dict[str, list[ObjectInfo]] = {}
    for one in store.list() if store else ():
        folder, _, rest = one.name.partition("/")
        if rest and store:
            by_folder.setdefault(folder, []).append(_arrived(store, one))
    if store is None or not by_folder:
        return []
    register = load_register(open_store(settings, settings.landing, must_exist=True), settings.register_file)
    said = []
    for folder, files in sorted(by_folder.items()):
        try:
            left = _delete_old(store, folder, files, now)
            said += _answer_new(settings, store, register, folder, left, now, answers)
        except HoldfastError as error:
            said.append(f"The files of {folder} in the try folder could not be answered: {error}")
    return said


def _opened(settings: Settings) -> Store | None:
    """The try folder, if there is one: nobody need use it, and a bucket need not let us list beside the landing."""
    store = open_store(settings, tries_address(settings))
    if isinstance(store, LocalStore):
        return store if store.root.is_dir() else None
    try:
        next(iter(store.list()), None)
    except StoreRefuses:
        if settings.tries:
            raise
        return None
    return store


def _arrived(store: Store, file: ObjectInfo) -> ObjectInfo:
    """The file with the time at which it came: programs that copy files may keep an old modification time."""
    if not isinstance(store, LocalStore):
        return file
    with suppress(OSError):
        changed = (store.root / file.name).stat().st_ctime
        return replace(file, modified=datetime.fromtimestamp(changed, UTC))
    return file


def _delete_old(store: Store, folder: str, files: Sequence[ObjectInfo], now: datetime) -> list[ObjectInfo]:
    """Delete files that came a day ago. Returns the others."""
    return _deleted(store, folder, files, {f.name for f in files if now - f.modified >= KEPT})


def _deleted(store: Store, folder: str, files: Sequence[ObjectInfo], names: set[str]) -> list[ObjectInfo]:
    """Delete these files, in every version that a bucket keeps. Returns the others."""
    for name in names:
        store.delete(name)
    if names:
        store.purge([s for s in store.everything(f"{folder}/") if s.name in names])
    return [f for f in files if f.name not in names]


def _personal(folder: str, files: Sequence[ObjectInfo], refused: Sequence[str]) -> set[str]:
    """The names of the files refused because they hold personal data; of a folder all files."""
    places = {f"{folder}/{name}" for name in refused}
    return {f.name for f in files if f.name in places or f.name.rpartition("/")[0] in places}


def _ending(files: Sequence[ObjectInfo]) -> bytes:
    return f"<!-- {_mark(files)} -->\n".encode()


def _mark(files: Sequence[ObjectInfo]) -> str:
    """Tells these files from others."""
    return sha256("\n".join(f"{f.name} {f.size} {f.modified.isoformat()}" for f in files).encode()).hexdigest()[:16]


def _answer_new(
    settings: Settings,
    store: Store,
    register: Register,
    folder: str,
    lying: Sequence[ObjectInfo],
    now: datetime,
    answers: Callable[[Inquiry], Answered],
) -> list[str]:
    report = f"{folder}/{REPORT}"
    files = [f for f in lying if f.name != report]
    if not files or any(abs(now - f.modified) < _ARRIVING for f in files):
        return []
    if any(f.name == report for f in lying) and store.read(report).endswith(_ending(files)):
        return []
    council = register.by_folder.get(folder)
    question = Inquiry(settings, now, (), officer=council, mark=_mark(files))
    if council is None:
        known = ", ".join(c.folder for c in register.councils[:20])
        why = f"No council in the register has the folder “{folder}”. Put the files into one of these: {known}."
        made = written(question, [Problem(why)])
    else:
        made = answers(_question(settings, store, council, files, question))
    told = _tell(settings, council, made, now)
    personal = _personal(folder, files, made.personal)
    kept = [f for f in files if f.name not in personal]
    store.replace(report, made.page + _ending(kept), content_type="text/html; charset=utf-8")
    _as_readable_as_its_folder(store, report)
    # Last: a run that ends before it answers again, and writes to nobody twice.
    _deleted(store, folder, files, personal)
    return [f"{count_words(len(files), 'file', 'files')} of {folder} in the try folder answered{told}."]


def _question(
    settings: Settings, store: Store, council: Council, files: Sequence[ObjectInfo], asked: Inquiry
) -> Inquiry:
    """The files with their contents; those that cannot be taken are named instead."""
    month = Month.of(london_day(asked.now)).plus(-1)
    limit = settings.ingest.max_file_mb
    problems: list[str] = []
    handed: list[Handed] = []
    folders: dict[str, dict[str, bytes]] = {}
    for file in files[:_MOST_FILES]:
        _, *inner, name = file.name.split("/")
        if len(inner) > 1:
            problems.append(f"{'/'.join([*inner, name])} does not lie directly in the council's folder. Move it there.")
        elif file.size > limit * 1_000_000:
            problems.append(f"{name} is larger than {limit} MB, more than any extract. Check what it contains.")
        elif inner:
            folders.setdefault(inner[0], {})[name] = store.read(file.name)
        else:
            handed.append(Handed(name, store.read(file.name), month=month))
    if len(files) > _MOST_FILES:
        problems.append(f"More than {_MOST_FILES} files lie here; the others were not checked. Take some away.")
    handed += [Handed(name, parts, month=month) for name, parts in folders.items()]
    return replace(asked, files=tuple(handed), council=council.la_code, problems=tuple(problems))


def _tell(settings: Settings, council: Council | None, made: Answered, now: datetime) -> str:
    """Mail the answer to the data officer. What is not taken now is tried again like any other message."""
    if council is None or not council.data_officer or made.letter is None or not settings.mail.to_data_officers:
        return ""
    courier, policy = open_courier(settings, patient=False), mail_policy(settings)
    store = open_store(settings, settings.store)
    try:
        done = deliver(store, courier, made.letter, recipients=(council.data_officer,), policy=policy, at=now)
    except MailError as error:
        return f"; the data officer could not be written to: {error}"
    return "" if all(d.status is Status.SENT for d in done) else "; the mail to the data officer has not gone yet"


def _as_readable_as_its_folder(store: Store, name: str) -> None:
    """Give the report the group and rights of its folder, so that whoever puts files there can read it."""
    if isinstance(store, LocalStore):
        path = store.root / name
        about = path.parent.stat()
        with suppress(OSError):
            os.chown(path, -1, about.st_gid)
        path.chmod(about.st_mode & 0o664)
