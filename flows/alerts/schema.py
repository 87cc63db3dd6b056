"""The JSON Schema of the alert object, as published in the docs: `python -m flows.alerts.schema` writes it."""

from __future__ import annotations

import json
from pathlib import Path

from flows.alerts.alert import SCHEMA_VERSION, Alert

SCHEMA_FILE = Path("docs") / "alert.schema.json"


def schema_text() -> str:
    """The schema as stored: JSON Schema 2020-12, stable order, one line feed at the end."""
    schema = Alert.model_json_schema(mode="serialization")
    schema |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Holdfast alert object, schema version {SCHEMA_VERSION}",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the schema beside the other documents, from the repository's root."""
    SCHEMA_FILE.parent.mkdir(exist_ok=True)
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
