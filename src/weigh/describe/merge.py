"""Headers, configuration, card and name brought together: each figure with the most trusted who says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from weigh.core.architecture import Architecture
from weigh.core.facts import ORDER, Fact, Origin
from weigh.core.header import Header, LongArray, Meta
from weigh.core.model import Contents, Model, ModelFile, Tokenizer
from weigh.core.name import Name, Quant
from weigh.core.tensors import TensorInfo
from weigh.describe.contents import contents
from weigh.describe.parameters import Count, count
from weigh.describe.weights import one_set, tensors_of
from weigh.knowledge.dtypes import gguf_file_types
from weigh.knowledge.gguf_mixes import gguf_mixes

T = TypeVar("T")

_FOLDER = "config.json"
# A licence is the maker's to state: what a converter copied into a file, or a hub into its fields, may be stale.
_LICENCE = (*(origin for origin in ORDER if origin is not Origin.CARD), Origin.CARD)
MOST_BITS = 64  # a weight
MOST_FACTOR = 1024  # by which YaRN stretches a context


def merge(files: tuple[ModelFile, ...], folder: Header | None, name: Name | None) -> Model:
    """What all of it says of one model."""
    weights = one_set(files, folder)
    metadata = folder.metadata if folder is not None else {}
    config = _table(metadata, "config") or {}
    stated = {**(_table(metadata, "quantize_config") or {}), **(_table(config, "quantization_config") or {})}
    gguf = _gguf_keys(weights)
    architecture = _architecture(config, gguf)
    tensors = tensors_of(weights)
    counted = _count(tensors, {**config, "quantization_config": stated} if stated else config, architecture)
    where = _where(weights)
    has_tensors = counted.num_tensors > 0
    return Model(
        files=files,
        architecture=architecture,
        format=Fact(weights[0].format, Origin.HEADER, where) if weights else None,
        contents=_contents(contents(tensors, _keys(weights)), metadata, counted, where),
        model_type=_first(_said(architecture.model_type if architecture else None, gguf)),
        num_parameters=Fact(counted.parameters, Origin.COUNTED, where) if has_tensors else None,
        num_active_parameters=_active(counted, architecture, where),
        num_tensors=Fact(counted.num_tensors, Origin.COUNTED, where) if has_tensors else None,
        bits_per_weight=_bits(counted, where),
        dtypes=Fact(counted.dtypes, Origin.COUNTED, where) if has_tensors else None,
        quantisation=_quantisation(counted, gguf, where),
        context_length=_first(_said(_context(architecture, config), gguf)),
        tokenizer=_tokenizer(metadata, gguf),
        chat_template=_template(metadata, gguf),
        modalities=Fact(architecture.modalities, Origin.CONFIG if not gguf else Origin.HEADER)
        if architecture is not None and architecture.modalities
        else None,
        licence=_first(_licence(metadata, gguf), _LICENCE),
        base_model=_first(
            [
                *_card(metadata, "base_model", gguf.get("general.base_model.0.name")),
                *_config_text(_table(metadata, "adapter_config"), "base_model_name_or_path", "adapter_config.json"),
            ]
        ),
        weight_nbytes=Fact(counted.nbytes, Origin.COUNTED, where) if has_tensors else None,
        nbytes=Fact(_nbytes(files), Origin.COUNTED) if files else None,
    )


def _nbytes(files: tuple[ModelFile, ...]) -> int:
    """On disk: what lies inside an archive is counted with it."""
    paths = {file.path for file in files}
    return sum(file.nbytes for file in files if "!/" not in file.path or file.path.partition("!/")[0] not in paths)


def _contents(
    found: Contents | None, metadata: Mapping[str, Meta], counted: Count, where: str | None
) -> Fact[Contents] | None:
    """By the tensors' names; a folder that says it adapts another model is an adapter whatever they are called."""
    stated = _table(metadata, "adapter_config")
    if stated is not None and (found is None or found.kind != "adapter"):
        adapter = Contents(kind="adapter", method=_text(stated.get("peft_type")))
        return Fact(adapter, Origin.CONFIG, "adapter_config.json")
    if found is None:
        return None
    return Fact(msgspec.structs.replace(found, unquantised=counted.left), Origin.HEADER, where)


def _keys(weights: list[ModelFile]) -> set[str]:
    """The keys of each file's metadata, and of the outermost dict of one that torch saved."""
    keys: set[str] = set()
    for file in weights:
        if file.header is not None:
            outermost = _table(file.header.metadata, "keys") or {}
            keys |= {*file.header.metadata, *(key for key, kind in outermost.items() if kind != "None")}
    return keys


def _count(tensors: list[TensorInfo], config: Mapping[str, Meta], architecture: Architecture | None) -> Count:
    layers = architecture.layers if architecture is not None else ()
    return count(tensors, config, experts=max((layer.experts or 0 for layer in layers), default=None))


def _first(facts: Iterable[Fact[T]], order: tuple[Origin, ...] = ORDER) -> Fact[T] | None:
    """The most trusted of them."""
    return max(facts, key=lambda fact: order.index(fact.origin), default=None)


def _said(value: T | None, gguf: Mapping[str, Meta]) -> list[Fact[T]]:
    """What the architecture was made from says it."""
    if value is None:
        return []
    return [Fact(value, Origin.HEADER) if gguf else Fact(value, Origin.CONFIG, _FOLDER)]


