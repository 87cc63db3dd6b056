"""Opens the store at an address from the settings."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from features.errors import SettingsError, StoreError
from flows.settings.settings import Settings
from flows.store.local import LocalStore
from flows.store.options import S3Options
from flows.store.port import Store


def open_store(settings: Settings, url: str, *, must_exist: bool = False) -> Store:
    """The store at an address from the settings, with the settings' S3 options; see `store_at`."""
    return store_at(url, s3=_s3_options(settings), must_exist=must_exist)


def store_at(url: str, *, s3: S3Options | None = None, must_exist: bool = False) -> Store:
    """The store at `file:///folder`, a plain path, or `s3://bucket/prefix`.

    With `must_exist`, a missing folder or bucket raises StoreError at once. Otherwise a mistyped landing address
    would look like a month in which nobody sent anything. Raises SettingsError for an address of another kind.
    """
    parts = urlsplit(url)
    if not url.strip():
        raise SettingsError("The address of a store is empty. Write a folder, or s3://bucket/prefix.")
    if parts.scheme == "s3":
        if not parts.netloc or parts.query or parts.fragment or "@" in parts.netloc:
            raise SettingsError(f"“{_shown(url)}” is no address of a bucket. Write it as s3://bucket/prefix.")
        from flows.store.s3 import S3Store

        bucket = S3Store(parts.netloc, parts.path, s3)
        if must_exist:
            bucket.check_exists()
        return bucket
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path:
            raise SettingsError(f"“{url}” is no address of a folder. Write it as file:///folder.")
        folder = Path(unquote(parts.path))
    elif "://" in url:
        raise SettingsError(
            f"Stores at {parts.scheme}:// are not known. Use a folder, file:///folder or s3://bucket/prefix; "
            "another S3-compatible service is s3:// with an endpoint in the settings."
        )
    else:
        folder = Path(url)
    store = LocalStore(folder)
    if must_exist and not store.root.is_dir():
        raise StoreError(f"There is no folder {store.root}. Create it, or correct the address in the settings.")
    return store


def _shown(url: str) -> str:
    """The address without its user part, because people put keys there."""
    return url.split("@")[-1] if "@" in url else url


def _s3_options(settings: Settings) -> S3Options:
    """The S3 section of the settings, as options for the store."""
    s3 = settings.s3
    return S3Options(
        endpoint_url=s3.endpoint_url,
        region=s3.region,
        access_key_id=s3.access_key_id.get_secret_value() if s3.access_key_id else None,
        secret_access_key=s3.secret_access_key.get_secret_value() if s3.secret_access_key else None,
        session_token=s3.session_token.get_secret_value() if s3.session_token else None,
        ca_file=s3.ca_file,
        path_style=s3.path_style,
        checksums=s3.checksums == "sha256",
        server_side_encryption=s3.server_side_encryption,
        kms_key_id=s3.kms_key_id,
    )
