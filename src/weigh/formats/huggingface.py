"""A folder in the Hugging Face layout: configuration, tokenizer and an index beside the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from weigh.codecs.front_matter import front_matter
from weigh.codecs.json import decode
from weigh.codecs.shaped_json import decode_shape
from weigh.core.errors import FormatError, Malformed, SourceError
from weigh.core.format import FolderFormat
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Listing
from weigh.sources.refusals import NotFetched

MOST_TABLE = 2 << 20  # a configuration that names 22 thousand classes takes 1.2 MiB
MOST_TOKENIZER_TABLE = 4 << 20  # tokenizer_config.json may list thousands of added tokens
MOST_TOKENIZER = 64 << 20
MOST_INDEX = 32 << 20
MOST_CARD = 1 << 20
MOST_TOKENS = 600_000
MOST_FILES = 100_000
MOST_CODE = 64
TABLES = (
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "adapter_config.json",
    "quantize_config.json",
    "preprocessor_config.json",
    "processor_config.json",
)
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_SIGNS = ("config.json", "adapter_config.json", *INDEXES)
_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")
_CARD_KEYS = ("license", "license_name", "base_model", "library_name", "pipeline_tag", "language")
_MAPPED = re.compile(rb'"(?:[^"\\]|\\.)*+"\s*:\s*("(?:[^"\\]|\\.)*+")', re.DOTALL)  # one entry of a weight_map


def matches(listing: Listing) -> bool:
    """A configuration or an index at the root, or a tokenizer beside weights."""
    paths = {entry.path for entry in listing.entries}
    if any(sign in paths for sign in _SIGNS):
        return True
    return any(path in paths for path in _TOKENIZERS) and any(
        "/" not in path and path.endswith(_WEIGHTS) for path in paths
    )


def read(listing: Listing) -> Header:
    """What the small files say, each under its own name; what of them is damaged becomes a Problem."""
    folder = _Folder(listing)
    metadata: dict[str, Meta] = {}
    for path in TABLES:
        if isinstance(table := folder.table(path), dict):
            metadata[path.removesuffix(".json")] = _meta(table)
    if tokenizer := _tokenizer(folder):
        metadata["tokenizer"] = tokenizer
    template = next((text for _, text in _templates(folder, metadata)), None)
    if template is not None:
        metadata["chat_template"] = template
    index = next((path for path in INDEXES if path in folder.paths), None)
    if index is not None and (stated := _index(folder, index)) is not None:
        metadata["index"] = stated
    if "README.md" in folder.paths:
        metadata["card"] = _card(folder)
    return Header(format="huggingface", metadata=metadata, problems=tuple(folder.problems))


def examine(listing: Listing, header: Header) -> Iterator[Observation]:
    """Templates, paths that leave the folder, and keys that make a loader run code."""
    for where, text in _templates(_Folder(listing), header.metadata):
        yield Observation(kind="template", value=text, where=where)
    for table in TABLES:
        yield from _code(header.metadata.get(table.removesuffix(".json")), table)
    index = header.metadata.get("index")
    files = index.get("files") if isinstance(index, Mapping) else None
    for path in files if isinstance(files, tuple) else ():
        if isinstance(path, str) and _leaves(path):
            yield Observation(kind="external_path", value=path, where="weight_map")


def _code(table: Meta, path: str) -> Iterator[Observation]:
    """`auto_map` names classes in the folder's own Python files, which a loader that trusts it imports."""
    mapped = table.get("auto_map") if isinstance(table, Mapping) else None
    if not isinstance(mapped, Mapping):
        return
    for key, target in islice(mapped.items(), MOST_CODE):
        targets = target if isinstance(target, tuple) else (target,)
        named = [one for one in targets[:4] if isinstance(one, str)]
        yield Observation(kind="code", value=" ".join(["auto_map", *named])[:1000], where=f"{path} {key}"[:1000])


def _leaves(path: str) -> bool:
    parts = path.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or ":" in parts[0]


class _Folder:
    """The listing, and the problems met while reading its small files."""

    __slots__ = ("listing", "paths", "problems")

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.paths = frozenset(entry.path for entry in listing.entries)
        self.problems: list[Problem] = []

    def bytes_of(self, path: str, most: int) -> bytes | None:
        """A whole file; None where it is not there, cannot be read or is larger than `most`."""
        if path not in self.paths:
            return None
        try:
            data = self.listing.read(path, most + 1)
        except SourceError as error:
            self.problems.append(_unread(error))
            return None
        if len(data) > most:
            detail = Saying("problem.huggingface.too_large", name=path, most=most)
            self.problems.append(Problem(kind="over-budget", detail=detail))
            return None
        return data.removeprefix(b"\xef\xbb\xbf")

    def text_of(self, path: str) -> str | None:
        data = self.bytes_of(path, MOST_CARD)
        return data.decode("utf-8", "backslashreplace") if data is not None else None

    def table(self, path: str) -> Any:
        data = self.bytes_of(path, MOST_TOKENIZER_TABLE if path == "tokenizer_config.json" else MOST_TABLE)
        try:
            return decode(data, path=path)[0] if data is not None else None
        except FormatError as error:
            self.damaged(path, error)
            return None

    def damaged(self, path: str, error: FormatError) -> None:
        detail = Saying("problem.huggingface.json", name=path, byte=error.offset or 0)
        self.problems.append(Problem(kind="malformed", detail=detail))


def _unread(error: SourceError) -> Problem:
    """What a server did not give is no fault of the folder."""
    return Problem(kind="not-fetched" if isinstance(error, NotFetched) else "unreadable", detail=error.saying)


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


