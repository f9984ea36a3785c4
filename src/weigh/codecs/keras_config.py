"""A Keras model's configuration: its layers, the code in it, and what it names outside of Keras."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from weigh.codecs.embedded import Inside, is_code, unpacked
from weigh.core.errors import OverBudget
from weigh.core.header import LongArray, Meta
from weigh.core.observation import Observation
from weigh.core.value import Value
from weigh.knowledge.imports import tier_of
from weigh.knowledge.keras_layers import keras_layers

MOST_NODES = 300_000
MOST_KEPT = 2000  # names of layers that are listed
SHORT = 16

_OWN = re.compile(r"(?:keras|tf_keras|tensorflow\.keras|tensorflow\.python\.keras|tensorflow_core\.keras)(?:\.|$)")
_LAYERS = frozenset({"", "layers", "layer", "forward_layer", "backward_layer", "cell", "cells", "model"})
_INNER = frozenset({"__tensor__", "__numpy__", "__keras_tensor__", "__ellipsis__", "__bytes__", "__typespec__"})
_PATHS = frozenset({"filepath", "file_path", "filename", "vocabulary", "vocab_path", "origin", "proto", "path", "url"})
_URL = re.compile(r"(?:https?|ftp|file|gs|s3|hf|kaggle)://\S")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{2,63}")
_FUNCTION = re.compile(r"[a-z_][\w.]*")


class Node(Value, frozen=True, kw_only=True):
    """A value of the configuration: the key it stands under, its own or that of its list, and its whole path."""

    where: str
    key: str
    value: Any


def nodes(config: Any) -> Iterator[Node]:
    """Every value, outer ones first, in order. Raises OverBudget."""
    pending = [Node(where="", key="", value=config)]
    for _ in range(MOST_NODES):
        if not pending:
            return
        node = pending.pop()
        yield node
        if isinstance(node.value, dict | list) and len(node.value) + len(pending) > MOST_NODES:
            raise _too_many(len(node.value))
        match node.value:
            case dict():
                below = [Node(where=_below(node.where, key), key=key, value=one) for key, one in node.value.items()]
            case list():
                key = "layers" if _is_old_sequence(node) else node.key
                below = [
                    Node(where=_item(node.where, one, at), key=key, value=one) for at, one in enumerate(node.value)
                ]
            case _:
                continue
        pending += reversed(below)
    raise _too_many(MOST_NODES)


def _too_many(count: int) -> OverBudget:
    return OverBudget("too_many", what="config", count=count, most=MOST_NODES)


def observe_config(config: Any, inside: Inside) -> Iterator[Observation]:
    """Layers by their class, with their module or registered name where Keras does not bring them; code; paths."""
    for node in nodes(config):
        match node.value:
            case {"class_name": str(name)}:
                yield from _object(node, name)
            case str(text):
                yield from _text(node, text, inside)


def layers_in(config: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each layer's class and its configuration, those of models inside included."""
    for node in nodes(config):
        match node.value:
            case {"class_name": str(name)} if node.key in _LAYERS:
                yield name, node.value


def summary_of(config: Any) -> dict[str, Meta]:
    """What a header tells of the model: its class and name, its layers counted by class, and those not Keras' own."""
    counts: dict[str, int] = {}
    custom: dict[str, None] = {}
    for name, layer in layers_in(config):
        counts[name] = counts.get(name, 0) + 1
        if (title := _title(layer, name)) != name or name not in keras_layers():
            custom[title] = None
    summary: dict[str, Meta] = {"layers": dict(list(counts.items())[:MOST_KEPT])}
    if custom:
        summary["custom_layers"] = tuple(custom)[:MOST_KEPT]
    match config:
        case {"class_name": str(kind), "config": {"name": str(name)}}:
            summary |= {"class_name": kind, "name": name}
        case {"class_name": str(kind)}:
            summary["class_name"] = kind
    return summary


