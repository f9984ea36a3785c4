"""One Architecture from config.json and from GGUF keys, through one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from weigh.core.architecture import Architecture, Attention, Layer
from weigh.core.header import LongArray, Meta
from weigh.knowledge.architectures import architectures
from weigh.knowledge.config_keys import config_keys

MOST_LAYERS = 10_000
MOST = 1 << 40  # of any single quantity
_NESTED = ("text_config", "llm_config", "language_config", "thinker_config", "decoder", "text_model")

Ask = Callable[[str], Meta]
# layer_types of config.json -> our attention kinds
_KINDS: Mapping[str, Attention] = {
    "full_attention": "full",
    "attention": "full",
    "sliding_attention": "sliding",
    "chunked_attention": "sliding",
    "linear_attention": "linear",
    "mamba": "linear",
    "mamba2": "linear",
    "conv": "linear",
    "recurrent": "linear",
}


def from_config(config: Mapping[str, Meta]) -> Architecture | None:
    """From a config.json; None where it describes no network."""
    inner = _innermost(config)

    def ask(quantity: str) -> Meta:
        keys = config_keys()[quantity].config
        return next((place[key] for place in (inner, config) for key in keys if place.get(key) is not None), None)

    model_type = _text(config.get("model_type"))
    classes = config.get("architectures")
    class_name = _text(classes[0]) if isinstance(classes, tuple | list) and classes else None
    if model_type is None and class_name is None:
        return None
    types = inner.get("layer_types") or inner.get("layers_block_type") or ()
    kinds = tuple(str(kind) for kind in types) if isinstance(types, tuple | list) else ()
    return _architecture(ask, model_type=model_type, class_name=class_name, kinds=kinds)


def from_gguf(metadata: Mapping[str, Meta]) -> Architecture | None:
    """From the keys of a GGUF file; None without general.architecture."""
    name = _text(metadata.get("general.architecture"))
    if name is None:
        return None

    def ask(quantity: str) -> Meta:
        if quantity == "vocab_size":
            return metadata.get(f"{name}.vocab_size") or _length(metadata.get("tokenizer.ggml.tokens"))
        key = config_keys()[quantity].gguf
        return metadata.get(f"{name}.{key}") if key is not None else None

    return _architecture(ask, model_type=name, class_name=None, kinds=())


def _architecture(ask: Ask, *, model_type: str | None, class_name: str | None, kinds: tuple[str, ...]) -> Architecture:
    known = architectures().get(model_type or "")
    return Architecture(
        model_type=model_type,
        class_name=class_name,
        layers=_layers(ask, kinds),
        hidden_size=_whole(ask("hidden_size")),
        num_attention_heads=_whole(ask("num_attention_heads")),
        vocab_size=_whole(ask("vocab_size")),
        context_length=_whole(ask("context_length")),
        tie_word_embeddings=tied if isinstance(tied := ask("tie_word_embeddings"), bool) else None,
        modalities=known.modality if known is not None else (),
    )


def _layers(ask: Ask, kinds: tuple[str, ...]) -> tuple[Layer, ...]:
    count = _whole(ask("num_hidden_layers"))
    if count is None or count > MOST_LAYERS:
        return ()
    return tuple(_layer(ask, number, kinds) for number in range(count))


def _layer(ask: Ask, number: int, kinds: tuple[str, ...]) -> Layer:
    heads = _each(ask("num_key_value_heads"), number) or _each(ask("num_attention_heads"), number)
    window = _whole(ask("sliding_window"))
    attention = _attention(ask, number, kinds, window)
    latent = _whole(ask("kv_lora_rank"))
    experts = _whole(ask("experts"))
    sparse = experts is not None and experts > 1 and number >= (_whole(ask("dense_layers")) or 0)
    return Layer(
        attention=attention,
        num_key_value_heads=heads if attention in ("full", "sliding") else None,
        head_dim=_head_dim(ask) if attention in ("full", "sliding") else None,
        window=window if attention == "sliding" else None,
        latent=latent + (_whole(ask("rope_head_dim")) or 0) if attention == "mla" and latent is not None else None,
        ffn=(_whole(ask("expert_size")) if sparse else None) or _each(ask("intermediate_size"), number),
        experts=experts if sparse else None,
        experts_used=_whole(ask("experts_used")) if sparse else None,
        experts_shared=_whole(ask("experts_shared")) if sparse else None,
    )


def _attention(ask: Ask, number: int, kinds: tuple[str, ...], window: int | None) -> Attention:
    if number < len(kinds):
        return _KINDS.get(kinds[number], "full")
    if _whole(ask("kv_lora_rank")) is not None:
        return "mla"
    pattern = ask("sliding_pattern")
    if window is not None and isinstance(pattern, int) and not isinstance(pattern, bool) and pattern > 1:
        return "full" if (number + 1) % pattern == 0 else "sliding"
    if window is not None and isinstance(pattern, tuple) and number < len(pattern):
        return "sliding" if pattern[number] else "full"
    if _each(ask("num_key_value_heads"), number) == 0:
        return "linear"
    return "full"


def _head_dim(ask: Ask) -> int | None:
    given = _whole(ask("head_dim"))
    hidden, heads = _whole(ask("hidden_size")), _each(ask("num_attention_heads"), 0)
    return given or (hidden // heads if hidden is not None and heads else None)


def _innermost(config: Mapping[str, Meta]) -> Mapping[str, Meta]:
    """The part that describes the language model of a model with several."""
    for _ in range(3):
        inner = next((config[key] for key in _NESTED if isinstance(config.get(key), Mapping)), None)
        if not isinstance(inner, Mapping):
            break
        config = inner
    return config


def _whole(value: Meta) -> int | None:
    """A sensible count; what is none of that, nobody says."""
    match value:
        case bool():
            return None
        case int(count) if 0 <= count < MOST:
            return count
        case tuple() | list():
            wholes = [whole for item in value if (whole := _whole(item)) is not None]
            return max(wholes, default=None)
        case LongArray(first=first):
            return _whole(first)
    return None


def _each(value: Meta, number: int) -> int | None:
    """A count for one layer, where it may be given layer by layer."""
    match value:
        case tuple() | list():
            return _whole(value[number]) if number < len(value) else None
        case LongArray(first=first):
            return _whole(first[number]) if number < len(first) else _whole(first)
    return _whole(value)


def _length(value: Meta) -> int | None:
    match value:
        case LongArray(count=count):
            return count
        case tuple():
            return len(value)
    return None


def _text(value: Meta) -> str | None:
    return value if isinstance(value, str) and value else None
