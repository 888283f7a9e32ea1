"""The wire as JSON Schema, for consumers in other languages."""

import inspect
import json
import sys
from typing import Any

import msgspec

from schemas.topics import ALL, Topic, message_types


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of every message, and for each topic (without namespace) what it carries; plain JSON."""
    typed = [topic for topic in ALL if message_types(topic)]
    unions, components = msgspec.json.schema_components([topic.types for topic in typed], ref_template="#/$defs/{name}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Spotclip's topics",
        "properties": {topic.name: _topic(topic, union) for topic, union in zip(typed, unions, strict=True)},
        "$defs": {name: _dedented(component) for name, component in components.items()},
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return plain


def _dedented(component: dict[str, Any]) -> dict[str, Any]:
    # From Python 3.13 on docstrings come without their indentation; the file is the same from any version.
    return (
        component | {"description": inspect.cleandoc(component["description"])}
        if component.get("description")
        else component
    )


def _topic(topic: Topic, union: dict[str, Any]) -> dict[str, Any]:
    kept = "compacted: the latest of each key, for ever" if topic.compacted else f"{topic.retention_ms} ms"
    return {"description": f"Key: {topic.key}. Kept: {kept}. Partitions: by {topic.spread}.", **union}


if __name__ == "__main__":  # `make wire`
    sys.stdout.write(json.dumps(json_schema(), indent=1, sort_keys=True) + "\n")
