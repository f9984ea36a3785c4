"""XGBoost's models: JSON, its binary kin UBJSON, the binary layout before both, and dumps as text."""

from __future__ import annotations

import binascii
import re
import struct
from collections.abc import Iterator

import msgspec

from weigh.codecs.cursor import Cursor
from weigh.codecs.shaped_json import decode_shape
from weigh.codecs.ubjson import Scalar, scalars
from weigh.core.errors import Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.sources.memory import MemorySource

HEAD = 1 << 12
MOST_JSON = 64 << 20
MOST_NAME = 256

_JSON = re.compile(rb'\s*\{\s*"(?:learner"\s*:\s*\{|version"\s*:\s*\[\s*\d[\d,\s]*+\]\s*,\s*"learner"\s*:)')
_INNER = re.compile(rb'"(?:learner_model_param|gradient_booster|feature_names|attributes)"')
_UBJSON = b"{L\0\0\0\0\0\0\0\x07learner{"
_BINARY, _BASE64 = b"binf", b"bs64\t"
_PARAM_BYTES = 136  # of the learner's parameters in the old layout
_BOOSTERS = frozenset({"gbtree", "gblinear", "dart"})
_DUMP = re.compile(rb"booster\[0\]:?\r?\n0:(?:\[|leaf=)")
_TREE = re.compile(rb"^booster\[\d+\]", re.MULTILINE)
_NAMES = struct.Struct("<Q")


def matches(source: Source) -> bool:
    """A table whose first key is `learner`, in JSON or UBJSON; names where the old layout has them; a dump's lines."""
    head = source.read(0, HEAD)
    if head.startswith(_UBJSON) or _DUMP.match(head) or _old(head) is not None:
        return True
    return _JSON.match(head) is not None and _INNER.search(head) is not None


