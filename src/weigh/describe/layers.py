"""Layers one by one: how each attends, what it keeps, how it is fed forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from weigh.core.architecture import Attention, Layer
from weigh.core.value import Value
from weigh.describe.mixers import mixer, state
from weigh.knowledge.architectures import ArchitectureRow

MOST_LAYERS = 10_000
MOST = 1 << 40  # of any single quantity
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


class Shape(Value, frozen=True, kw_only=True):
    """Every quantity as given, for all layers or layer by layer, and how such networks alternate their layers."""

    given: Mapping[str, Given]
    habit: ArchitectureRow | None = None

    def one(self, quantity: str) -> int | None:
        """A count for the whole network; the largest where it is given layer by layer."""
        value = self.given.get(quantity)
        if isinstance(value, tuple):
            return max((item for item in value if is_count(item)), default=None)  # type: ignore[type-var,return-value]
        return value if is_count(value) else None  # type: ignore[return-value]

    def of(self, quantity: str, number: int) -> int | None:
        """A count for one layer."""
        value = self.given.get(quantity)
        item = (value[number] if number < len(value) else None) if isinstance(value, tuple) else value
        return item if is_count(item) else None  # type: ignore[return-value]

    def listed(self, quantity: str, number: int) -> Item:
        """What a list says of one layer; None where there is no list."""
        value = self.given.get(quantity)
        return value[number] if isinstance(value, tuple) and number < len(value) else None


def is_count(value: object) -> bool:
    """A number of things that there may be."""
    return type(value) is int and 0 <= value < MOST


def layers(shape: Shape) -> Iterator[Layer]:
    """All of them; none where it is not said how many there are."""
    count = shape.one("num_hidden_layers")
    if count is None or count > MOST_LAYERS:
        return
    habit, window, latent, kept = shape.habit, _window(shape), _latent(shape), state(shape.one, shape.habit)
    kinds, sparse, mixed = _attention_of(shape, window, latent, kept), _sparse_of(shape), mixer(shape.one, habit)
    own = count - (shape.one("kv_shared_layers") or 0)
    for number in range(count):
        kind = kinds(number)
        keeps = kind == "linear" or (habit is not None and habit.parallel is True)
        plain = Layer(
            attention=kind,
            window=window if kind == "sliding" else None,
            latent=latent if kind == "mla" else None,
            state=kept if keeps else None,
            mixer=mixed if keeps else None,
            shares_cache=True if number >= own else None,
        )
        whole = _fed(shape, _attending(shape, plain, number), number, routed=sparse(number))
        yield whole


def _attending(shape: Shape, layer: Layer, number: int) -> Layer:
    """With its heads, which layers with a window may have of their own."""
    if layer.attention not in ("full", "sliding"):
        return layer
    which = "sliding" if layer.attention == "sliding" else "full"
    width = shape.one(f"head_dim_{which}") or _head_dim(shape, number)
    value = shape.one(f"value_head_dim_{which}") or shape.one("value_head_dim")
    if shape.one(f"head_dim_{which}") and not shape.one(f"value_head_dim_{which}") and which == "full":
        value = width
    heads = shape.one(f"kv_heads_{which}") or _key_value_heads(shape, number)
    return msgspec.structs.replace(
        layer, num_key_value_heads=heads, head_dim=width, value_head_dim=value if value != width else None
    )


def _fed(shape: Shape, layer: Layer, number: int, *, routed: bool) -> Layer:
    """With its feed-forward."""
    habit = shape.habit
    if habit is not None and habit.apart and layer.attention != "none":
        return layer
    if not routed:
        dense = shape.one("dense_ffn") if shape.one("experts") else None
        return msgspec.structs.replace(layer, ffn=dense or shape.of("intermediate_size", number) or _usual_ffn(shape))
    shared = shape.one("experts_shared")
    return msgspec.structs.replace(
        layer,
        ffn=shape.of("expert_size", 0) or shape.of("intermediate_size", number) or None,
        experts=shape.one("experts"),
        experts_used=shape.one("experts_used"),
        experts_shared=shared if shared is not None or habit is None else habit.shared_experts,
        ffn_shared=shape.one("shared_ffn") or None,
    )


def _usual_ffn(shape: Shape) -> int | None:
    """Four times the hidden size, where GPT-2's kin say nothing."""
    hidden, habit = shape.one("hidden_size"), shape.habit
    silent = shape.given.get("intermediate_size") is None and habit is not None and habit.ungated
    return 4 * hidden if hidden and silent and habit.rest is None else None  # type: ignore[union-attr]


def _attention_of(
    shape: Shape, window: int | None, latent: int | None, state: int | None
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


def _pattern(shape: Shape, window: int | None) -> Callable[[int], Attention]:
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


def _sparse_of(shape: Shape) -> Callable[[int], bool]:
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


def _window(shape: Shape) -> int | None:
    """None where a window is written down and not used, as in most Qwen2 configurations."""
    return None if shape.given.get("window_in_use") is False else shape.one("sliding_window") or None


def _latent(shape: Shape) -> int | None:
    rank = shape.one("kv_lora_rank")
    return rank + (shape.one("rope_head_dim") or 0) if rank else None


def nope(shape: Shape) -> int | None:
    """What a head's key is besides its rope part; GGUF gives the whole."""
    whole, rope = shape.one("mla_key_length"), shape.one("rope_head_dim")
    return shape.one("nope_head_dim") or (whole - rope if whole is not None and rope is not None else None)


def _key_value_heads(shape: Shape, number: int) -> int | None:
    if shape.given.get("multi_query") is True and shape.given.get("new_decoder") is not True:
        return 1
    return shape.of("num_key_value_heads", number) or shape.of("num_attention_heads", number)


def _head_dim(shape: Shape, number: int) -> int | None:
    given = shape.of("head_dim", number)
    hidden, heads = shape.one("hidden_size"), shape.one("num_attention_heads")
    return given or (hidden // heads if hidden is not None and heads else None)
