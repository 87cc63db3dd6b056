"""One small port to the object store, with two implementations of the same semantics."""

from flows.storage.port import AlreadyThere, ObjectInfo, ObjectMissing, Store
from flows.storage.open import open_store

__all__ = ["AlreadyThere", "ObjectInfo", "ObjectMissing", "Store", "open_store"]
