"""The server's description of itself, made from its routes and their shapes."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.routing import Route

from weigh.serve.api.doors import Door

Json = dict[str, Any]
_ERRORS = {"400", "401", "404", "405", "413", "429", "500", "503"}


def document(routes: Sequence[Route]) -> Json:
    """OpenAPI 3.1. Source: https://spec.openapis.org/oas/v3.1.0"""
    doors = [route for route in routes if isinstance(route, Door)]
    shapes = [door.shape for door in doors if door.shape is not None]
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    named = dict(zip(map(id, shapes), schemas, strict=True))
    paths: dict[str, Json] = {}
    for door in doors:
        path = door.path.replace(":path}", "}")
        paths.setdefault(path, {}).update(_operations(door, named.get(id(door.shape))))
    return {
        "openapi": "3.1.0",
        "info": {"title": "weigh", "version": importlib.metadata.version("weigh")},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}, {}],
    }


def _operations(door: Door, schema: Json | None) -> Json:
    return {method.lower(): _operation(door, schema) for method in sorted(door.methods or ()) if method != "HEAD"}


def _operation(door: Door, schema: Json | None) -> Json:
    said: Json = {
        "operationId": f"{door.name}_{'_'.join(part for part in door.path.split('/') if part and '{' not in part)}",
        "responses": {
            "200": {"description": "OK", "content": {kind: {} for kind in door.answers}},
            **{code: {"description": "Refused"} for code in sorted(_ERRORS)},
        },
    }
    names = [part.strip("{}").partition(":")[0] for part in door.path.split("/") if part.startswith("{")]
    if names:
        said["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if schema is not None:
        kind = "multipart/form-data" if door.is_form else "application/json"
        said["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    return said
