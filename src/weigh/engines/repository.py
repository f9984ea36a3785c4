"""What a repository's small JSON files say, for engines whose library does not read them."""

from __future__ import annotations

import json
import os
from typing import Any

from weigh.core.engine import Failed
from weigh.core.work import Fault, Label

MOST_TABLE = 8 << 20


def table(folder: str, *names: str) -> dict[str, Any]:
    """The first of these that is there; nothing where none is."""
    for name in names:
        path = os.path.join(folder, *name.split("/"))
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                said = json.loads(file.read(MOST_TABLE))
            return said if isinstance(said, dict) else {"all": said}
    return {}


def tokenizer_of(folder: str, longest: int) -> Any:
    """Of tokenizer.json, cut at so many tokens. Raises Failed without the file, or the library."""
    path = os.path.join(folder, "tokenizer.json")
    try:
        import tokenizers
    except ImportError as error:
        raise Failed(Fault(kind="unsupported", detail="text needs a library: pip install tokenizers")) from error
    if not os.path.isfile(path):
        raise Failed(Fault(kind="unsupported", detail="it has no tokenizer.json"))
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def labels_of(config: dict[str, Any], logits: Any, top: int) -> tuple[Label, ...]:
    """The likeliest first, by the names that the configuration gives them."""
    import numpy

    named = config.get("id2label") or {}
    if config.get("problem_type") == "multi_label_classification" or len(logits) == 1:
        chances = 1 / (1 + numpy.exp(-logits))
    else:
        raised = numpy.exp(logits - logits.max())
        chances = raised / raised.sum()
    order = numpy.argsort(-chances, kind="stable")[:top]
    return tuple(Label(label=str(named.get(str(at), f"LABEL_{at}")), score=float(chances[at])) for at in order)
