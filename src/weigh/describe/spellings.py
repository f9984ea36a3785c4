"""Configurations that say it in a way of their own, put into the usual keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from weigh.core.header import LongArray, Meta

MOST_LAYERS = 10_000
MOST = 1 << 40
_CHANNELS = 256  # widths found by a rule come in so many
_BY_LAYER = ("num_key_value_heads", "head_dim", "intermediate_size")


def usual(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """The configuration with what it says in other ways added; what it says itself stands."""
    found = dict(config)
    for spelling in _SPELLINGS:
        found |= spelling(found)
    return found


def _blocks(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """A network searched for, block by block: https://huggingface.co/nvidia/Llama-3_3-Nemotron-Super-49B-v1."""
    blocks = [one for one in _items(config.get("block_configs")) if isinstance(one, Mapping)]
    heads, hidden = config.get("num_attention_heads"), config.get("hidden_size")
    if not blocks or type(heads) is not int or type(hidden) is not int or not 0 < hidden < MOST:
        return {}
    return {
        "num_hidden_layers": len(blocks),
        "num_key_value_heads": tuple(_heads_of(one.get("attention"), heads) for one in blocks),
        "intermediate_size": tuple(_width_of(one.get("ffn"), hidden) for one in blocks),
    }


def _heads_of(attention: Meta, heads: int) -> int:
    group = attention.get("n_heads_in_group") if isinstance(attention, Mapping) else None
    return heads // group if type(group) is int and group > 0 else 0


