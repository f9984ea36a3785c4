"""What networks that write no text need, and what training needs: estimates from published peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from weigh.core.fit import Memory
from weigh.fit.terms import summed

if TYPE_CHECKING:
    from weigh.fit.case import Case

# generate: text, word by word; embed: one pass; hear: an encoder of sound and words; draw: pictures and video.
Purpose = Literal["generate", "embed", "hear", "draw"]
Training = Literal["full", "lora", "qlora"]
PURPOSES: dict[str, Purpose] = {
    "embedding": "embed", "rerank": "embed", "vision": "embed", "speech": "hear", "image-generation": "draw",
    "video-generation": "draw",
}  # fmt: skip
FRAMES_HEARD, WORDS_HEARD = 1500, 448  # of half a minute of sound
# Bytes of a denoiser's activations a pixel and frame (60 GB against 45 at 129 frames), and of decoding a picture.
DENOISED, DECODED = 300, 1100
# Bytes a parameter: with AdamW's states in 32 bits and gradients; frozen in 16 bits; frozen in 4 bits.
TRAINED: dict[Training, float] = {"full": 16.0, "lora": 2.0, "qlora": 0.55}
_ADAPTERS = 0.006  # of the parameters, at rank 16 on every matrix
_LOGITS = 10  # bytes a word of the vocabulary and token: the logits, their gradient and a copy in 32 bits
_USUAL_HIDDEN, _USUAL_LAYERS, _USUAL_VOCAB = 4096, 32, 128_000


def once(case: Case, overhead: int) -> Memory:
    """One pass over `parallel` inputs, nothing kept between."""
    cache = 0
    match case.purpose:
        case "draw":
            compute = case.pixels * (DENOISED * case.frames + DECODED) * case.parallel
        case "hear":
            compute = _passing(case, FRAMES_HEARD * case.parallel)
            cache = 4 * _layers(case) * _hidden(case) * (FRAMES_HEARD + WORDS_HEARD) * case.parallel
        case _:
            compute = _passing(case, case.context_length * case.parallel)
    return summed(
        weights=case.weights.total, kv_cache=cache, recurrent_state=0, compute=compute, output=0, overhead=overhead
    )


def trained(case: Case, how: Training, overhead: int) -> Memory:
    """Weights, gradients and the optimiser's states; activations kept at each layer's end and worked out anew between.

    `training` holds what training adds to the weights.
    """
    parameters, tokens = case.weights.parameters, case.context_length * case.parallel
    kept = 2 * tokens * _hidden(case) * _layers(case)
    vocab = (case.architecture.vocab_size if case.architecture is not None else None) or _USUAL_VOCAB
    frozen = 2.0 if how == "full" else TRAINED[how]
    more = TRAINED["full"] - 2 if how == "full" else _ADAPTERS * TRAINED["full"]
    return summed(
        weights=round(parameters * frozen),
        kv_cache=0,
        recurrent_state=0,
        compute=kept + 34 * tokens * _hidden(case) + _LOGITS * tokens * vocab,
        output=0,
        overhead=overhead,
        training=round(parameters * more),
    )


def _passing(case: Case, tokens: int) -> int:
    """Activations of one layer, in 16 bits."""
    shape = case.architecture
    ffn = max((layer.ffn or 0 for layer in shape.layers), default=0) if shape is not None else 4 * _USUAL_HIDDEN
    return 2 * tokens * (6 * _hidden(case) + 2 * ffn)


def _hidden(case: Case) -> int:
    return (case.architecture.hidden_size if case.architecture is not None else None) or _USUAL_HIDDEN


def _layers(case: Case) -> int:
    return len(case.architecture.layers) if case.architecture is not None else _USUAL_LAYERS
