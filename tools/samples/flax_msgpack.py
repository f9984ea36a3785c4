"""Flax' checkpoints from Flax: `python -m tools.samples.flax_msgpack OUT`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flax.serialization
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from tools.samples.oracles import NUMPY, main, note


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    layer = {"kernel": np.zeros((3, 4), "f4"), "bias": jnp.zeros(4, jnp.bfloat16)}
    state = {"params": {"dense": layer, "embed": np.zeros((7, 2), "f2")}, "step": np.int32(3), "history": [np.ones(2)]}
    keep(folder / "state.msgpack", state, state)
    large = {"params": {"wide": np.zeros((6, 5), "f4"), "narrow": np.zeros(2, "f4")}}
    most = flax.serialization.MAX_CHUNK_SIZE
    flax.serialization.MAX_CHUNK_SIZE = 64  # so that a small array is kept as a large one is
    keep(folder / "chunked.msgpack", large, large)
    flax.serialization.MAX_CHUNK_SIZE = most


def keep(path: Path, value: Any, arrays: Any) -> None:
    path.write_bytes(flax.serialization.to_bytes(value))
    flat = traverse_util.flatten_dict(flax.serialization.to_state_dict(arrays), sep="/")
    note(path, "flax-msgpack", [(name, NUMPY[one.dtype.name], list(one.shape)) for name, one in flat.items()])


if __name__ == "__main__":
    main(write)