def _context(architecture: Architecture | None, config: Mapping[str, Meta]) -> int | None:
    """As configured; with YaRN the length of training times its factor, where that is more."""
    stated = architecture.context_length if architecture is not None else None
    scaling = _table(config, "rope_scaling") or _table(config, "rope_parameters") or {}
    if stated is None or "yarn" not in (scaling.get("rope_type"), scaling.get("type")):
        return stated
    match scaling.get("factor"), scaling.get("original_max_position_embeddings"):
        case ((int() | float() as factor), int(trained)) if 1 <= factor <= MOST_FACTOR and 0 < trained < 1 << 32:
            return max(stated, round(trained * factor))
    return stated


def _where(weights: list[ModelFile]) -> str | None:
    match weights:
        case []:
            return None
        case [one]:
            return one.path
        case [first, *rest]:
            return f"{first.path} + {len(rest)}"
    return None


def _gguf_keys(weights: list[ModelFile]) -> Mapping[str, Meta]:
    """The keys of the first GGUF that has an architecture: of a split model only the first file has all."""
    for file in weights:
        if file.format == "gguf" and file.header is not None and "general.architecture" in file.header.metadata:
            return file.header.metadata
    return {}


def _architecture(config: Mapping[str, Meta], gguf: Mapping[str, Meta]) -> Architecture | None:
    if not gguf and not config:
        return None
    from weigh.describe.architecture import from_config, from_gguf  # much, for what most checkpoints do not have

    return (from_gguf(gguf) if gguf else None) or (from_config(config) if config else None)


def _active(counted: Count, architecture: Architecture | None, where: str | None) -> Fact[int] | None:
    """Everything but the routed experts that sit out."""
    if not counted.expert_parameters or architecture is None:
        return None
    shares = [
        layer.experts_used / layer.experts for layer in architecture.layers if layer.experts and layer.experts_used
    ]
    if not shares or max(shares) > 1:
        return None
    resting = counted.expert_parameters * (1 - sum(shares) / len(shares))
    return Fact(round(counted.parameters - resting), Origin.COUNTED, where)


def _bits(counted: Count, where: str | None) -> Fact[float] | None:
    """None where shapes and counters take most of the bytes: no weight has so many bits."""
    if not counted.parameters or (bits := counted.nbytes * 8 / counted.parameters) > MOST_BITS:
        return None
    return Fact(round(bits, 3), Origin.COUNTED, where)


def _quantisation(counted: Count, gguf: Mapping[str, Meta], where: str | None) -> Fact[Quant] | None:
    """By bytes. A GGUF's file_type is believed only where the tensors bear it out."""
    if counted.quant is None:
        return None
    if not gguf:
        return Fact(counted.quant, Origin.COUNTED, where)
    main = next(iter(counted.dtypes))
    label = gguf_file_types().get(number) if isinstance(number := gguf.get("general.file_type"), int) else None
    mix = gguf_mixes().get(label or "")
    scheme = label if mix is not None and main in mix.main else main
    bits = nominal_bits(scheme or main)
    return Fact(Quant(method="GGUF", scheme=scheme, bits=bits), Origin.COUNTED, where)


def nominal_bits(label: str) -> int | None:
    """The figure in a label: 4 of Q4_K_M, 16 of BF16."""
    found = re.search(r"\d+", label)
    return int(found[0]) if found is not None else None


def _tokenizer(metadata: Mapping[str, Meta], gguf: Mapping[str, Meta]) -> Fact[Tokenizer] | None:
    tokens = gguf.get("tokenizer.ggml.tokens")
    if tokens is not None:
        number = tokens.count if isinstance(tokens, LongArray) else len(tokens) if isinstance(tokens, tuple) else None
        return Fact(Tokenizer(model=_text(gguf.get("tokenizer.ggml.model")), num_tokens=number), Origin.HEADER)
    table = _table(metadata, "tokenizer")
    if table:
        size = table.get("num_tokens")
        model = Tokenizer(model=_text(table.get("model")), num_tokens=size if isinstance(size, int) else None)
        return Fact(model, Origin.CONFIG, "tokenizer.json")
    return None


def _template(metadata: Mapping[str, Meta], gguf: Mapping[str, Meta]) -> Fact[str] | None:
    text = _text(gguf.get("tokenizer.chat_template"))
    if text is not None:
        return Fact(text, Origin.HEADER)
    text = _text(metadata.get("chat_template"))
    return Fact(text, Origin.CONFIG) if text is not None else None


def _licence(metadata: Mapping[str, Meta], gguf: Mapping[str, Meta]) -> list[Fact[str]]:
    """The card calls a licence of the maker's own "other" and gives its name apart."""
    facts = _card(metadata, "license", gguf.get("general.license"))
    named = _card(metadata, "license_name", gguf.get("general.license.name"))
    own = {fact.origin for fact in facts if fact.value.lower() == "other"}
    return [
        next((one for one in named if one.origin is fact.origin), fact) if fact.origin in own else fact
        for fact in facts
    ]


def _card(metadata: Mapping[str, Meta], key: str, header: Meta) -> list[Fact[str]]:
    facts = []
    if (text := _text(header)) is not None:
        facts.append(Fact(text, Origin.HEADER))
    return facts + _config_text(_table(metadata, "card"), key, "README.md", Origin.CARD)


def _config_text(
    table: Mapping[str, Meta] | None, key: str, where: str, origin: Origin = Origin.CONFIG
) -> list[Fact[str]]:
    text = _text(table.get(key)) if table is not None else None
    return [Fact(text, origin, where)] if text is not None else []


def _table(metadata: Mapping[str, Meta], key: str) -> Mapping[str, Meta] | None:
    table = metadata.get(key)
    return table if isinstance(table, Mapping) else None


def _text(value: Meta) -> str | None:
    return value if isinstance(value, str) and value else None
