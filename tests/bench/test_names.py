"""The scorer of names: its counts against ones made by hand."""

from __future__ import annotations

import pytest

from bench.names import alike, gguf_py, ours, score

LABELS = [
    {"name": "a", "version": "3", "size": {"total_b": 8}, "function": ["chat", "code"], "kind": "llm"},
    {"name": "b", "quant": {"method": "GGUF", "scheme": "Q4_0", "bits": 4}, "format": "gguf", "kind": "unknown"},
]


def test_the_labels_themselves_score_full_marks() -> None:
    found = score(LABELS, {str(label["name"]): label for label in LABELS}.__getitem__)
    assert (found.f1(), found.exact, found.names) == (1.0, 2, 2)


def test_silence_says_nothing_wrongly_and_recalls_nothing() -> None:
    found = score(LABELS, lambda name: {})
    assert (found.precision(), found.recall(), found.f1(), found.exact) == (0.0, 0.0, 0.0, 0)


def test_a_wrong_value_costs_precision_and_recall() -> None:
    found = score(LABELS[:1], lambda name: {**LABELS[0], "version": "4"})
    assert found.precision() == found.recall() == pytest.approx(3 / 4)
    assert found.f1("version") == 0.0
    assert found.exact == 0


def test_a_value_too_many_costs_precision_alone() -> None:
    found = score(LABELS[:1], lambda name: {**LABELS[0], "format": "gguf"})
    assert found.precision() == pytest.approx(4 / 5)
    assert found.recall() == 1.0


def test_a_context_may_differ_by_a_twentieth() -> None:
    assert alike("context_tokens", 128000, 131072)
    assert not alike("context_tokens", 128000, 256000)
    assert alike("function", ["code", "chat"], ["chat", "code"])


def test_both_parsers_answer() -> None:
    assert ours("Qwen3-8B-Q4_K_M.gguf")["quant"] == {"method": "GGUF", "scheme": "Q4_K_M", "bits": 4}
    assert gguf_py("Qwen3-8B-Instruct")["size"] == {"total_b": 8.0}
