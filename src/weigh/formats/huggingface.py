"""A model folder in the Hugging Face layout: configuration, tokenizer and an index beside the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from weigh.codecs.json import decode
from weigh.core.errors import FormatError
from weigh.core.format import FolderFormat
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Listing

MOST_JSON = 64 << 20
MOST_CARD = 1 << 20
TABLES = (
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "adapter_config.json",
    "quantize_config.json",
    "preprocessor_config.json",
)
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_SIGNS = ("config.json", "adapter_config.json", *INDEXES)
_CARD_KEYS = ("license", "license_name", "base_model", "library_name", "pipeline_tag", "language")
_LINE = re.compile(r"^([A-Za-z_]+):\s*(.*)$")


def matches(listing: Listing) -> bool:
    """A configuration or an index at the root."""
    paths = {entry.path for entry in listing.entries}
    return any(sign in paths for sign in _SIGNS)


def read(listing: Listing) -> Header:
    """What the small files say, each under its own name; what of them is damaged becomes a Problem."""
    paths = {entry.path for entry in listing.entries}
    metadata: dict[str, Meta] = {}
    problems: list[Problem] = []
    for path in TABLES:
        if path in paths and isinstance(table := _json(listing, path, problems), dict):
            metadata[path.removesuffix(".json")] = _meta(table)
    if "tokenizer.json" in paths:
        metadata["tokenizer"] = _tokenizer(_json(listing, "tokenizer.json", problems))
    template = _template(listing, paths, metadata, problems)
    if template is not None:
        metadata["chat_template"] = template
    index = next((path for path in INDEXES if path in paths), None)
    if index is not None and isinstance(table := _json(listing, index, problems), dict):
        metadata["index"] = _index(table, index, paths, problems)
    if "README.md" in paths:
        metadata["card"] = _card(listing)
    return Header(format="huggingface", metadata=metadata, problems=tuple(problems))


def examine(listing: Listing, header: Header) -> Iterator[Observation]:
    """Templates, paths that leave the folder, and keys that make a loader run code."""
    template = header.metadata.get("chat_template")
    if isinstance(template, str):
        yield Observation(kind="template", value=template, where="chat_template")
    for table in ("config", "tokenizer_config"):
        stated = header.metadata.get(table)
        if isinstance(stated, Mapping) and isinstance(stated.get("auto_map"), Mapping):
            yield Observation(kind="code", value="auto_map", where=f"{table}.json")
    index = header.metadata.get("index")
    if isinstance(index, Mapping):
        for path in index.get("files") or ():  # type: ignore[union-attr]
            if isinstance(path, str) and (".." in path.split("/") or path.startswith(("/", "\\")) or "\\" in path):
                yield Observation(kind="external_path", value=path, where=str(index.get("path")))


def _json(listing: Listing, path: str, problems: list[Problem]) -> Any:
    try:
        data = listing.read(path, MOST_JSON + 1)
        if len(data) > MOST_JSON:
            detail = Saying("problem.huggingface.too_large", name=path, most=MOST_JSON)
            problems.append(Problem(kind="over-budget", detail=detail))
            return None
        value, _ = decode(data.removeprefix(b"\xef\xbb\xbf"), path=path)
        return value
    except FormatError as error:
        detail = Saying("problem.huggingface.json", name=path, byte=error.offset or 0)
        problems.append(Problem(kind="malformed", detail=detail))
        return None


def _meta(value: Any) -> Meta:
    """JSON's lists as tuples: what a header keeps does not change. Depth is bounded by the JSON codec."""
    match value:
        case dict():
            return {str(key): _meta(item) for key, item in value.items()}
        case list():
            return tuple(_meta(item) for item in value)
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def _tokenizer(table: Any) -> Meta:
    """The kind of model and the number of tokens, added ones included."""
    match table:
        case {"model": {"type": str(kind), "vocab": dict() | list() as vocabulary}}:
            known = set(vocabulary) if isinstance(vocabulary, dict) else set()
            added = table.get("added_tokens")
            contents = [one.get("content") for one in added if isinstance(one, dict)] if isinstance(added, list) else []
            more = len({text for text in contents if isinstance(text, str)} - known)
            return {"model": kind, "num_tokens": len(vocabulary) + (more if known else 0)}
        case {"model": {"vocab": dict() as vocabulary}}:
            return {"model": None, "num_tokens": len(vocabulary)}
    return {}


def _template(listing: Listing, paths: set[str], metadata: Mapping[str, Meta], problems: list[Problem]) -> str | None:
    if "chat_template.jinja" in paths:
        return listing.read("chat_template.jinja", MOST_CARD).decode("utf-8", "backslashreplace")
    if "chat_template.json" in paths:
        match _json(listing, "chat_template.json", problems):
            case {"chat_template": str(text)}:
                return text
    match metadata.get("tokenizer_config"):
        case {"chat_template": str(text)}:
            return text
        case {"chat_template": (*named,)}:
            texts = [one.get("template") for one in named if isinstance(one, Mapping)]
            return next((text for text in texts if isinstance(text, str)), None)
    return None


def _index(table: dict[str, Any], path: str, paths: set[str], problems: list[Problem]) -> Meta:
    """The files it names, each held against what is there, and the totals it declares."""
    weight_map = table.get("weight_map")
    named = weight_map.values() if isinstance(weight_map, dict) else ()
    files = tuple(sorted({name for name in named if isinstance(name, str)}))
    missing = [name for name in files if name not in paths]
    if missing:
        detail = Saying("problem.huggingface.missing", names=", ".join(missing[:5]), count=len(missing), all=len(files))
        problems.append(Problem(kind="missing-shard", detail=detail))
    stated = table.get("metadata")
    totals = {
        key: total
        for key, total in (stated.items() if isinstance(stated, dict) else ())
        if key in ("total_size", "total_parameters") and type(total) in (int, float)
    }
    return {
        "path": path,
        "files": files,
        "num_tensors": len(weight_map) if isinstance(weight_map, dict) else 0,
        **{key: int(total) for key, total in totals.items() if abs(total) < 1 << 62},
    }


def _card(listing: Listing) -> Meta:
    """A few keys of the front matter: plain `key: value` lines and lists of them; nothing else of YAML is wanted."""
    text = listing.read("README.md", MOST_CARD).decode("utf-8", "replace")
    if not text.startswith("---"):
        return {}
    card: dict[str, Meta] = {}
    key: str | None = None
    for line in text.splitlines()[1:2000]:
        if line.rstrip() == "---":
            return card
        if (found := _LINE.match(line)) is not None:
            key = found[1] if found[1] in _CARD_KEYS else None
            if key is not None and found[2].strip():
                card[key] = found[2].strip().strip("'\"[]")
        elif key is not None and key not in card and line.strip().startswith("- "):
            card[key] = line.strip()[2:].strip().strip("'\"")
    return {}  # the front matter never ends


FORMAT = FolderFormat(name="huggingface", matches=matches, read=read, examine=examine)
