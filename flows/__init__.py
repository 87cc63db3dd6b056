"""The edges of Holdfast: Prefect flows, settings, storage, extracts in, alerts out."""
