"""A folder of diffusers: model_index.json names the pipeline's class and its parts, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from weigh.codecs.front_matter import front_matter
from weigh.codecs.json import decode
from weigh.core.errors import FormatError, SourceError
from weigh.core.format import FolderFormat
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Listing

INDEX = "model_index.json"
MOST_TABLE = 2 << 20
MOST_CARD = 1 << 20
MOST_PARTS = 64
_CONFIGS = ("config.json", "scheduler_config.json", "preprocessor_config.json", "tokenizer_config.json")
_CARD_KEYS = ("license", "license_name", "base_model", "library_name", "pipeline_tag", "language")
# Libraries a part may come from; `stable_diffusion` and the like are pipelines of diffusers itself.
_LIBRARIES = frozenset({"diffusers", "transformers", "onnxruntime", "optimum", "peft", "k_diffusion", "torchsde"})


def matches(listing: Listing) -> bool:
    """The index at the root."""
    return any(entry.path == INDEX for entry in listing.entries)


def read(listing: Listing) -> Header:
    """The pipeline's class and its parts, each with its own configuration; what is damaged becomes a Problem."""
    problems: list[Problem] = []
    index = _table(listing, INDEX, problems)
    paths = frozenset(entry.path for entry in listing.entries)
    parts: dict[str, Meta] = {}
    for name, library, kind in _parts(index):
        config = next((path for one in _CONFIGS if (path := f"{name}/{one}") in paths), None)
        table = _table(listing, config, problems) if config is not None else None
        parts[name] = {"library": library, "class": kind, "config": _meta(table) if isinstance(table, dict) else None}
    class_name = index.get("_class_name") if isinstance(index, dict) else None
    version = index.get("_diffusers_version") if isinstance(index, dict) else None
    return Header(
        format="diffusers",
        version=version if isinstance(version, str) else None,
        metadata={"class": _meta(class_name), "components": parts, "card": _card(listing, paths)},
        problems=tuple(problems),
    )


def examine(listing: Listing, header: Header) -> Iterator[Observation]:
    """Classes that are no library's: a loader takes them from Python files in the folder."""
    paths = frozenset(entry.path for entry in listing.entries)
    if isinstance(custom := header.metadata.get("class"), tuple):
        yield Observation(kind="code", value=" ".join(["pipeline", *map(str, custom)])[:1000], where=INDEX)
    parts = header.metadata.get("components")
    for name, part in parts.items() if isinstance(parts, Mapping) else ():
        if not isinstance(part, Mapping):
            continue
        library, config = str(part["library"]), part["config"]
        if library not in _LIBRARIES and (f"{name}/{library}.py" in paths or f"{library}.py" in paths):
            yield Observation(kind="code", value=f"component {library} {part['class']}"[:1000], where=f"{INDEX} {name}")
        if isinstance(config, Mapping) and isinstance(config.get("auto_map"), Mapping):
            yield Observation(kind="code", value="auto_map", where=f"{name}/config.json")


def _parts(index: Any) -> Iterator[tuple[str, str, str]]:
    """Name, library and class of each; a part that is left out stands as nulls."""
    for name, value in list(index.items())[:MOST_PARTS] if isinstance(index, dict) else ():
        match value:
            case [str(library), str(kind)] if not name.startswith("_"):
                yield str(name), library, kind


def _table(listing: Listing, path: str, problems: list[Problem]) -> Any:
    try:
        data = listing.read(path, MOST_TABLE + 1)
        if len(data) > MOST_TABLE:
            detail = Saying("problem.huggingface.too_large", name=path, most=MOST_TABLE)
            problems.append(Problem(kind="over-budget", detail=detail))
            return None
        return decode(data.removeprefix(b"\xef\xbb\xbf"), path=path)[0]
    except FormatError as error:
        detail = Saying("problem.huggingface.json", name=path, byte=error.offset or 0)
        problems.append(Problem(kind="malformed", detail=detail))
    except SourceError as error:
        problems.append(Problem(kind="unreadable", detail=error.saying))
    return None


def _card(listing: Listing, paths: frozenset[str]) -> dict[str, Meta]:
    if "README.md" not in paths:
        return {}
    try:
        text = listing.read("README.md", MOST_CARD).decode("utf-8-sig", "replace")
    except SourceError:
        return {}
    return dict(front_matter(text, _CARD_KEYS))


def _meta(value: Any) -> Meta:
    """JSON's lists as tuples; depth is bounded by the JSON codec."""
    match value:
        case dict():
            return {str(key): _meta(item) for key, item in value.items()}
        case list():
            return tuple(_meta(item) for item in value)
        case None | bool() | int() | float() | str():
            return value
    return str(value)


FORMAT = FolderFormat(name="diffusers", matches=matches, read=read, examine=examine)
