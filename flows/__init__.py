"""The edges of Holdfast: Prefect flows, settings, storage, reading extracts, sending alerts."""