def read(source: Source) -> Header:
    """Booster, objective, trees, features, version. Raises FormatError."""
    head = source.read(0, HEAD)
    if (old := _old(head)) is not None:
        layout, found = "binary", _binary(MemorySource(old, path=source.path))
    elif head[:2] == _UBJSON[:2]:
        layout, found = "ubjson", _ubjson(source)
    elif _DUMP.match(head):
        layout, found = "dump", _dump(source)
    else:
        layout, found = "json", _json(source)
    metadata: dict[str, Meta] = {"layout": layout}
    metadata |= {key: value for key, value in found.items() if value is not None}
    version = found.get("version")
    return Header(format="xgboost", version=version if isinstance(version, str) else None, metadata=metadata)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing runs in a table of trees; the names it gives are checked when it is read."""
    return iter(())


class _TreeParam(msgspec.Struct):
    num_trees: str | None = None


class _Trees(msgspec.Struct):
    gbtree_model_param: _TreeParam | None = None


class _Inner(msgspec.Struct):
    model: _Trees | None = None


class _Booster(msgspec.Struct):
    name: str | None = None
    model: _Trees | None = None
    gbtree: _Inner | None = None  # of one that drops trees


class _Objective(msgspec.Struct):
    name: str | None = None


class _LearnerParam(msgspec.Struct):
    num_feature: str | None = None
    num_class: str | None = None
    base_score: str | None = None


class _Learner(msgspec.Struct):
    gradient_booster: _Booster
    learner_model_param: _LearnerParam
    objective: _Objective | None = None


class _File(msgspec.Struct):
    learner: _Learner
    version: list[int] | None = None


def _json(source: Source) -> dict[str, Meta]:
    if source.size > MOST_JSON:
        raise OverBudget("too_long", path=source.path, what="JSON", length=source.size, most=MOST_JSON)
    file = decode_shape(source.read(0, source.size), _File, path=source.path)
    if file is None:
        raise Malformed("xgboost.learner", path=source.path, offset=0)
    learner = file.learner
    booster, param = learner.gradient_booster, learner.learner_model_param
    model = booster.model or (booster.gbtree.model if booster.gbtree is not None else None)
    trees = None if model is None or model.gbtree_model_param is None else model.gbtree_model_param.num_trees
    return {
        "booster": booster.name,
        "objective": None if learner.objective is None else learner.objective.name,
        "num_trees": _whole(trees),
        "num_features": _whole(param.num_feature),
        "num_classes": _whole(param.num_class) or None,
        "version": ".".join(map(str, file.version)) if file.version else None,
    }


def _ubjson(source: Source) -> dict[str, Meta]:
    wanted: dict[str, Scalar] = {}
    for path, value in scalars(Cursor(source)):
        if path in _PATHS or path.startswith("version."):
            wanted[path] = value
    found: dict[str, Scalar] = {}
    for path, key in _PATHS.items():
        if wanted.get(path) is not None:
            found[key] = wanted[path]
    version = [str(value) for path, value in wanted.items() if path.startswith("version.")]
    return {
        "booster": _text(found.get("booster")),
        "objective": _text(found.get("objective")),
        "num_trees": _whole(found.get("num_trees")),
        "num_features": _whole(found.get("num_features")),
        "num_classes": _whole(found.get("num_classes")) or None,
        "version": ".".join(version) or None,
    }


def _old(head: bytes) -> bytes | None:
    """The old layout behind its letters, if it has them: parameters, then the names of objective and booster."""
    if head.startswith(_BASE64):
        head = _unpacked(head[len(_BASE64) :])
    body = head.removeprefix(_BINARY)
    if len(body) < _PARAM_BYTES + 2 * _NAMES.size:
        return None
    length = _NAMES.unpack_from(body, _PARAM_BYTES)[0]
    at = _PARAM_BYTES + _NAMES.size + length
    if not 0 < length <= MOST_NAME or len(body) < at + _NAMES.size:
        return None
    booster = body[at + _NAMES.size :][: min(_NAMES.unpack_from(body, at)[0], MOST_NAME)]
    return body if booster.decode("ascii", "replace") in _BOOSTERS else None


def _unpacked(text: bytes) -> bytes:
    """What whole groups of four letters of base64 stand for; nothing for what is none."""
    letters = b"".join(text.split())
    try:
        return binascii.a2b_base64(letters[: len(letters) // 4 * 4])
    except binascii.Error:
        return b""


def _dump(source: Source) -> dict[str, Meta]:
    if source.size > MOST_JSON:
        raise OverBudget("too_long", path=source.path, what="dump", length=source.size, most=MOST_JSON)
    return {"num_trees": sum(1 for _ in _TREE.finditer(source.read(0, source.size)))}


def _binary(source: Source) -> dict[str, Meta]:
    """The layout of LearnerModelParamLegacy, then two names."""
    cursor = Cursor(source)
    cursor.skip(4, "base_score")
    num_features, num_classes = cursor.u32("num_feature"), cursor.u32("num_class")
    cursor.skip(8, "extra attributes")
    major, minor = cursor.u32("major version"), cursor.u32("minor version")
    cursor.skip(_PARAM_BYTES - 28, "reserved")
    objective = cursor.text(_name_length(cursor), "objective")
    booster = cursor.text(_name_length(cursor), "booster")
    if booster not in _BOOSTERS:
        raise Malformed("xgboost.learner", path=source.path, offset=cursor.offset)
    num_trees = None if booster == "gblinear" else cursor.u32("num_trees")
    return {
        "booster": booster,
        "objective": objective,
        "num_trees": num_trees,
        "num_features": num_features,
        "num_classes": num_classes or None,
        "version": f"{major}.{minor}" if major else None,
    }


def _name_length(cursor: Cursor) -> int:
    length = cursor.u64("length of name")
    if length > MOST_NAME:
        raise Malformed("xgboost.learner", path=cursor.source.path, offset=cursor.offset)
    return length


def _whole(value: Scalar) -> int | None:
    """A number that is written as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if type(value) is int else None


def _text(value: Scalar) -> str | None:
    return value if isinstance(value, str) else None


_PATHS = {
    "learner.gradient_booster.name": "booster",
    "learner.objective.name": "objective",
    "learner.gradient_booster.model.gbtree_model_param.num_trees": "num_trees",
    "learner.gradient_booster.gbtree.model.gbtree_model_param.num_trees": "num_trees",
    "learner.learner_model_param.num_feature": "num_features",
    "learner.learner_model_param.num_class": "num_classes",
}

FORMAT = Format(
    name="xgboost", suffixes=(".json", ".ubj", ".model", ".bst"), matches=matches, read=read, examine=examine
)
