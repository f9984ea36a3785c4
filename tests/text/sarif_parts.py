"""The parts of SARIF 2.1.0 that are written here, as a schema of our own: what must be there, and nothing else.

Sections are those of https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

from typing import Any


def _object(required: str, optional: str = "", **properties: Any) -> dict[str, Any]:
    known = {key: properties.get(key, {}) for key in (*required.split(), *optional.split())}
    return {"type": "object", "required": required.split(), "properties": known, "additionalProperties": False}


def _list(items: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "uniqueItems": True}


_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
_MESSAGE = _object("text", text=_TEXT)  # 3.11
_ARTIFACT = _object(
    "uri", uri={"type": "string", "format": "uri-reference", "pattern": r"^[A-Za-z0-9._~/%:-]+$"}
)  # 3.4
_REGION = _object("byteOffset byteLength", byteOffset=_COUNT, byteLength=_COUNT)  # 3.30
_PHYSICAL = _object("artifactLocation", "region", artifactLocation=_ARTIFACT, region=_REGION)  # 3.29
_LOGICAL = _object("fullyQualifiedName kind", fullyQualifiedName=_TEXT, kind={"const": "member"})  # 3.33
_LOCATION = _object(
    "physicalLocation", "logicalLocations", physicalLocation=_PHYSICAL, logicalLocations=_list(_LOGICAL, 1)
)  # 3.28
_LEVEL = {"enum": ["error", "warning", "note"]}
_RULE = _object(
    "id shortDescription fullDescription help properties",
    id={"type": "string", "pattern": r"^[a-z][a-z-]*$"},
    shortDescription=_MESSAGE,
    fullDescription=_MESSAGE,
    help=_MESSAGE,
    properties=_object("security-severity tags", tags=_list(_TEXT), **{"security-severity": {"pattern": r"^\d+\.\d$"}}),
)  # 3.49
_RESULT = _object(
    "ruleId ruleIndex level message locations partialFingerprints properties",
    ruleId=_TEXT,
    ruleIndex=_COUNT,
    level=_LEVEL,
    message=_MESSAGE,
    locations=_list(_LOCATION, 1),
    partialFingerprints={"type": "object", "minProperties": 1, "additionalProperties": _TEXT},
    properties=_object("severity confidence", severity=_TEXT, confidence=_TEXT),
)  # 3.27
_NOTIFICATION = _object("level message", "locations", level=_LEVEL, message=_MESSAGE, locations=_list(_LOCATION, 1))
_INVOCATION = _object(
    "executionSuccessful",
    "toolExecutionNotifications",
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications={**_list(_NOTIFICATION, 1), "uniqueItems": False},
)  # 3.20
_DRIVER = _object("name version rules", name={"const": "weigh"}, version=_TEXT, rules=_list(_RULE))  # 3.19
_RUN = _object(
    "tool invocations columnKind results",
    tool=_object("driver", driver=_DRIVER),
    invocations=_list(_INVOCATION, 1),
    columnKind={"const": "unicodeCodePoints"},
    results={**_list(_RESULT), "uniqueItems": False},
)  # 3.14
LOG = _object("$schema version runs", version={"const": "2.1.0"}, runs={**_list(_RUN, 1), "maxItems": 1})  # 3.13
