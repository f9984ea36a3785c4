"""TensorFlow.js: `model.json` with a topology and a manifest; the numbers lie in the files that the manifest names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from weigh.codecs.external_path import leaves
from weigh.codecs.json import decode
from weigh.core.errors import Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtype_aliases, dtypes

MOST_BYTES = 8 << 20
MOST_LOOKED_AT = 64 << 20
MOST_TENSORS = 50_000
_KEY = re.compile(rb'"(?:weightsManifest|modelTopology)"\s*:\s*[\[{]')
_MANIFEST = re.compile(rb'"weightsManifest"\s*:\s*\[\s*(?:\]|\{\s*"(?:paths|weights)"\s*:\s*\[)')
_HEAD, _STEP = 1 << 12, 1 << 20


def matches(source: Source) -> bool:
    """JSON with a topology or a manifest among its first keys, and a manifest as TensorFlow.js writes it."""
    head = source.read(0, _HEAD)
    if not head.lstrip().startswith(b"{") or _KEY.search(head) is None or source.size > MOST_LOOKED_AT:
        return False
    return any(_MANIFEST.search(source.read(max(at - 256, 0), _STEP + 256)) for at in range(0, source.size, _STEP))


def read(source: Source) -> Header:
    """Layers or operations counted, and every tensor with its files and its place in them. Raises FormatError."""
    table = _load(source)
    groups = table.get("weightsManifest")
    if not isinstance(groups, list):
        raise Malformed("tfjs.manifest", path=source.path, offset=0)
    tensors: list[TensorInfo] = []
    problems: list[Problem] = []
    files: list[str] = []
    for group in groups:
        paths, rows = _group(group, source.path)
        files += paths
        tensors += _tensors(rows, paths, source.path)
        problems += [
            Problem(kind="malformed", detail=Saying("problem.external_path", name=path, location=path))
            for path in paths
            if leaves(path)
        ]
    topology = table.get("modelTopology")
    metadata: dict[str, Meta] = {
        "format": _text(table.get("format")),
        "generated_by": _text(table.get("generatedBy")),
        "converted_by": _text(table.get("convertedBy")),
        "files": tuple(files[:256]),
        "operators": dict(Counter(_operators(topology)).most_common()),
    }
    return Header(
        format="tfjs",
        metadata={key: value for key, value in metadata.items() if value},
        tensors=tuple(tensors),
        problems=tuple(problems[:100]),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Layers and operations, and files that lie elsewhere."""
    operators, files = header.metadata.get("operators"), header.metadata.get("files")
    kind = "layer" if header.metadata.get("format") == "layers-model" else "operator"
    for name in operators if isinstance(operators, Mapping) else ():
        yield Observation(kind="layer" if kind == "layer" else "operator", value=name)
    for path in files if isinstance(files, tuple) else ():
        if isinstance(path, str) and leaves(path):
            yield Observation(kind="external_path", value=path, where="weightsManifest")


def _load(source: Source) -> dict[str, Any]:
    if source.size > MOST_BYTES:
        raise OverBudget("too_long", path=source.path, offset=0, what="JSON", length=source.size, most=MOST_BYTES)
    table, _ = decode(source.read(0, source.size), path=source.path)
    if not isinstance(table, dict):
        raise Malformed("tfjs.manifest", path=source.path, offset=0)
    return table


def _group(group: Any, path: str) -> tuple[list[str], list[Any]]:
    match group:
        case {"paths": [*paths], "weights": [*rows]} if all(isinstance(one, str) for one in paths):
            return [str(one) for one in paths], rows
    raise Malformed("tfjs.manifest", path=path, offset=0)


def _tensors(rows: list[Any], paths: list[str], path: str) -> Iterator[TensorInfo]:
    """One after another over all files of the group, as if they were one; quantised ones are stored smaller."""
    at = 0
    storage = paths[0] if len(paths) == 1 else f"{paths[0]} + {len(paths) - 1}" if paths else None
    if len(rows) > MOST_TENSORS:
        raise OverBudget("tensors", path=path, most=MOST_TENSORS)
    for row in rows:
        match row:
            case {"name": str(name), "dtype": str(kind), "shape": [*shape]} if all(
                type(length) is int and length >= 0 for length in shape
            ):
                lengths = tuple(int(length) for length in shape)
            case _:
                raise Malformed("tfjs.manifest", path=path, offset=0)
        quantised = row.get("quantization")
        if isinstance(quantised, dict) and isinstance(quantised.get("dtype"), str):
            kind = quantised["dtype"]
        dtype = dtype_aliases().get(kind, kind.upper())
        known = dtypes().get(dtype)
        if math.prod(lengths) >= 1 << 63:
            raise Malformed("tensor_shape", path=path, name=name)
        nbytes = known.nbytes(math.prod(lengths)) if known is not None and known.kind != "other" else None
        yield TensorInfo(name=name, dtype=dtype, shape=lengths, nbytes=nbytes, offset=at, storage=storage)
        at += nbytes or 0


def _operators(topology: Any) -> Iterator[str]:
    """Classes of a layers model's layers, or operations of a graph model's nodes."""
    match topology:
        case {"node": [*nodes]}:
            yield from (one["op"] for one in nodes if isinstance(one, dict) and isinstance(one.get("op"), str))
        case {"model_config": {"config": {"layers": [*layers]} | [*layers]}} | {"config": {"layers": [*layers]}}:
            yield from (
                one["class_name"] for one in layers if isinstance(one, dict) and isinstance(one.get("class_name"), str)
            )


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) else None


FORMAT = Format(name="tfjs", suffixes=(".json",), matches=matches, read=read, examine=examine)
