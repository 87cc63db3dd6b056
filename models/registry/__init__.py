"""Versions of the model: stored, promoted, rolled back; their cards; the shipped one."""
