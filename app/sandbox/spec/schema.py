"""The checker of one value against one schema of the description, with faults as sentences `where: what`."""

from __future__ import annotations

import re
from typing import Any

Schema = dict[str, Any]

_INTEGER = re.compile(r"-?\d+\Z")
_PLAIN = {"string": str, "boolean": bool, "integer": int}
_NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")


class SchemaCheck:
    """Knows the named schemas. `sent` means a decoded form (every leaf a string); otherwise a JSON answer."""

    def __init__(self, schemas: dict[str, Schema], *, closed_enums: bool) -> None:
        self._schemas = schemas
        self._closed = closed_enums

    def resolve(self, schema: Schema) -> Schema:
        """Follow `$ref` to the schema itself."""
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def faults(self, value: Any, schema: Schema, where: str = "", *, sent: bool = False) -> list[str]:
        """What is wrong with the value; empty when nothing is."""
        schema = self.resolve(schema)
        if value is None:
            return [] if not sent and self._may_be_null(schema) else [f"{where}: null is not allowed"]
        if "allOf" in schema:
            return [fault for part in schema["allOf"] for fault in self.faults(value, part, where, sent=sent)]
        if alternatives := schema.get("anyOf") or schema.get("oneOf"):
            return self.faults(value, self.branch(value, alternatives, where, sent), where, sent=sent)
        kind = schema.get("type")
        if kind == "object" or (kind is None and ("properties" in schema or "additionalProperties" in schema)):
            return self._hash(value, schema, where, sent)
        if kind == "array":
            return self._array(value, schema, where, sent)
        return self._leaf(value, schema, kind, where, sent)

    def branch(self, value: Any, alternatives: list[Schema], where: str = "", sent: bool = False) -> Schema:
        """The alternative this value was meant for: by its `object`, else the first that fits, else the nearest."""
        if isinstance(value, dict) and isinstance(value.get("object"), str):
            for each in alternatives:
                if self._describes(self.resolve(each), value):
                    return each
        best: tuple[int, Schema] | None = None
        for each in alternatives:
            faults = self.faults(value, each, where, sent=sent)
            if not faults:
                return each
            misses = len(faults) + (
                1000 if isinstance(value, dict) and "expected a" in faults[0] and faults[0].endswith("got dict") else 0
            )
            if best is None or misses < best[0]:
                best = (misses, each)
        assert best is not None, "a schema with no alternatives"
        return best[1]

    @staticmethod
    def _describes(schema: Schema, value: dict[str, Any]) -> bool:
        properties = schema.get("properties", {})
        if properties.get("object", {}).get("enum") != [value["object"]]:
            return False
        return value.get("deleted") is not True or "deleted" in properties

    def _may_be_null(self, schema: Schema) -> bool:
        if schema.get("nullable") or not schema:
            return True
        return any(self.resolve(each).get("nullable") for each in schema.get("anyOf", ()))

    def _array(self, value: Any, schema: Schema, where: str, sent: bool) -> list[str]:
        if not isinstance(value, list):
            return [f"{where}: expected an array, got {type(value).__name__}"]
        items = schema.get("items", {})
        return [
            fault for at, each in enumerate(value) for fault in self.faults(each, items, f"{where}[{at}]", sent=sent)
        ]

    def _hash(self, value: Any, schema: Schema, where: str, sent: bool) -> list[str]:
        if sent and value == "":
            return [f"{where}: empty string is not a hash"]
        if not isinstance(value, dict):
            return [f"{where}: expected a hash, got {type(value).__name__}"]
        prefix = where + "." if where else ""
        gone = not sent and value.get("deleted") is True
        missing = (
            [] if gone else [f"{prefix}{name}: required" for name in schema.get("required", ()) if name not in value]
        )
        known: Schema = {} if sent else schema.get("properties", {})
        return missing + [
            fault
            for name, each in value.items()
            if not (name in known and _fits_plainly(each, known[name]))
            for fault in self._member(name, each, schema, prefix, sent)
        ]

    def _member(self, name: str, value: Any, schema: Schema, prefix: str, sent: bool) -> list[str]:
        properties = schema.get("properties", {})
        extra = schema.get("additionalProperties", not sent)
        if name in properties:
            return self.faults(value, properties[name], prefix + name, sent=sent)
        if isinstance(extra, dict) and extra:
            return self.faults(value, extra, prefix + name, sent=sent)
        if extra is False or (properties and not sent):
            return [f"{prefix}{name}: unknown {'parameter' if sent else 'field'}"]
        return []

    def _leaf(self, value: Any, schema: Schema, kind: str | None, where: str, sent: bool) -> list[str]:
        if kind == "string":
            return self._text(value, schema, where)
        allowed = schema.get("enum")
        if kind == "integer":
            fits = _is_integer(value) or (sent and isinstance(value, str) and _INTEGER.match(value) is not None)
            return (
                [] if fits and (not allowed or value in allowed) else [f"{where}: expected an integer, got {value!r}"]
            )
        if kind == "number":
            number = _is_integer(value) or (not sent and isinstance(value, float))
            fits = number or (sent and isinstance(value, str) and _NUMBER.match(value) is not None)
            return [] if fits else [f"{where}: expected a number, got {value!r}"]
        if kind == "boolean":
            fits = isinstance(value, bool) or (sent and value in ("true", "false"))
            only_true = allowed == [True] and value not in (True, "true")
            return [] if fits and not only_true else [f"{where}: expected a boolean, got {value!r}"]
        return [f"{where}: {value!r} is not one of {allowed}"] if allowed and value not in allowed else []

    def _text(self, value: Any, schema: Schema, where: str) -> list[str]:
        if not isinstance(value, str):
            return [f"{where}: expected a string, got {type(value).__name__}"]
        allowed = schema.get("enum")
        if allowed and value not in allowed and (self._closed or not schema.get("x-open-enum")):
            shown = allowed if len(allowed) < 12 else f"{len(allowed)} allowed values"
            return [f"{where}: {value!r} is not one of {shown}"]
        if len(value) > schema.get("maxLength", len(value)):
            return [f"{where}: longer than {schema['maxLength']}"]
        if schema.get("format") == "decimal" and not _NUMBER.match(value):
            return [f"{where}: {value!r} is not a decimal string"]
        return []


def _fits_plainly(value: Any, schema: Schema) -> bool:
    """Most fields of most answers, told apart at a glance; what is not told here is looked at closely."""
    if value is None:
        return schema.get("nullable") is True
    if type(value) is not _PLAIN.get(schema.get("type", "")):
        return False
    return "enum" not in schema and "format" not in schema and "maxLength" not in schema


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
