"""What a JSON configuration makes a loader import, fetch, open or render, as Observations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from weigh.core.observation import Observation
from weigh.knowledge.loader_keys import loader_keys

MOST_NODES = 2_000_000
MOST_SEEN = 50_000
_LIBRARIES = frozenset({"diffusers", "transformers", "onnxruntime", "optimum", "peft", "flax", "torch", "timm"})
# What a template that does harm holds, under whatever key it stands.
_MAY_REACH_OUT = re.compile(r"\{[{%](?=.{0,20000}?(?:__|\|\s*attr\b|attribute\s*=|\\x5f|_TemplateRef))", re.DOTALL)
_HUB_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(?:@[\w./-]+)?(?::\w+)?")


def observe_keys(value: Any) -> Iterator[Observation]:
    """Every such key at any depth; `where` is the key, `value` the key's kind and what it names."""
    pending: list[Any] = [value]
    for number in range(MOST_NODES):
        if not pending or number == MOST_NODES:
            return
        node = pending.pop()
        if isinstance(node, dict):
            yield from _table(node)
            pending.extend(inner for inner in node.values() if isinstance(inner, dict | list))
        elif isinstance(node, list):
            yield from _modules(node)
            pending.extend(inner for inner in node if isinstance(inner, dict | list))


def leaves(path: str) -> bool:
    """Does a relative path lead out of its folder: upwards, from the root, by a drive?"""
    parts = path.replace("\\", "/").split("/")
    return ".." in parts or parts[0] in ("", "~") or ":" in parts[0]


def _table(table: Mapping[str, Any]) -> Iterator[Observation]:
    known = loader_keys()
    for key, value in table.items():
        row = known.get(key)
        if row is not None:
            yield from _STEPS[row.kind](key, value)
        elif isinstance(value, str) and _MAY_REACH_OUT.search(value) is not None:
            yield Observation(kind="template", value=value, where=key[:1000])
    if "serializedFile" in table or "modelName" in table:
        yield from _code("handler", table.get("handler"))
    if "_diffusers_version" in table or "_class_name" in table:
        yield from _pipeline(table)
    weights = table.get("weight_map")
    if isinstance(weights, dict):
        files = sorted({one for one in weights.values() if isinstance(one, str) and leaves(one)})
        yield from (
            Observation(kind="external_path", value=one[:1000], where="weight_map") for one in files[:MOST_SEEN]
        )


def _code(key: str, value: Any) -> Iterator[Observation]:
    """Texts, lists of texts, tables of these; of a custom pipeline its `impl`."""
    pending = [value]
    for _ in range(MOST_SEEN):
        if not pending:
            return
        match pending.pop():
            case str(text) if text:
                yield Observation(kind="code", value=f"{key} {text}"[:1000], where=key)
            case list(inner):
                pending += inner
            case {"impl": impl}:
                pending.append(impl)
            case dict(inner):
                pending += inner.values()


def _flag(key: str, value: Any) -> Iterator[Observation]:
    if value is True or (isinstance(value, str) and value.lower() == "true"):
        yield Observation(kind="code", value=f"{key} true", where=key)


def _kernel(key: str, value: Any) -> Iterator[Observation]:
    for one in value.values() if isinstance(value, dict) else (value,):
        if isinstance(one, str) and _HUB_REPOSITORY.fullmatch(one.rpartition("|")[2]):
            yield Observation(kind="code", value=f"kernel {one}"[:1000], where=key)


def _library(key: str, value: Any) -> Iterator[Observation]:
    match value:
        case {"parent_library": str(library)} if library.partition(".")[0] not in _LIBRARIES:
            yield Observation(kind="code", value=f"{key} {library}"[:1000], where=key)


def _target(key: str, value: Any) -> Iterator[Observation]:
    if isinstance(value, str):
        yield Observation(kind="code", value=f"{key} {value}"[:1000], where=key)


def _template(key: str, value: Any) -> Iterator[Observation]:
    """A text, a list of named ones, or a table of them."""
    match value:
        case str(text):
            yield Observation(kind="template", value=text, where=key)
        case list(named):
            for one in named[:MOST_SEEN]:
                match one:
                    case {"name": name, "template": str(text)}:
                        yield Observation(kind="template", value=text, where=f"{key} {name}"[:1000])
        case dict(named):
            for name, text in named.items():
                if isinstance(text, str):
                    yield Observation(kind="template", value=text, where=f"{key} {name}"[:1000])


def _modules(rows: list[Any]) -> Iterator[Observation]:
    """The modules.json of sentence-transformers: a class by its full name and the folder it reads."""
    for row in rows[:MOST_SEEN]:
        match row:
            case {"idx": _, "type": str(kind), "path": str(path)}:
                if not kind.startswith("sentence_transformers."):
                    yield Observation(kind="code", value=f"modules {kind}"[:1000], where="type")
                if path and leaves(path):
                    yield Observation(kind="external_path", value=path[:1000], where="modules")


def _pipeline(table: Mapping[str, Any]) -> Iterator[Observation]:
    """The model_index.json of diffusers: a part is [library, class]; another library may be a file of the folder."""
    for key, value in table.items():
        match value:
            case [str(library), str(name), *_] if library.partition(".")[0] not in _LIBRARIES:
                yield Observation(kind="code", value=f"model_index {library}.{name}"[:1000], where=key)


_STEPS = {
    "code": _code,
    "flag": _flag,
    "kernel": _kernel,
    "library": _library,
    "target": _target,
    "template": _template,
}
