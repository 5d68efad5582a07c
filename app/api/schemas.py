"""The JSON Schemas of the document, as pydantic writes them.

flask-openapi3 passes them through models of its own that drop `examples` and turn bounds into floats, so they are taken
from the source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_type_hints

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.values import Answer, Body

Json = dict[str, Any]

# flask-openapi3 takes a parameter's examples in a shape of its own, so they cannot stand at the fields.
_ID = "_01k9yq3v7n4m8s2t6w0x5z1b3d"
_IN_PATHS = {
    "customer_id": f"cus{_ID}",
    "delivery_id": f"dlv{_ID}",
    "hold_id": f"hold{_ID}",
    "invoice_id": f"inv{_ID}",
    "kind": "wallets",
    "order_id": f"ord{_ID}",
    "plan_id": f"plan{_ID}",
    "resource_id": "wallet-7",
    "txn_id": f"wtxn{_ID}",
}

_TEMPLATE = "#/components/schemas/{model}"


def of_bodies_and_answers() -> Json:
    """Every body and answer by its model's name."""
    models = [(model, "validation") for model in _below(Body)] + [(model, "serialization") for model in _below(Answer)]
    _, document = models_json_schema(models, ref_template=_TEMPLATE)  # type: ignore[arg-type]
    return {name: without_nulls(schema) for name, schema in document["$defs"].items()}


def of_parameter(view: Callable[..., Any], place: str, name: str) -> Json:
    """One parameter of a view: `place` is path or query."""
    model: type[BaseModel] = get_type_hints(view)[place]
    schema: Json = without_nulls(model.model_json_schema()["properties"][name])
    return schema


def without_nulls(part: Any) -> Any:
    """A field that may be left out is written by pydantic as one that may be null, which every body refuses."""
    if isinstance(part, list):
        return [without_nulls(one) for one in part]
    if not isinstance(part, dict):
        return part
    if "default" in part and part["default"] is None:
        part = {name: one for name, one in part.items() if name not in ("default", "anyOf")} | _but_null(part)
    return {name: without_nulls(one) for name, one in part.items()}


def example_of(schema: Json, schemas: Json) -> Any:
    """An example that a schema's own examples add up to."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    given = [*schema.get("examples", []), *(schema[word] for word in ("default", "const") if word in schema)]
    given += schema.get("enum", [])
    if given:
        return given[0]
    if "properties" in schema:
        required = schema.get("required", [])
        fields = {name: one for name, one in schema["properties"].items() if name in required or one.get("examples")}
        return {name: example_of(one, schemas) for name, one in fields.items()}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    return {"integer": 1, "string": "text", "boolean": True, "object": {}}.get(str(schema.get("type")))


def add_examples(operation: Json, schemas: Json) -> None:
    """An example to the body, to each answer with one, and to each parameter."""
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        content = part.get("content", {}).get("application/json")
        if content:
            content["example"] = example_of(content["schema"], schemas)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["example"] = _IN_PATHS[parameter["name"]]


def _but_null(part: Json) -> Json:
    kinds = [kind for kind in part.get("anyOf", []) if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}


def _below(base: type[BaseModel]) -> list[type[BaseModel]]:
    return [one for child in base.__subclasses__() for one in (child, *_below(child))]
