"""From files as councils send them to canonical extracts: landing, readers, headers, cells, ingest, log."""
