"""Weights as the library begins them are told from weights that anything has moved."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from weigh.app.weigh import weigh

SMALL = {"num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 512, "vocab_size": 512}
LIKE_GPT2 = {"n_embd": 128, "n_layer": 4, "n_head": 4, "vocab_size": 512, "bos_token_id": 0, "eos_token_id": 0}


def verdict(model: torch.nn.Module, path: Path) -> str | None:
    model.save_pretrained(path)  # type: ignore[operator]
    return next((one.verdict for one in weigh(str(path)).claims if one.field == "weights"), None)


def llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(hidden_size=128, **SMALL))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Llama-3.2-1B", llama),
        ("gpt2", lambda: GPT2LMHeadModel(GPT2Config(**LIKE_GPT2))),
        ("bert-base-uncased", lambda: BertForMaskedLM(BertConfig(hidden_size=128, **SMALL))),
    ],
)
def test_weights_as_the_library_begins_them_are_told(name: str, model: object, tmp_path: Path) -> None:
    torch.manual_seed(1)
    assert verdict(model(), tmp_path / name) == "does_not_hold"  # type: ignore[operator]


def test_a_few_steps_of_training_are_no_lie(tmp_path: Path) -> None:
    model = llama()
    steps = torch.optim.AdamW(model.parameters(), lr=1e-4)
    for number in range(3):
        tokens = torch.arange(number, number + 32).unsqueeze(0)
        model(input_ids=tokens, labels=tokens).loss.backward()
        steps.step()
        steps.zero_grad()
    assert verdict(model, tmp_path / "Llama-3.2-1B") == "cannot_tell"


def test_an_honest_name_for_random_weights_makes_no_claim(tmp_path: Path) -> None:
    assert verdict(llama(), tmp_path / "tiny-random-LlamaForCausalLM") is None


def test_looking_twice_sees_the_same(tmp_path: Path) -> None:
    llama().save_pretrained(tmp_path / "Llama-3.2-1B")
    assert weigh(str(tmp_path / "Llama-3.2-1B")).claims == weigh(str(tmp_path / "Llama-3.2-1B")).claims
