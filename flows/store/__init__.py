"""The object store: one small port, and two implementations with the same semantics, a folder and S3 (`.s3`)."""

from flows.store.local import LocalStore
from flows.store.open import open_store, store_at
from flows.store.options import S3Options
from flows.store.port import AlreadyThere, DamagedObject, ObjectInfo, ObjectMissing, Store, Stored, StoreRefuses

__all__ = [
    "AlreadyThere",
    "DamagedObject",
    "LocalStore",
    "ObjectInfo",
    "ObjectMissing",
    "S3Options",
    "Store",
    "StoreRefuses",
    "Stored",
    "open_store",
    "store_at",
]

#: The modules that other rooms may import, besides the package itself; the others are private.
DOOR = (
    "claims",
    "context",
    "editions",
    "kept",
    "ledger",
    "manifest",
    "names",
    "open",
    "port",
    "processes",
    "progress",
    "reading",
    "retention",
)
