"""The alert object's JSON Schema, and the default rules with their reasons, as the documents publish them."""

from __future__ import annotations

import json

from flows.alerts.alert import SCHEMA_VERSION, Alert
from flows.settings.alert_rules import AlertRules, rules_as_toml


def schema_text() -> str:
    """The schema as stored: JSON Schema 2020-12, stable order, one line feed at the end."""
    schema = Alert.model_json_schema(mode="serialization")
    schema |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Holdfast alert object, schema version {SCHEMA_VERSION}",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def rules_text() -> str:
    """The default rules as a file to start from; put what you change under `[alerts.…]` in holdfast.toml."""
    return rules_as_toml(AlertRules())
