"""One Architecture from config.json and from GGUF keys, through one table."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import msgspec

from weigh.core.architecture import Architecture
from weigh.core.header import LongArray, Meta
from weigh.describe.layers import MOST_LAYERS, Given, Item, Shape, is_count, layers, nope
from weigh.describe.spellings import usual
from weigh.describe.towers import beside, looked_up
from weigh.knowledge.architectures import ArchitectureRow, architectures, model_types
from weigh.knowledge.config_keys import config_keys

_NESTED = ("text_config", "llm_config", "language_config", "thinker_config", "decoder", "text_model")
_PARTS = ("attn_config", "ffn_config")  # of MPT and DBRX
# Parts of config.json whose presence says what else the network takes.
_SENSES: Mapping[str, str] = {
    "vision_config": "image",
    "visual": "image",
    "mm_vision_tower": "image",
    "audio_config": "audio",
}


def from_config(config: Mapping[str, Meta]) -> Architecture | None:
    """From a config.json; None where it describes no network."""
    inner = _innermost(config)
    parts = [part for key in _PARTS if isinstance(part := inner.get(key), Mapping)]
    inner = usual(inner)
    places = (inner, config, *parts)

    def ask(quantity: str) -> Meta:
        keys = config_keys()[quantity].config
        return next((place[key] for place in places for key in keys if place.get(key) is not None), None)

    classes = config.get("architectures")
    class_name = _text(classes[0]) if isinstance(classes, tuple | list) and classes else None
    model_type = _text(config.get("model_type")) or model_types().get(class_name or "")
    if model_type is None and class_name is None:
        return None
    row = architectures().get(model_type or "") or architectures().get(_text(inner.get("model_type")) or "")
    senses = {sense for key, sense in _SENSES.items() if config.get(key)} | set(row.modality if row else ())
    habit = architectures().get(_text(inner.get("model_type")) or "") or row
    found = _architecture(
        Shape(given={id: _settled(ask(id)) for id in config_keys()}, habit=habit),
        model_type=model_type,
        class_name=class_name,
        modalities=tuple(sorted(senses)),
    )
    return msgspec.structs.replace(found, beside=beside(config, inner), looked_up=looked_up(inner))


def from_gguf(metadata: Mapping[str, Meta]) -> Architecture | None:
    """From the keys of a GGUF file; None without general.architecture."""
    name = _text(metadata.get("general.architecture"))
    if name is None:
        return None
    row = architectures().get(name)
    given = {
        id: _settled(metadata.get(f"{name}.{key.gguf}")) for id, key in config_keys().items() if key.gguf is not None
    }
    if given.get("vocab_size") is None:
        given["vocab_size"] = _length(metadata.get("tokenizer.ggml.tokens"))
    return _architecture(
        Shape(given=given, habit=row),
        model_type=name,
        class_name=None,
        modalities=_senses_of_gguf(metadata, row),
    )


def _senses_of_gguf(metadata: Mapping[str, Meta], row: ArchitectureRow | None) -> tuple[str, ...]:
    """What sees or hears lies in a file of its own, whose architecture is `clip`; beside it is text alone."""
    if metadata.get("general.architecture") == "clip":
        parts = (("audio", "clip.has_audio_encoder"), ("image", "clip.has_vision_encoder"))
        return tuple(sense for sense, key in parts if metadata.get(key) is True)
    if row is None:
        return ()
    return ("text",) if "text" in row.modality else row.modality


def _architecture(
    shape: Shape, *, model_type: str | None, class_name: str | None, modalities: tuple[str, ...]
) -> Architecture:
    tied = shape.given.get("tie_word_embeddings")
    return Architecture(
        model_type=model_type,
        class_name=class_name,
        layers=tuple(layers(shape)),
        hidden_size=shape.one("hidden_size"),
        num_attention_heads=shape.one("num_attention_heads"),
        q_lora_rank=shape.one("q_lora_rank") or None,
        kv_lora_rank=shape.one("kv_lora_rank") or None,
        qk_rope_head_dim=shape.one("rope_head_dim") if shape.one("kv_lora_rank") else None,
        qk_nope_head_dim=nope(shape) if shape.one("kv_lora_rank") else None,
        vocab_size=shape.one("vocab_size"),
        context_length=shape.one("context_length"),
        tie_word_embeddings=tied if isinstance(tied, bool) else None,
        modalities=modalities,
    )


def _innermost(config: Mapping[str, Meta]) -> Mapping[str, Meta]:
    """The part that describes the language model of a model with several."""
    for _ in range(3):
        inner = next((config[key] for key in _NESTED if isinstance(config.get(key), Mapping)), None)
        if not isinstance(inner, Mapping):
            break
        config = inner
    return config


def _settled(value: Meta) -> Given:
    """A value or a list of them, cut to what layers there may be; what is no sensible value, nobody says."""
    match value:
        case LongArray(count=count, first=first):
            # Only the first are at hand. If they are all alike the others are taken to be, as a pattern would show.
            more = first[0] if first and len(set(first)) == 1 else None
            items = (_item(value) for value in first)
            return (*items, *([_item(more)] * max(0, min(count, MOST_LAYERS) - len(first))))
        case tuple() | list():
            return tuple(_item(item) for item in islice(value, MOST_LAYERS))
        case str(pattern) if len(pattern) <= MOST_LAYERS:
            return tuple(pattern)
    return _item(value)


def _item(value: Meta) -> Item:
    if isinstance(value, bool) or is_count(value):
        return value  # type: ignore[return-value]
    return value if isinstance(value, str) and len(value) < 64 else None


def _length(value: Meta) -> int | None:
    match value:
        case LongArray(count=count):
            return count
        case tuple():
            return len(value)
    return None


def _text(value: Meta) -> str | None:
    return value if isinstance(value, str) and value else None
