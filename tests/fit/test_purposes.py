"""What networks that write no text need, and training: held against published peaks, as estimates."""

from __future__ import annotations

import pytest

from weigh.core.fit import Memory
from weigh.fit.bases import base_of, shape_of
from weigh.fit.case import Case, memory
from weigh.fit.purposes import Purpose, Training
from weigh.fit.weights import Weights, of_bits
from weigh.names.decode import decode

GB = 10**9


def of(name: str, *, purpose: Purpose = "generate", train: Training | None = None, context: int = 2048) -> Memory:
    base = base_of(decode(name))
    assert base is not None
    shape = shape_of(base)
    assert shape is not None
    weights = of_bits(shape, 16)
    assert weights is not None
    case = Case(
        name=name, weights=weights, packed=False, basis="name", architecture=shape, context_length=context,
        purpose=purpose, train=train,
    )  # fmt: skip
    return memory(case, "transformers", gpu=True)


# Published peaks in GB: https://github.com/huggingface/trl, https://docs.unsloth.ai; each is one method's.
@pytest.mark.parametrize(
    ("name", "train", "context", "peak"),
    [
        ("Qwen2.5-7B", "lora", 2048, 19.08),
        ("Llama-2-7B", "lora", 8192, 25.7),
        ("Llama-3.1-70B", "qlora", 512, 41.0),
    ],
)
def test_training_peaks_about_where_it_was_seen_to(name: str, train: Training, context: int, peak: float) -> None:
    assert of(name, train=train, context=context).total / GB == pytest.approx(peak, rel=0.25)


def test_full_training_takes_sixteen_bytes_a_parameter() -> None:
    need = of("Qwen3-8B", train="full")
    assert (need.weights + need.training) / GB == pytest.approx(8.19 * 16, rel=0.01)


def test_an_embedder_keeps_no_cache() -> None:
    """Fifteen times too much was told of such a model where a cache was counted: it takes under 2 GB."""
    need = of("bge-reranker-v2-m3", purpose="embed", context=8192)
    assert need.kv_cache == 0
    assert need.total < 2.1 * GB


# https://github.com/Tencent-Hunyuan/HunyuanVideo: 60 GB at 720x1280 with 129 frames, 45 GB at 544x960.
@pytest.mark.parametrize(("width", "height", "peak"), [(1280, 720, 60), (960, 544, 45)])
def test_a_video_takes_more_the_larger_it_is(width: int, height: int, peak: float) -> None:
    weights = Weights(total=26 * GB, active=26 * GB, parameters=13 * GB, active_parameters=13 * GB)
    case = Case(
        name="x", weights=weights, packed=False, basis="header", context_length=1, purpose="draw",
        pixels=width * height, frames=129,
    )  # fmt: skip
    assert memory(case, "diffusers", gpu=True).total / GB == pytest.approx(peak, rel=0.1)
