"""What a file of the inventory is, by its header alone."""

from __future__ import annotations

from typing import Literal

import msgspec

from weigh.codecs.json import decode as decode_json
from weigh.core.errors import FormatError, OverBudget, SourceError, Truncated
from weigh.core.header import Header
from weigh.core.model import Model, ModelFile
from weigh.core.name import Quant
from weigh.core.source import Source
from weigh.core.value import Value
from weigh.describe.merge import merge
from weigh.formats import detect
from weigh.names.decode import decode as decode_name
from weigh.sources.file import FileSource
from weigh.store.inventory.walk import is_weights, named_as_weights

# dangling and shards are told of names, the others of content.
Ruin = Literal["truncated", "malformed", "pointer", "page", "dangling", "shards"]

CONFIG = "config.json"
LONGEST = 4 << 20  # bytes of a configuration
_NO_WEIGHTS = {"git-lfs-pointer": "pointer", "html": "page"}
_TRUNCATED = frozenset({"truncated", "out-of-bounds"})


class Traits(Value, frozen=True, kw_only=True):
    """`format` is None for what holds no weights or cannot be read, `ruin` where the header says that it is whole."""

    format: str | None = None
    family: str | None = None
    num_parameters: int | None = None
    quantisation: str | None = None
    context_length: int | None = None
    ruin: Ruin | None = None


NOTHING = Traits()


def traits_of(path: str, name: str, model: str, nbytes: int) -> Traits:
    """Of a file that may hold weights, or of a configuration; nothing of any other. Never raises."""
    base = name.rpartition("/")[2]
    if base != CONFIG and not is_weights(base, nbytes):
        return NOTHING
    try:
        with FileSource(path, path=base) as source:
            return _of_config(source) if base == CONFIG else _of_weights(source, f"{model}/{base}")
    except SourceError:
        return NOTHING


def to_bytes(traits: Traits) -> bytes:
    """As it is kept."""
    return msgspec.json.encode(traits)


def from_bytes(data: bytes | None) -> Traits | None:
    """None where it was kept by a program that knew other traits."""
    try:
        return msgspec.json.decode(data, type=Traits) if data is not None else None
    except msgspec.MsgspecError:
        return None


def _of_config(source: Source) -> Traits:
    if source.size > LONGEST:
        return NOTHING
    try:
        config, _ = decode_json(source.read(0, LONGEST), path=source.path)
    except FormatError:
        return NOTHING
    match config:
        case {"model_type": str(family)}:
            return Traits(family=family)
        case {"architectures": [str(family), *_]}:
            return Traits(family=family)
    return NOTHING


def _of_weights(source: Source, name: str) -> Traits:
    try:
        format = detect(source)
        if format.name in _NO_WEIGHTS:
            return Traits(format=format.name, ruin=_NO_WEIGHTS[format.name])  # type: ignore[arg-type]
        if not format.is_model or (format.name == "unknown" and not named_as_weights(source.path)):
            return NOTHING
        header = format.read(source)
    except OverBudget:
        return NOTHING
    except Truncated:
        return Traits(ruin="truncated")
    except FormatError:
        return Traits(ruin="malformed")
    file = ModelFile(path=source.path, format=format.name, nbytes=source.size, header=header)
    return _told(merge((file,), None, decode_name(name)), header)


def _told(model: Model, header: Header) -> Traits:
    contents = model.contents.value.family if model.contents is not None else None
    kind = model.model_type.value if model.model_type is not None else None
    return Traits(
        format=header.format,
        family=kind or contents,
        num_parameters=model.num_parameters.value if model.num_parameters is not None else None,
        quantisation=label(model.quantisation.value) if model.quantisation is not None else None,
        context_length=model.context_length.value if model.context_length is not None else None,
        ruin="truncated" if any(one.kind in _TRUNCATED for one in header.problems) else None,
    )


def label(quant: Quant) -> str | None:
    """As people call it: `Q4_K_M`, `GPTQ Int4`."""
    method = quant.method if quant.method not in (None, "none", "GGUF") else None
    return " ".join(part for part in (method, quant.scheme) if part) or None
