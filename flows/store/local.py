"""The object store in a local folder, for the demo, tests and a single machine."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from features.errors import StoreError
from features.private_files import make_private_folder, open_private
from flows.store.names import TEMPORARY_PREFIX, checked_name, is_usable, printable_name
from flows.store.port import (
    AlreadyThere,
    DamagedObject,
    ObjectInfo,
    ObjectMissing,
    Stored,
    StoreRefuses,
    StrangeObject,
)
from flows.store.reading import remedy


class LocalStore:
    """A folder with the semantics of the port.

    Content is written to a temporary file in the target's folder and flushed to disk. It then gets its name in one
    step. `create` uses a hard link: the file system refuses a second link of the same name, which makes `create`
    exclusive between processes. `replace` uses a rename.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.url = self.root.as_uri()
        self._real_root = self.root.resolve()
        #: Folders known to be inside the root: looking at each for every object would be most of the work.
        self._inside = {self.root}

    def read(self, name: str) -> bytes:
        """The content of the object. Raises ObjectMissing, and DamagedObject if a folder lies there."""
        path = self._path(name)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectMissing(f"There is no “{name}” in {self.url}.") from None
        except OSError as error:
            raise self._failed("read", name, error) from error

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose name starts with `prefix`, in order of name (by code point, as S3 lists)."""
        found = (o for o in self._files(prefix) if is_usable(o.name))
        return iter(sorted(found, key=lambda o: o.name))

    def strange(self, prefix: str = "") -> Iterator[StrangeObject]:
        """Links that are broken or lead out of the root, pipes, devices, unreadable folders, and unusable names."""
        for entry, name, is_folder in self._walk(prefix, lambda error: None):
            why = "" if not is_folder and _is_plain(entry) else self._strangeness(Path(entry), is_folder=is_folder)
            if not why and not is_folder and not is_usable(name) and not _half_written(name):
                why = "has a name that cannot be used: rename it, with at most 200 bytes of ordinary characters"
            if why:
                yield StrangeObject(printable_name(name), why, _changed(Path(entry)))

    def survey(self, prefix: str = "") -> tuple[Sequence[ObjectInfo], Sequence[StrangeObject]]:
        """What `list` and `strange` give."""
        return tuple(self.list(prefix)), tuple(sorted(self.strange(prefix), key=lambda o: o.name))

    def _strangeness(self, path: Path, *, is_folder: bool) -> str:
        """Why a path cannot be read; empty if it can."""
        try:
            if path.is_symlink():
                target = path.resolve(strict=True)
                if is_folder or not target.is_file():
                    return "is a link to something that is no file: put the files themselves there"
                outside = not target.is_relative_to(self._real_root)
                return "is a link that leads out of the folder: put the file itself there" if outside else ""
            if is_folder:
                may = os.access(path, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
                return "" if may else "is a folder that may not be opened: give Holdfast the right to read it"
            return "" if path.is_file() else "is no file but a pipe, a socket or a device: take it away"
        except FileNotFoundError:
            return "is a link to something that is not there" if path.is_symlink() else ""
        except (OSError, RuntimeError):
            return "is a link that leads to itself" if path.is_symlink() else "cannot be looked at"

    def lax_rights(self) -> str:
        """A sentence if every user of this machine may read the folder or write to it; else empty."""
        try:
            rights = self.root.stat().st_mode & 0o007
            reached = all(folder.stat().st_mode & 0o001 for folder in self._real_root.parents)
        except OSError:
            return ""
        if os.name == "nt" or not rights or not reached:
            return ""
        return f'Everybody on this machine may look into {self.root}. Take the rights away: chmod -R o= "{self.root}"'

    def _files(self, prefix: str) -> Iterator[ObjectInfo]:
        """Files, and links to files in the root. `strange` returns everything else."""
        for entry, name, is_folder in self._walk(prefix, self._cannot_list):
            # A file may be deleted after it was listed and before it is looked at.
            with contextlib.suppress(FileNotFoundError):
                if not is_folder and (_is_plain(entry) or not self._strangeness(Path(entry), is_folder=False)):
                    yield _info(name, entry)

    def _walk(
        self, prefix: str, failed: Callable[[OSError], None]
    ) -> Iterator[tuple[os.DirEntry[str] | Path, str, bool]]:
        """Entry, name, and whether it is a folder, of everything under a prefix. Does not follow links."""
        start, within = self.root, ""
        if (folder := prefix.rpartition("/")[0]) and checked_name(folder):
            start, within = self.root / folder, f"{folder}/"
            if start.is_symlink() and self._strangeness(start, is_folder=True):
                yield start, folder, True
                return
        waiting = [(str(start), within)]
        while waiting:
            at, within = waiting.pop()
            try:
                with os.scandir(at) as found:
                    entries = list(found)
            except OSError as error:
                failed(error)
                continue
            for entry in entries:
                name, is_folder = within + entry.name, _is_folder(entry)
                if is_folder and not entry.is_symlink():
                    waiting.append((entry.path, f"{name}/"))
                if name.startswith(prefix):
                    yield entry, name, is_folder

    def info(self, name: str) -> ObjectInfo | None:
        """Size and time of one object; None if it is not there."""
        path = self._path(name)
        try:
            return _info(name, path) if path.is_file() else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("look at", name, error) from error

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write a new object. Raises AlreadyThere if the name is taken; of many calls at once exactly one succeeds."""
        path = self._path(name)
        try:
            with self._written_beside(path, content) as temporary:
                if os.name == "nt":
                    temporary.rename(path)  # on Windows a rename never replaces
                else:
                    os.link(temporary, path)
                _flush_folder(path.parent)
        except FileExistsError:
            raise AlreadyThere(f"“{name}” is already in {self.url}; it was left as it is.") from None
        except OSError as error:
            raise self._failed("create", name, error) from error

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write an object in one step, over any that is there."""
        path = self._path(name)
        try:
            with self._written_beside(path, content) as temporary:
                temporary.replace(path)
                _flush_folder(path.parent)
        except OSError as error:
            raise self._failed("write", name, error) from error

    def delete(self, name: str) -> None:
        """Delete an object if it is there (retention only)."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise self._failed("delete", name, error) from error

    def everything(self, prefix: str = "") -> Iterator[Stored]:
        """All files under a prefix, including half-written ones left by a crash."""
        found = (Stored(o.name, o.size, latest=not _half_written(o.name)) for o in self._files(prefix))
        return iter(sorted(found, key=lambda o: o.name))

    def earlier(self, name: str) -> Iterator[tuple[bytes, str]]:
        """None: a folder keeps no versions."""
        return iter(())

    def purge(self, stored: Iterable[Stored]) -> None:
        """Delete these files, then folders left empty. Copies that the file system keeps are beyond our reach."""
        folders: set[Path] = set()
        for one in stored:
            path = self.root / one.name
            if not path.parent.resolve().is_relative_to(self._real_root):
                raise StoreError(f"“{one.name}” does not lie in {self.url}; it was left as it is.")
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise self._failed("delete", one.name, error) from error
            folders.update(p for p in path.parents if p.is_relative_to(self.root) and p != self.root)
        for folder in sorted(folders, key=lambda p: len(p.parts), reverse=True):
            with contextlib.suppress(OSError):  # not empty, or gone
                folder.rmdir()

    def _path(self, name: str) -> Path:
        """The path of an object. Raises StoreError if a link in the folder leads out of the root."""
        path = self.root / checked_name(name)
        if self._is_inside(path.parent) and (not path.is_symlink() or path.resolve().is_relative_to(self._real_root)):
            return path
        raise StoreError(f"“{name}” in {self.url} is a link that leads out of the store. Put the file itself there.")

    def _is_inside(self, folder: Path) -> bool:
        """Whether a folder lies in the root. One that is no link lies where the folder above it does."""
        if folder not in self._inside:
            if folder.is_symlink():
                inside = folder.resolve().is_relative_to(self._real_root)
            else:
                inside = self._is_inside(folder.parent)
            if not inside:
                return False
            self._inside.add(folder)
        return True

    @contextlib.contextmanager
    def _written_beside(self, path: Path, content: bytes) -> Iterator[Path]:
        """Write the content to a temporary file in the folder of `path` and flush it. Removes the file afterwards."""
        temporary = path.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        try:
            with self._opened(temporary) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    @staticmethod
    def _opened(new: Path) -> BinaryIO:
        """Open a new file for writing; creates the folders it needs."""
        try:
            return open_private(new)
        except FileNotFoundError:
            try:
                make_private_folder(new.parent)
            except FileExistsError as error:  # a file is where the folder should be; that does not mean “already there”
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
            return open_private(new)

    def _cannot_list(self, error: OSError) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise self._failed("list", "", error) from error

    def _failed(self, verb: str, name: str, error: OSError) -> StoreError:
        """The error to raise, as a sentence. StoreRefuses for permissions and a full disk: waiting does not help."""
        target = f"“{name}” in {self.url}" if name else self.url
        if name and (self.root / name).is_dir():
            return DamagedObject(
                f"“{name}” in {self.url} is a folder, where a file should be. Move the folder away. {remedy(name)}"
            )
        reason = error.strerror or type(error).__name__
        lasting = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
        return (StoreRefuses if lasting else StoreError)(
            f"Could not {verb} {target}: {reason}. Check the folder's permissions and free space."
        )


def _half_written(name: str) -> bool:
    return name.rpartition("/")[2].startswith(TEMPORARY_PREFIX)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_plain(entry: os.DirEntry[str] | Path) -> bool:
    """Whether it is a file and no link. Of a listed entry this is known without asking for it again."""
    if isinstance(entry, Path):
        return entry.is_file() and not entry.is_symlink()
    return entry.is_file(follow_symlinks=False)


def _changed(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)


def _info(name: str, path: Path | os.DirEntry[str]) -> ObjectInfo:
    stat = path.stat()
    return ObjectInfo(name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


def _flush_folder(folder: Path) -> None:
    """Flush a folder, so that a new name survives a power cut. Windows cannot open folders for this."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
