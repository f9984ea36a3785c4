"""Texts that engines write, and how likely they say each token was, beside transformers' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.engines.asking import run, said
from tools.tiny import text
from weigh.app.run import Asked
from weigh.core.work import Chat, Complete, Delta, Message, Piece, Sampling

GREEDY = Sampling(temperature=0)
TOP = 5


def own(learnt: Path) -> tuple[Any, Any]:
    """The library's model and tokenizer, in F32."""
    import transformers

    path = str(learnt / "repository")
    return transformers.AutoModelForCausalLM.from_pretrained(path), transformers.AutoTokenizer.from_pretrained(path)


def generated(learnt: Path, prompt: Any) -> Any:
    """Tokens that come greedily, and the logarithms of all chances before each."""
    import torch

    model, tokenizer = own(learnt)
    ids = prompt(tokenizer)
    whole = model.generate(ids, do_sample=False, max_new_tokens=80, pad_token_id=0)
    with torch.inference_mode():
        likely = model(whole).logits.log_softmax(-1)[0]
    number = ids.shape[1]
    return tokenizer, whole[0, number:].tolist(), likely[number - 1 : -1]


def asked_of(tokenizer: Any) -> Any:
    """The question that was learnt, by the template."""
    turns = [{"role": "user", "content": "weigh"}]
    return tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)[
        "input_ids"
    ]


def chat(learnt: Path, path: Path) -> float:
    """Whether a greedy answer is the library's, to the letter."""
    tokenizer, ids, _ = generated(learnt, asked_of)
    job = Chat(messages=(Message(role="user", pieces=(Piece(text="weigh"),)),), sampling=GREEDY)
    written = said(run(path, job, Asked(context_length=text.CONTEXT)))
    assert written == text.TEXT
    return float(written != tokenizer.decode(ids, skip_special_tokens=True))


def likelihoods(learnt: Path, path: Path) -> float:
    """The largest difference, over the tokens of a greedy completion and the likeliest others of each."""
    tokenizer, ids, likely = generated(learnt, lambda one: one(text.PROMPT, return_tensors="pt").input_ids)
    sampling = Sampling(temperature=0, top_logprobs=TOP)
    events = run(path, Complete(prompt=text.PROMPT, sampling=sampling), Asked(context_length=text.CONTEXT))
    told = [json.loads(event.logprobs) for event in events if isinstance(event, Delta) and event.logprobs]
    tokens = [one for step in told for one in step["content"]]
    places = range(len(ids)) if len(tokens) == len(ids) else _whole(tokenizer, ids)
    assert len(tokens) == len(places) > 30
    return max(_apart(token, int(ids[at]), likely[at], tokenizer) for token, at in zip(tokens, places, strict=True))


def _whole(tokenizer: Any, ids: list[int]) -> list[int]:
    """Where a character is complete: llama.cpp tells of its last token alone."""
    places, begin = [], 0
    for at in range(len(ids)):
        if not tokenizer.decode(ids[begin : at + 1]).endswith("\ufffd"):
            places.append(at)
            begin = at + 1
    return places


def _apart(told: dict[str, Any], id: int, likely: Any, tokenizer: Any) -> float:
    best = likely.topk(TOP)
    assert len(told["top_logprobs"]) == TOP
    known = {one["token"]: one["logprob"] for one in told["top_logprobs"]}
    named = {
        tokenizer.decode([one]): value for one, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    }
    both = {name for name in known.keys() & named.keys() if "\ufffd" not in name}  # half a character has no name
    return max(abs(told["logprob"] - float(likely[id])), *(abs(known[name] - named[name]) for name in both))


def vectors(learnt: Path) -> float:
    """Of a GGUF that pools by its last token, beside the last state of the same weights."""
    import numpy
    import torch

    from tests.engines.asking import rows
    from weigh.core.work import Embed

    texts = (text.PROMPT, "过秤之后", "how heavy")
    model, tokenizer = own(learnt)
    found = rows(run(learnt / "model-F32.gguf", Embed(pieces=tuple(Piece(text=one) for one in texts))))
    with torch.inference_mode():
        states = [model.model(**tokenizer(one, return_tensors="pt")).last_hidden_state[0, -1] for one in texts]
    expected = torch.nn.functional.normalize(torch.stack(states), dim=-1).numpy()
    return float(numpy.abs(found - expected).max())
