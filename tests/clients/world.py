"""What every client is tried against: one large model, one that is held, and the real `weigh mirror` over them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clients.faults import EVIL, ID, LARGE, SMALL
from tests.clients.trial import World
from tests.serve.certificate import signed
from tests.serve.hub import mirroring
from tools.tiny.drivel import Shape, write

TOKEN = "hf_" + "r" * 34
SHAPE = Shape(hidden=384, layers=1, feed_forward=18_432, words=500)  # 23 MB


def write_models(root: Path, samples: Path) -> None:
    """Below the folder that is served."""
    config = {"a_note": "a" * 64, "model_type": "qwen2", "hidden_size": 384, "num_hidden_layers": 1}
    for id in (ID, EVIL):
        (root / id).mkdir(parents=True)
        (root / id / SMALL).write_text(json.dumps(config))
    write(root / ID / LARGE, SHAPE)
    shutil.copy(samples / "hostile.bin", root / EVIL / "pytorch_model.bin")


@contextmanager
def standing(root: Path, home: Path) -> Iterator[World]:
    """As long as it is needed."""
    with (
        mirroring(root, home / "open", "--workers", "2") as open_,
        mirroring(root, home / "closed", "--token", TOKEN) as closed,
    ):
        yield World(root, open_, closed, signed(home))