_NOTHING = msgspec.Raw(b"null")


class _Vocabulary(msgspec.Struct):
    type: str | None = None
    vocab: msgspec.Raw = _NOTHING


class _Tokenizer(msgspec.Struct):
    model: _Vocabulary
    added_tokens: msgspec.Raw = _NOTHING


class _Token(msgspec.Struct):
    content: str


def _tokenizer(folder: _Folder) -> Meta:
    """The kind of model and the number of tokens, added ones included."""
    path = "tokenizer.json"
    data = folder.bytes_of(path, MOST_TOKENIZER)
    if data is None:
        return None
    try:
        table = decode_shape(data, _Tokenizer, path=path)
        if table is None:
            return None
        known, added = _known(bytes(table.model.vocab), path), _added(bytes(table.added_tokens), path)
    except FormatError as error:
        folder.damaged(path, error)
        return None
    number = known if isinstance(known, int) or known is None else len(known) + len(added - known)
    return {"model": table.model.type, "num_tokens": number}


def _known(vocabulary: bytes, path: str) -> set[str] | int | None:
    """The tokens; of a list of scored pieces their number, added ones being among them."""
    if vocabulary.startswith(b"[") and vocabulary.count(b"[") <= MOST_TOKENS:
        pieces = decode_shape(vocabulary, list[msgspec.Raw], path=path)
        return len(pieces) if pieces is not None else None
    if vocabulary.startswith(b"{") and vocabulary.count(b":") <= MOST_TOKENS:
        table = decode_shape(vocabulary, dict[str, int], path=path)
        return set(table) if table is not None else None
    return None


def _added(tokens: bytes, path: str) -> set[str]:
    if tokens.count(b"{") > MOST_TOKENS:
        return set()
    return {token.content for token in decode_shape(tokens, list[_Token], path=path) or ()}


def _templates(folder: _Folder, metadata: Mapping[str, Meta]) -> Iterator[tuple[str, str]]:
    """Every chat template and where it stands, the one that loaders take first."""
    if (text := folder.text_of("chat_template.jinja")) is not None:
        yield "chat_template.jinja", text
    if "chat_template.json" in folder.paths:
        yield from _named("chat_template.json", folder.table("chat_template.json"))
    yield from _named("tokenizer_config.json", metadata.get("tokenizer_config"))
    yield from _named("processor_config.json", metadata.get("processor_config"))
    for path in sorted(folder.paths):
        if path.startswith("additional_chat_templates/") and (text := folder.text_of(path)) is not None:
            yield path, text


def _named(where: str, table: Any) -> Iterator[tuple[str, str]]:
    """One template, or several by name, of which `default` is taken where nobody asks for another."""
    match table:
        case {"chat_template": str(text)}:
            yield where, text
        case {"chat_template": (*named,)}:
            texts = [
                (one["name"], one["template"])
                for one in named
                if isinstance(one, Mapping)
                and isinstance(one.get("template"), str)
                and isinstance(one.get("name"), str)
            ]
            for name, text in sorted(texts, key=lambda pair: pair[0] != "default"):
                yield f"{where} {name}"[:1000], text


class _IndexShape(msgspec.Struct):
    weight_map: msgspec.Raw = _NOTHING
    metadata: msgspec.Raw = _NOTHING


class _Totals(msgspec.Struct):
    total_size: int | float | None = None
    total_parameters: int | float | None = None


def _index(folder: _Folder, path: str) -> Meta:
    """The files it names, each held against what is there, and the totals it declares."""
    data = folder.bytes_of(path, MOST_INDEX)
    if data is None:
        return None
    try:
        shape = decode_shape(data, _IndexShape, path=path)
        if shape is None or shape.weight_map is _NOTHING:
            raise Malformed("json.syntax", path=path, offset=0)
        files, number = _mapped(bytes(shape.weight_map), path)
        totals = decode_shape(bytes(shape.metadata), _Totals, path=path)
    except FormatError as error:
        folder.damaged(path, error)
        return None
    missing = [name for name in files if name not in folder.paths]
    if missing:
        names = ", ".join(name[:200] for name in missing[:5])
        detail = Saying("problem.huggingface.missing", names=names, count=len(missing), all=len(files))
        folder.problems.append(Problem(kind="missing-shard", detail=detail))
    stated = msgspec.structs.asdict(totals) if totals is not None else {}
    return {
        "path": path,
        "files": files,
        "num_tensors": number,
        **{key: int(total) for key, total in stated.items() if total is not None and abs(total) < 1 << 62},
    }


def _mapped(weight_map: bytes, path: str) -> tuple[tuple[str, ...], int]:
    """The distinct files of a weight_map, sorted, and how many tensors it places; the map itself is not built."""
    distinct: set[bytes] = set()
    number = 0
    for found in _MAPPED.finditer(weight_map):
        number += 1
        if len(distinct) < MOST_FILES:
            distinct.add(found[1])
    names = (decode_shape(name, str, path=path) for name in distinct)
    return tuple(sorted({name for name in names if name is not None})), number


def _card(folder: _Folder) -> Meta:
    """A few keys of the front matter. A README may be of any length: its first megabyte holds them."""
    try:
        text = folder.listing.read("README.md", MOST_CARD).decode("utf-8-sig", "replace")
    except SourceError as error:
        folder.problems.append(_unread(error))
        return {}
    return dict(front_matter(text, _CARD_KEYS))


FORMAT = FolderFormat(name="huggingface", matches=matches, read=read, examine=examine)
