"""The edges of Holdfast: Prefect flows, settings, storage, reading extracts, sending alerts."""

import gc
import os

# Polars' allocator otherwise keeps what was freed until the system runs short, so a long run seems to grow and grow.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0")

# With Python's own thresholds a quarter of the imports' time goes into looking for rubbish among what stays.
gc.set_threshold(50_000, 20, 50)
