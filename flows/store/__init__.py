"""One small port to the object store, with two implementations of the same semantics: a folder, and S3 (`.s3`)."""

from flows.store.local import LocalStore
from flows.store.open import open_store, store_at
from flows.store.options import S3Options
from flows.store.port import AlreadyThere, ObjectInfo, ObjectMissing, Store, Stored

__all__ = [
    "AlreadyThere",
    "LocalStore",
    "ObjectInfo",
    "ObjectMissing",
    "S3Options",
    "Store",
    "Stored",
    "open_store",
    "store_at",
]
