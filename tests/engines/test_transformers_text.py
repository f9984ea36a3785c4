"""Texts by transformers: what is told of its tokens, and what is no part of an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engines.asking import run, said
from tests.tiny import made
from tools.tiny import text, translators
from weigh.core.work import Complete, Delta, Done, Sampling

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "translators", translators.write) / "t5"


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write) / "repository"


def loaded(folder: Path) -> tuple[Any, Any]:
    import transformers

    kind = transformers.AutoModelForSeq2SeqLM if folder.name == "t5" else transformers.AutoModelForCausalLM
    return kind.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)


def test_a_decoder_beside_an_encoder_writes_what_the_library_writes(t5: Path) -> None:
    model, tokenizer = loaded(t5)
    ids = model.generate(**tokenizer("a cat", return_tensors="pt"), do_sample=False, max_new_tokens=12)[0]
    events = run(t5, Complete(prompt="a cat", sampling=Sampling(max_tokens=12, temperature=0, top_logprobs=1)))
    assert said(events) == tokenizer.decode(ids, skip_special_tokens=True) != ""
    assert isinstance(events[-1], Done) and events[-1].usage.completion_tokens == 12
    assert sum(isinstance(one, Delta) and one.logprobs is not None for one in events) == 12


def test_signs_of_turns_are_no_part_of_an_answer_unless_they_end_it(learnt: Path) -> None:
    model, tokenizer = loaded(learnt)
    ids = tokenizer("过秤", return_tensors="pt")
    own = model.generate(**ids, do_sample=False, max_new_tokens=40)[0, ids["input_ids"].shape[1] :]
    assert "<|im_start|>" in tokenizer.decode(own)
    asked = Sampling(max_tokens=40, temperature=0)
    assert said(run(learnt, Complete(prompt="过秤", sampling=asked))) == tokenizer.decode(own, skip_special_tokens=True)
    ended = Sampling(max_tokens=40, temperature=0, stop=("<|im_start|>",))
    events = run(learnt, Complete(prompt="过秤", sampling=ended))
    assert said(events) == tokenizer.decode(own).split("<|im_start|>")[0]
    assert isinstance(events[-1], Done) and events[-1].finish_reason == "stop"


@pytest.mark.parametrize(
    "penalty", [{"presence_penalty": 30.0}, {"frequency_penalty": 30.0}], ids=lambda penalty: next(iter(penalty))
)
def test_what_an_answer_said_is_not_said_again_by_a_heavy_penalty(learnt: Path, penalty: dict[str, float]) -> None:
    asked = Sampling(max_tokens=30, temperature=0, top_logprobs=0, **penalty)  # type: ignore[arg-type]
    events = run(learnt, Complete(prompt=text.PROMPT, sampling=asked))
    tokens = [json.loads(one.logprobs)["content"][0] for one in events if isinstance(one, Delta) and one.logprobs]
    told = [(one["token"], one["logprob"]) for one in tokens if "\ufffd" not in one["token"]]
    assert len({token for token, _ in told}) == len(told) > 5
