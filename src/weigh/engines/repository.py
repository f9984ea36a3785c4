"""What a repository's small JSON files say, for engines whose library does not read them."""

from __future__ import annotations

import json
import os
from typing import Any

from weigh.core.engine import Failed
from weigh.core.work import Fault, Label

MOST_TABLE = 8 << 20
MOST_TOKENS = 1 << 20
DEFAULT_LENGTH = 512


def table(folder: str, *names: str) -> dict[str, Any]:
    """The first of these that is there; nothing where none is."""
    for name in names:
        path = os.path.join(folder, *name.split("/"))
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                said = json.loads(file.read(MOST_TABLE))
            return said if isinstance(said, dict) else {"all": said}
    return {}


def template_of(folder: str) -> str | None:
    """The chat template: a file of its own, else what the tokenizer's settings hold; of several the default."""
    path = os.path.join(folder, "chat_template.jinja")
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            return file.read(MOST_TABLE)
    said = table(folder, "tokenizer_config.json").get("chat_template")
    said = said or table(folder, "chat_template.json").get("chat_template")
    if isinstance(said, list):
        said = next((one.get("template") for one in said if one.get("name") == "default"), None)
    return said if isinstance(said, str) else None


def signs_of(folder: str) -> dict[str, str]:
    """What a template may name: bos_token, eos_token and the like, as text."""
    said = {**table(folder, "special_tokens_map.json"), **table(folder, "tokenizer_config.json")}
    named = {name: one.get("content") if isinstance(one, dict) else one for name, one in said.items()}
    return {name: one for name, one in named.items() if name.endswith("_token") and isinstance(one, str)}


def positions_of(folder: str) -> int:
    """Tokens that its network has places for."""
    config = table(folder, "config.json")
    told = (config.get("text_config") or config).get("max_position_embeddings") or DEFAULT_LENGTH
    return told if isinstance(told, int) else DEFAULT_LENGTH


def longest_of(folder: str) -> int:
    """Tokens of a text that are read: as sentence-transformers is told, else what tokenizer and network both take."""
    told = table(folder, "sentence_bert_config.json").get("max_seq_length")
    if isinstance(told, int):
        return told
    told = table(folder, "tokenizer_config.json").get("model_max_length")
    own = positions_of(folder)
    return min(told, own) if isinstance(told, int) and told < MOST_TOKENS else own


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
