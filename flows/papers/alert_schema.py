"""The alert object's JSON Schema, as the documents publish it."""

from __future__ import annotations

import json

from flows.alerts.alert import SCHEMA_VERSION, Alert


def schema_text() -> str:
    """The schema as stored: JSON Schema 2020-12, stable order, one line feed at the end."""
    schema = Alert.model_json_schema(mode="serialization")
    schema |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Holdfast alert object, schema version {SCHEMA_VERSION}",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
