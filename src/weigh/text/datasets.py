"""Files that hold no weights as rows for a screen: data sets, archives, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weigh.core.header import Header, Meta
from weigh.core.model import Model
from weigh.text import Language, has_words, say

MOST_COLUMNS = 24
MOST_FILES = 5

Row = tuple[str, str]  # a key under `fact.`, what to show


def data_rows(model: Model, language: Language) -> Iterator[tuple[str, list[Row]]]:
    """The path of each file that there is something to say of, and its rows."""
    told = 0
    for file in model.files:
        rows = list(_rows(file.header, language)) if file.header is not None else []
        if rows and told < MOST_FILES:
            told += 1
            yield file.path, rows


def is_told(header: Header) -> bool:
    """Is there something to say of it that is no list of keys and tensors?"""
    metadata = header.metadata
    return "rows" in metadata or "members" in metadata or header.format in ("unknown", "other")


def _rows(header: Header, language: Language) -> Iterator[Row]:
    metadata = header.metadata
    if "rows" in metadata:
        yield from _data_set(metadata, language)
    elif header.format in ("unknown", "other"):
        yield from _looks(metadata, language)
    elif isinstance(metadata.get("members"), int) and isinstance(metadata.get("nbytes"), int):
        members, nbytes = _whole(metadata, "members"), _whole(metadata, "nbytes")
        yield from _looks(metadata, language)
        yield "members", say("data.members", language, members=members, nbytes=nbytes)


def _data_set(metadata: Mapping[str, Meta], language: Language) -> Iterator[Row]:
    rows, sampled = _whole(metadata, "rows"), _whole(metadata, "sampled")
    if metadata.get("is_estimate"):
        yield "rows", say("data.estimated", language, rows=rows, sampled=sampled)
    elif "row_groups" in metadata:
        yield "rows", say("data.row_groups", language, rows=rows, groups=_whole(metadata, "row_groups"))
    else:
        yield "rows", say("data.exact", language, rows=rows)
    schema = metadata.get("schema")
    if isinstance(schema, str) and has_words(f"dataset.{schema}", language):
        yield "schema", say(f"dataset.{schema}", language)
    columns = metadata.get("columns")
    if isinstance(columns, Mapping) and columns:
        yield "columns", _columns(columns, _whole(metadata, "more_columns"), language)
    for key in ("empty", "invalid"):
        if count := _whole(metadata, f"{key}_lines"):
            yield "sample", say(f"data.{key}", language, count=count, sampled=sampled)
    if isinstance(made_by := metadata.get("created_by"), str):
        yield "created_by", made_by


def _columns(columns: Mapping[str, Meta], more: int, language: Language) -> str:
    shown = ", ".join(f"{name}: {kind}" for name, kind in list(columns.items())[:MOST_COLUMNS])
    hidden = max(len(columns) - MOST_COLUMNS, 0) + more
    return say("data.columns", language, names=shown, count=hidden) if hidden else shown


def _looks(metadata: Mapping[str, Meta], language: Language) -> Iterator[Row]:
    own = metadata.get("private")
    if isinstance(own, Mapping):
        yield "looks_like", str(own.get(language) or own.get("en"))
        yield from (("tool", str(own["tool"])) for _ in [0] if "tool" in own)
    like = metadata.get("looks_like")
    if isinstance(like, str) and has_words(f"magic.{like}", language):
        yield "looks_like", say(f"magic.{like}", language)
    for key in ("tool", "first_bytes"):
        if isinstance(value := metadata.get(key), str):
            yield key, value
    spread, entropy = metadata.get("spread"), metadata.get("entropy")
    if isinstance(spread, str) and isinstance(entropy, float):
        yield "spread", say(f"spread.{spread}", language, entropy=entropy)
    for key in ("devices", "strings"):
        if isinstance(value := metadata.get(key), tuple) and value:
            yield key, ", ".join(map(str, value))


def _whole(metadata: Mapping[str, Meta], key: str) -> int:
    value = metadata.get(key)
    return value if isinstance(value, int) else 0
