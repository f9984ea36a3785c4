"""Recurrent mixers: elements of their matrices, and of the state that one sequence keeps."""

from __future__ import annotations

from collections.abc import Callable

from weigh.knowledge.architectures import ArchitectureRow

_HEAD = 64  # channels of a Mamba-2 or RWKV head, where nobody says
_SMALL = 16  # elements a channel of the first Mamba

One = Callable[[str], int | None]


def state(one: One, habit: ArchitectureRow | None) -> int | None:
    """Elements a layer keeps for one sequence: its convolution's inputs and its state, as llama.cpp lays them out
    (llama-hparams.cpp, n_embd_r and n_embd_s).
    """
    hidden, short = one("hidden_size"), one("short_conv")
    if short and hidden:
        return (short - 1) * hidden
    if habit is not None and habit.mixer == "rwkv" and hidden:
        return hidden * (one("state_head_dim") or _HEAD) + 2 * hidden
    heads, width, conv = one("kda_heads"), one("kda_head_dim"), one("kda_conv")
    if heads and width and conv:
        return 3 * (conv - 1) * heads * width + width * width * heads
    conv, size, inside = one("state_conv"), one("state_size"), inner(one)
    if not conv or not size or inside is None:
        return None
    return (conv - 1) * (inside + 2 * (one("state_groups") or 0) * size) + size * inside


def inner(one: One) -> int | None:
    """Channels of the state."""
    stated, heads, width = one("state_inner"), one("state_heads"), one("state_head_dim")
    if stated or (heads and width):
        return stated or (heads or 0) * (width or 0)
    hidden, expand = one("hidden_size"), one("state_expand")
    return hidden * expand if hidden and expand else None


def mixer(one: One, habit: ArchitectureRow | None) -> int | None:
    """Elements of a layer's matrices in and out; None where too little is said."""
    hidden, inside, size = one("hidden_size"), inner(one), one("state_size")
    if not hidden:
        return None
    if one("short_conv"):
        return 4 * hidden * hidden
    if habit is not None and habit.mixer == "rwkv":
        return 5 * hidden * hidden
    if (heads := one("kda_heads")) and (width := one("kda_head_dim")):
        return heads * width * (4 * hidden + 2 * width) + hidden * (2 * width + heads)
    if inside is None or size is None:
        return None
    keys, heads = (one("state_groups") or 0) * size, one("state_heads") or one("state_steps") or inside // _HEAD
    if habit is not None and habit.gated:
        return hidden * (3 * inside + 2 * keys + 2 * heads)
    if size == _SMALL and not one("state_heads"):
        steps = one("state_steps") or -(-hidden // _SMALL)
        return 3 * inside * hidden + inside * 2 * (steps + size)
    return hidden * (3 * inside + 2 * keys + heads)
