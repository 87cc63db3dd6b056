"""The edges of Holdfast: Prefect flows, settings, storage, reading extracts, sending alerts."""

import os

# Polars' allocator otherwise keeps what was freed until the system runs short, so a long run seems to grow and grow.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0")
