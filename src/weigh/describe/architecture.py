"""One Architecture from config.json and from GGUF keys, through one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from weigh.core.architecture import Architecture, Attention, Layer
from weigh.core.header import LongArray, Meta
from weigh.core.value import Value
from weigh.knowledge.architectures import ArchitectureRow, architectures, model_types
from weigh.knowledge.config_keys import config_keys

MOST_LAYERS = 10_000
MOST = 1 << 40  # of any single quantity
_NESTED = ("text_config", "llm_config", "language_config", "thinker_config", "decoder", "text_model")
_BESIDE = ("attn_config", "ffn_config")  # of MPT and DBRX
# Parts of config.json whose presence says what else the network takes.
_SENSES: Mapping[str, str] = {
    "vision_config": "image",
    "visual": "image",
    "mm_vision_tower": "image",
    "audio_config": "audio",
}
# What layer_types, Nemotron-H's pattern string and MiniMax's list call a layer -> our attention kinds.
_KINDS: Mapping[str, Attention] = {
    "sliding_attention": "sliding",
    "chunked_attention": "sliding",
    "linear_attention": "linear",
    "mamba": "linear",
    "mamba2": "linear",
    "conv": "linear",
    "recurrent": "linear",
    "M": "linear",
    "0": "linear",
    "mlp": "none",
    "moe": "none",
    "-": "none",
    "E": "none",
}

Item = int | bool | str | None
Given = Item | tuple[Item, ...]


def from_config(config: Mapping[str, Meta]) -> Architecture | None:
    """From a config.json; None where it describes no network."""
    inner = _innermost(config)
    beside = [part for key in _BESIDE if isinstance(part := inner.get(key), Mapping)]
    places = (inner, config, *beside)

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
    return _architecture(
        _Shape(given={id: _settled(ask(id)) for id in config_keys()}, habit=habit),
        model_type=model_type,
        class_name=class_name,
        modalities=tuple(sorted(senses)),
    )


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
        _Shape(given=given, habit=row),
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


class _Shape(Value, frozen=True, kw_only=True):
    """Every quantity as given, for all layers or layer by layer, and how such networks alternate their layers."""

    given: Mapping[str, Given]
    habit: ArchitectureRow | None = None

    def one(self, quantity: str) -> int | None:
        """A count for the whole network; the largest where it is given layer by layer."""
        value = self.given.get(quantity)
        if isinstance(value, tuple):
            return max((item for item in value if _is_count(item)), default=None)  # type: ignore[type-var,return-value]
        return value if _is_count(value) else None  # type: ignore[return-value]

    def of(self, quantity: str, number: int) -> int | None:
        """A count for one layer."""
        value = self.given.get(quantity)
        item = (value[number] if number < len(value) else None) if isinstance(value, tuple) else value
        return item if _is_count(item) else None  # type: ignore[return-value]

    def listed(self, quantity: str, number: int) -> Item:
        """What a list says of one layer; None where there is no list."""
        value = self.given.get(quantity)
        return value[number] if isinstance(value, tuple) and number < len(value) else None


def _architecture(
    shape: _Shape, *, model_type: str | None, class_name: str | None, modalities: tuple[str, ...]
) -> Architecture:
    tied = shape.given.get("tie_word_embeddings")
    return Architecture(
        model_type=model_type,
        class_name=class_name,
        layers=tuple(_layers(shape)),
        hidden_size=shape.one("hidden_size"),
        num_attention_heads=shape.one("num_attention_heads"),
        q_lora_rank=shape.one("q_lora_rank") or None,
        kv_lora_rank=shape.one("kv_lora_rank") or None,
        qk_rope_head_dim=shape.one("rope_head_dim") if shape.one("kv_lora_rank") else None,
        qk_nope_head_dim=_nope(shape) if shape.one("kv_lora_rank") else None,
        vocab_size=shape.one("vocab_size"),
        context_length=shape.one("context_length"),
        tie_word_embeddings=tied if isinstance(tied, bool) else None,
        modalities=modalities,
    )


def _layers(shape: _Shape) -> Iterator[Layer]:
    count = shape.one("num_hidden_layers")
    if count is None or count > MOST_LAYERS:
        return
    window, latent, state, head_dim = _window(shape), _latent(shape), _state(shape), _head_dim(shape)
    kinds, sparse = _attention_of(shape, window, latent, state), _sparse_of(shape)
    expert_size, experts = shape.one("expert_size"), shape.one("experts")
    used, shared, value = shape.one("experts_used"), shape.one("experts_shared"), shape.one("value_head_dim")
    for number in range(count):
        kind, routed = kinds(number), sparse(number)
        attends = kind in ("full", "sliding")
        yield Layer(
            attention=kind,
            num_key_value_heads=_key_value_heads(shape, number) if attends else None,
            head_dim=head_dim if attends else None,
            value_head_dim=value if attends and value != head_dim else None,
            window=window if kind == "sliding" else None,
            latent=latent if kind == "mla" else None,
            state=state if kind == "linear" or (shape.habit is not None and shape.habit.parallel) else None,
            ffn=(expert_size if routed else None) or shape.of("intermediate_size", number) or None,
            experts=experts if routed else None,
            experts_used=used if routed else None,
            experts_shared=shared if routed else None,
        )


def _attention_of(
    shape: _Shape, window: int | None, latent: int | None, state: int | None
) -> Callable[[int], Attention]:
    """How a layer attends: as listed, else by its key-value heads, else by a stated or known pattern."""
    pattern = _pattern(shape, window)

    def kind(number: int) -> Attention:
        listed = shape.listed("layer_kinds", number)
        if listed is not None:
            found = _KINDS.get(str(listed), "full")
        elif shape.of("num_key_value_heads", number) == 0:
            found = "linear" if state is not None else "none"
        else:
            found = pattern(number)
        return "mla" if found == "full" and latent is not None else found

    return kind


def _pattern(shape: _Shape, window: int | None) -> Callable[[int], Attention]:
    habit = shape.habit
    rest: Attention | None = habit.rest if habit is not None else None
    every = shape.one("full_every") or (habit.every if habit is not None else None)
    at = shape.one("full_at")
    if at is None:
        at = habit.at if habit is not None and habit.at is not None else (every or 1) - 1
    if window is not None and (stated := shape.given.get("sliding_pattern")) is not None:
        if isinstance(stated, tuple):
            return lambda number: "sliding" if shape.listed("sliding_pattern", number) else "full"
        rest, every, at = "sliding", shape.one("sliding_pattern") or 1, (shape.one("sliding_pattern") or 1) - 1
    if window is not None and shape.given.get("window_in_use") is True:  # Qwen2's way
        first = shape.one("window_from_layer") or 0
        return lambda number: "sliding" if number >= first else "full"
    if rest is None or (rest == "sliding" and window is None):
        return lambda number: "full"
    others, period, full = rest, every, at
    return lambda number: "full" if period and number % period == full else others


def _sparse_of(shape: _Shape) -> Callable[[int], bool]:
    """Which layers route among experts."""
    if (shape.one("experts") or 0) < 2:
        return lambda number: False
    first, every, period = shape.one("dense_layers") or 0, shape.one("moe_every") or 1, shape.one("moe_period")
    at, dense = shape.one("moe_at") or 0, shape.given.get("dense_at")
    excepted = frozenset(dense) if isinstance(dense, tuple) else frozenset()

    def sparse(number: int) -> bool:
        in_turn = number % period == at if period else (number + 1) % every == 0
        return number >= first and number not in excepted and in_turn

    return sparse


def _window(shape: _Shape) -> int | None:
    """None where a window is written down and not used, as in most Qwen2 configurations."""
    return None if shape.given.get("window_in_use") is False else shape.one("sliding_window") or None


def _latent(shape: _Shape) -> int | None:
    rank = shape.one("kv_lora_rank")
    return rank + (shape.one("rope_head_dim") or 0) if rank else None


def _nope(shape: _Shape) -> int | None:
    """What a head's key is besides its rope part; GGUF gives the whole."""
    whole, rope = shape.one("mla_key_length"), shape.one("rope_head_dim")
    return shape.one("nope_head_dim") or (whole - rope if whole is not None and rope is not None else None)


