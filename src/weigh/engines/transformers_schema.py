"""A logits processor that lets through only what a JSON Schema allows next, by llguidance."""

from __future__ import annotations

from typing import Any

from weigh.core.engine import Failed
from weigh.core.work import Fault


class Schema:
    """For one answer. Raises Failed for a schema that is none."""

    def __init__(self, tokenizer: Any, schema: str) -> None:
        import llguidance.torch

        tight: Any = {"whitespace_flexible": False}  # a small model would otherwise write blanks for ever
        try:
            grammar = llguidance.LLMatcher.grammar_from_json_schema(schema, overrides=tight)
        except ValueError as error:
            raise Failed(Fault(kind="bad_input", detail=f"the JSON Schema: {error}")) from error
        self._matcher = llguidance.LLMatcher(tokenizer, grammar)
        if problem := self._matcher.get_error():
            raise Failed(Fault(kind="bad_input", detail=f"the JSON Schema: {problem}"))
        self._masks = llguidance.torch
        self._mask = llguidance.torch.allocate_token_bitmask(1, tokenizer.vocab_size)
        self._seen = -1

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Called before each token; what was drawn last is told to the matcher."""
        if self._seen >= 0:
            self._matcher.consume_token(int(input_ids[0, -1]))
        self._seen += 1
        self._masks.fill_next_token_bitmask(self._matcher, self._mask)
        self._masks.apply_token_bitmask_inplace(scores, self._mask.to(scores.device))
        return scores