def _width_of(ffn: Meta, hidden: int) -> int:
    times = ffn.get("ffn_mult") if isinstance(ffn, Mapping) else None
    if not isinstance(times, int | float) or isinstance(times, bool) or not 0 < times < 1000:
        return 0
    return -(-int(2 * times * hidden / 3) // _CHANNELS) * _CHANNELS


def _exceptions(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """`per_layer_config`: layers by number, with what differs there."""
    layers, count = config.get("per_layer_config"), config.get("num_hidden_layers")
    if not isinstance(layers, Mapping) or type(count) is not int or not 0 < count <= MOST_LAYERS:
        return {}
    found: dict[str, Meta] = {}
    for key in _BY_LAYER:
        values = [config.get(key)] * count
        for number, own in islice(layers.items(), count):
            if (
                number.isdecimal()
                and len(number) < 6
                and int(number) < count
                and isinstance(own, Mapping)
                and key in own
            ):
                values[int(number)] = own[key]
        if len(set(map(str, values))) > 1:
            found[key] = tuple(values)
    return found


def _delta(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """Kimi's list of layers, counted from one: https://huggingface.co/moonshotai/Kimi-Linear-48B-A3B-Instruct."""
    linear, count = config.get("linear_attn_config"), config.get("num_hidden_layers")
    if not isinstance(linear, Mapping):
        names = ("linear_num_heads", "linear_head_dim", "linear_conv_kernel_dim")
        kept = [config[name] for name in names if name in config]
        return (
            dict(zip(("kda_heads", "kda_head_dim", "kda_conv"), kept, strict=True)) if len(kept) == len(names) else {}
        )
    found: dict[str, Meta] = {
        "kda_heads": linear.get("num_heads"),
        "kda_head_dim": linear.get("head_dim"),
        "kda_conv": linear.get("short_conv_kernel_size"),
    }
    full = {one for one in _items(linear.get("full_attn_layers")) if type(one) is int}
    if full and type(count) is int and 0 < count <= MOST_LAYERS and "layer_types" not in config:
        found["layer_types"] = tuple(
            "full_attention" if number + 1 in full else "linear_attention" for number in range(count)
        )
    return found


def _listed_attention(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """`attn_layer_indices` and the like: the layers that attend, the others keep a state."""
    listed = config.get("attn_layer_indices")
    count = config.get("num_hidden_layers")
    if not isinstance(listed, tuple | list) or "layer_types" in config or type(count) is not int:
        return {}
    full = set(islice((one for one in listed if type(one) is int), MOST_LAYERS))
    kinds = ("full_attention" if number in full else "linear_attention" for number in range(min(count, MOST_LAYERS)))
    return {"layer_types": tuple(kinds)}


def _counted(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """Where only the list of layers says how many there are."""
    if type(config.get("num_hidden_layers")) is int:
        return {}
    pattern = config.get("hybrid_override_pattern") or config.get("layers_block_type")
    return {"num_hidden_layers": len(pattern)} if isinstance(pattern, str | tuple | list) else {}


def _adjusted(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """LFM2's feed-forward: two thirds of what is written, in whole multiples."""
    written = config.get("block_ff_dim") or config.get("intermediate_size")
    step, times = config.get("block_multiple_of"), config.get("block_ffn_dim_multiplier")
    if config.get("block_auto_adjust_ff_dim") is not True or type(written) is not int or type(step) is not int:
        return {}
    if not 0 < written < MOST:
        return {}
    width = int(2 * written / 3)
    width = int(times * width) if isinstance(times, int | float) and 0 < times < 100 else width
    return {"intermediate_size": -(-width // step) * step if step > 0 else width, "block_auto_adjust_ff_dim": False}


def _sparse(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """Lists that say of each layer whether it routes, as the layers that do not."""
    kinds = config.get("mlp_layer_types")
    if isinstance(kinds, tuple | list):
        dense = tuple(number for number, kind in enumerate(islice(kinds, MOST_LAYERS)) if kind == "dense")
        return {"mlp_only_layers": dense, "first_k_dense_replace": 0}
    stated, count = config.get("moe_layers") or config.get("moe_layers_enum"), config.get("num_hidden_layers")
    if isinstance(stated, str):
        stated = tuple(
            int(word) for word in stated.split(",")[:MOST_LAYERS] if word.strip().isdecimal() and len(word) < 6
        )
    if not isinstance(stated, tuple | list) or type(count) is not int:
        return {}
    routed = {one for one in islice(stated, MOST_LAYERS) if type(one) is int}
    return {
        "mlp_only_layers": tuple(number for number in range(min(count, MOST_LAYERS)) if number not in routed),
        "first_k_dense_replace": 0,
        "interleave_moe_layer_step": 1,
    }


def _both(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """Gemma 4's layers with experts have a plain feed-forward too: https://huggingface.co/google/gemma-4-26B-A4B."""
    if config.get("enable_moe_block") is not True or "shared_expert_intermediate_size" in config:
        return {}
    return {"shared_expert_intermediate_size": config.get("intermediate_size")}


def _doubled(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """LongCat's layers attend twice and route once: https://huggingface.co/meituan-longcat/LongCat-Flash-Chat."""
    count = config.get("num_layers")
    if "zero_expert_num" not in config or type(count) is not int:
        return {}
    return {"num_hidden_layers": 2 * count, "interleave_moe_layer_step": 2}


def _recurring(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """A short list of kinds that is gone through again and again."""
    kinds, count = config.get("block_types"), config.get("num_hidden_layers")
    if not isinstance(kinds, tuple | list) or not kinds or type(count) is not int or not 0 < count <= MOST_LAYERS:
        return {}
    spelt = {"attention": "sliding_attention"}
    return {"block_types": tuple(spelt.get(str(kinds[number % len(kinds)]), "recurrent") for number in range(count))}


def _sighted(config: Mapping[str, Meta]) -> dict[str, Meta]:
    """Two widths of experts, for words and for pictures: those for words decide what a token costs."""
    widths = config.get("moe_intermediate_size")
    if not isinstance(widths, tuple | list) or len(widths) != 2:
        return {}
    counts = config.get("moe_num_experts")
    own = {"moe_num_experts": counts[0]} if isinstance(counts, tuple | list) and counts else {}
    return {"moe_intermediate_size": widths[0], **own}


def _items(value: Meta) -> Iterator[Meta]:
    match value:
        case LongArray(first=first):
            yield from first
        case tuple() | list():
            yield from islice(value, MOST_LAYERS)


_SPELLINGS: tuple[Callable[[Mapping[str, Meta]], dict[str, Meta]], ...] = (
    _counted, _blocks, _exceptions, _delta, _listed_attention, _adjusted, _sparse, _both, _doubled,
    _recurring, _sighted,
)  # fmt: skip
