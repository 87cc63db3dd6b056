"""One small port to the object store, with two implementations of the same semantics."""

from flows.storage.local import LocalStore
from flows.storage.open import open_store
from flows.storage.port import AlreadyThere, ObjectInfo, ObjectMissing, Store, Stored
from flows.storage.s3 import S3Options, S3Store

__all__ = [
    "AlreadyThere",
    "LocalStore",
    "ObjectInfo",
    "ObjectMissing",
    "S3Options",
    "S3Store",
    "Store",
    "Stored",
    "open_store",
]
