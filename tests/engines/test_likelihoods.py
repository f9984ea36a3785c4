"""How likely tokens were, as other servers tell it."""

from __future__ import annotations

import json

import pytest

from weigh.engines.likelihoods import retold

CHAT = {
    "token": "过",
    "logprob": -0.5,
    "bytes": [232, 191, 135],
    "id": 7,
    "top_logprobs": [{"token": "a", "logprob": -2}],
}


def tokens(said: object, top: int | None = None) -> list[dict[str, object]]:
    told = retold(said, top)
    return [] if told is None else json.loads(told)["content"]


def test_a_chat_s_form_is_kept_without_what_is_not_openai_s() -> None:
    others = [{"token": "a", "logprob": -2, "bytes": [97]}]
    whole = {"token": "过", "logprob": -0.5, "bytes": [232, 191, 135], "top_logprobs": others}
    assert tokens({"content": [CHAT]}) == [whole]
    assert tokens({"content": [CHAT]}, 0) == [{**whole, "top_logprobs": []}]


def test_the_lists_of_a_completion_become_a_chat_s_form() -> None:
    said = {"tokens": ["a", "b"], "token_logprobs": [None, -1.5], "top_logprobs": [None, {"c": -3, "b": -1.5}]}
    assert [(one["token"], one["logprob"]) for one in tokens(said)] == [("b", -1.5)]
    assert [one["token"] for one in tokens(said)[0]["top_logprobs"]] == ["b", "c"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "said",
    [None, [], 3, {}, {"content": None}, {"content": [3, {"token": 1}]}, {"tokens": [1], "token_logprobs": ["x"]}],
)
def test_what_is_of_no_form_says_nothing(said: object) -> None:
    assert retold(said, 3) is None
