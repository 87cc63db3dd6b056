"""Versions of the model: how they are stored, promoted and rolled back; their cards; the shipped model."""