def meta_of_json(value: Any) -> Meta:
    """JSON as a header keeps it; long lists of plain values by their first. Depth is bounded by the JSON codec."""
    match value:
        case dict():
            return {str(key): meta_of_json(item) for key, item in value.items()}
        case list() if len(value) > SHORT and all(isinstance(one, str | int | float | bool) for one in value):
            return LongArray(type=type(value[0]).__name__, count=len(value), first=tuple(value[:SHORT]))
        case list():
            return tuple(meta_of_json(item) for item in value)
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def _below(where: str, key: str) -> str:
    return f"{where}.{key}"[-256:] if where else key[:256]


def _item(where: str, value: Any, number: int) -> str:
    """An element of a list by its name, else by its number."""
    match value:
        case {"config": {"name": str(name)}}:
            return f"{where}[{name[:128]}]"[-256:]
    return f"{where}[{number}]"[-256:]


def _is_old_sequence(node: Node) -> bool:
    """The list of layers that a Sequential of Keras 1 and 2.0 has as its whole configuration."""
    return node.key == "config" and bool(node.value) and isinstance(node.value[0], dict)


def _object(node: Node, name: str) -> Iterator[Observation]:
    if name in _INNER:
        return
    where, module, inner = node.where, node.value.get("module"), node.value.get("config")
    if name == "__lambda__":
        yield from _code(inner.get("code") if isinstance(inner, dict) else None, where)
        return
    if name == "function":
        name = inner if isinstance(inner, str) else name
    title = _title(node.value, name)
    if node.key in _LAYERS or title != name:
        yield Observation(kind="layer", value=title, where=where)
    if isinstance(module, str) and not _OWN.match(module) and (module != "builtins" or _is_dangerous(module, name)):
        yield Observation(kind="import", value=f"{module} {name}", where=where)
    if isinstance(inner, dict):
        yield from _old_function(inner, where)


def _is_dangerous(module: str, name: str) -> bool:
    """Keras says `builtins` of the functions of whoever wrote the model, too."""
    return tier_of(module, name) == "dangerous"


def _title(value: dict[str, Any], name: str) -> str:
    """The class alone if it is Keras' own; else with its module, or as it is registered."""
    module, registered = value.get("module"), value.get("registered_name")
    if isinstance(module, str) and (not _OWN.match(module) or _FUNCTION.fullmatch(name)):
        return f"{module} {name}"
    if isinstance(registered, str) and (module is None or ">" in registered):
        return registered
    return name


def _old_function(config: dict[str, Any], where: str) -> Iterator[Observation]:
    """A Lambda of Keras 1 and 2: bytes of code in base64, or a name in a module."""
    for role in ("function", "output_shape", "mask"):
        kind, value = config.get(f"{role}_type"), config.get(role)
        if kind in ("lambda", "raw") and value:
            yield from _code(value[0] if isinstance(value, list) else value, f"{where}.{role}")
        elif kind == "function" and isinstance(value, str):
            module = config.get("module" if role == "function" else f"{role}_module")
            title = f"{module} {value}" if isinstance(module, str) else value
            yield Observation(kind="layer", value=title, where=f"{where}.{role}")
            if isinstance(module, str) and not _OWN.match(module):
                yield Observation(kind="import", value=f"{module} {value}", where=f"{where}.{role}")


def _code(code: Any, where: str) -> Iterator[Observation]:
    """Code that is not in the form it usually has; what is, is told where its text is met."""
    data = unpacked(code.encode("utf-8", "replace")) if isinstance(code, str) else None
    if data is None or not is_code(data):
        yield Observation(kind="code", value="?", where=where)


def _names_in(code: bytes) -> str:
    """The names that marshalled code holds, read as words and never loaded."""
    words = dict.fromkeys(_WORD.findall(code))
    return " ".join(word.decode() for word in list(words)[:64])


def _text(node: Node, text: str, inside: Inside) -> Iterator[Observation]:
    if _URL.match(text) or (node.key in _PATHS and text):
        yield Observation(kind="external_path", value=text, where=node.where)
    if len(text) < 32:
        return
    data = unpacked(text.encode("utf-8", "surrogatepass"))
    if data is not None and is_code(data):
        yield Observation(kind="code", value=_names_in(data), where=node.where)
        return
    yield from inside.text(text, node.where)
