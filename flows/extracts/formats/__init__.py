"""The formats in which figures arrive, one folder each."""
