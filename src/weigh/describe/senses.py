"""That a model sees or hears, held against its configuration and the names of its tensors."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.core.claim import Claim
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.saying import Saying
from weigh.describe.claims import claim

# What a name says, what goes in, and the tensors that take it in.
_SENSES = (
    ("vision", "image", r"(?:^|\.)(?:visual|vision|vision_model|vision_tower|vit|image_encoder|v\.blk|mm)\."),
    ("audio", "audio", r"(?:^|\.)(?:audio|audio_tower|audio_encoder|audio_model|speech_encoder|a\.blk|mm\.a|apm)\."),
)


def senses(name: Name, model: Model) -> Iterator[Claim]:
    """One claim for each sense that the name states; a GGUF leaves it to a file beside it."""
    for said, taken, tensors in _SENSES:
        if said in name.function:
            yield _sense(said, taken, re.compile(tensors), model)


def _sense(said: str, taken: str, pattern: re.Pattern[str], model: Model) -> Claim:
    takes = model.modalities is not None and taken in model.modalities.value
    named = [tensor.name for file in model.files if file.header for tensor in file.header.tensors]
    if takes or any(pattern.search(one) for one in named):
        return claim("modality", said, taken, "holds", Saying(f"claim.modality.{said}_holds"))
    if model.format is not None and model.format.value == "gguf":
        return claim("modality", said, None, "cannot_tell", Saying(f"claim.modality.{said}_projector"))
    if not named:
        return claim("modality", said, None, "cannot_tell", Saying("claim.modality.unseen"))
    return claim("modality", said, None, "does_not_hold", Saying(f"claim.modality.{said}_missing"))