def _key_value_heads(shape: _Shape, number: int) -> int | None:
    if shape.given.get("multi_query") is True and shape.given.get("new_decoder") is not True:
        return 1
    return shape.of("num_key_value_heads", number) or shape.of("num_attention_heads", number)


def _head_dim(shape: _Shape) -> int | None:
    given = shape.one("head_dim")
    hidden, heads = shape.one("hidden_size"), shape.one("num_attention_heads")
    return given or (hidden // heads if hidden is not None and heads else None)


def _state(shape: _Shape) -> int | None:
    """Elements a recurrent layer keeps for one sequence: its convolution's inputs and its state, as llama.cpp lays
    them out (llama-hparams.cpp, n_embd_r and n_embd_s).
    """
    hidden, short = shape.one("hidden_size"), shape.one("short_conv")
    if short and hidden:
        return (short - 1) * hidden
    conv, size, inner = shape.one("state_conv"), shape.one("state_size"), _state_inner(shape)
    if not conv or not size or inner is None:
        return None
    return (conv - 1) * (inner + 2 * (shape.one("state_groups") or 0) * size) + size * inner


def _state_inner(shape: _Shape) -> int | None:
    stated, heads, width = shape.one("state_inner"), shape.one("state_heads"), shape.one("state_head_dim")
    if stated or (heads and width):
        return stated or (heads or 0) * (width or 0)
    hidden, expand = shape.one("hidden_size"), shape.one("state_expand")
    return hidden * expand if hidden and expand else None


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
    if isinstance(value, bool) or _is_count(value):
        return value  # type: ignore[return-value]
    return value if isinstance(value, str) and len(value) < 64 else None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < MOST


def _length(value: Meta) -> int | None:
    match value:
        case LongArray(count=count):
            return count
        case tuple():
            return len(value)
    return None


def _text(value: Meta) -> str | None:
    return value if isinstance(value, str) and value else None
