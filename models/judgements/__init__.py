"""A table to learn from: each inspection, and what was known before it."""
