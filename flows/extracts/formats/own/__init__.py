"""Our own extracts, as the templates give them or as a council's mapping names their columns."""
