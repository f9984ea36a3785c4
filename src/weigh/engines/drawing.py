"""Which token comes next: the likeliest, or one by chance among those that the settings leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from weigh.core.work import Sampling

_TOP_K = 50  # of a generation_config.json that samples and does not say it, as transformers takes it


def settled(asked: Sampling, own: dict[str, Any]) -> Sampling:
    """What was asked for; where nothing was, what the model's generation_config.json says. Temperature 0 is greedy."""
    penalty = asked.repeat_penalty if asked.repeat_penalty is not None else own.get("repetition_penalty")
    asked = msgspec.structs.replace(asked, repeat_penalty=penalty)
    is_asked = any(one is not None for one in (asked.temperature, asked.top_p, asked.top_k, asked.min_p))
    if asked.temperature == 0 or not (is_asked or own.get("do_sample")):
        return msgspec.structs.replace(asked, temperature=0.0)
    return msgspec.structs.replace(
        asked,
        temperature=asked.temperature if asked.temperature is not None else own.get("temperature") or 1.0,
        top_k=asked.top_k if asked.top_k is not None else own.get("top_k", _TOP_K),
        top_p=asked.top_p if asked.top_p is not None else own.get("top_p"),
        min_p=asked.min_p if asked.min_p is not None else own.get("min_p"),
    )


def drawn(logits: Any, sampling: Sampling, chance: Any, read: Sequence[int], written: Sequence[int]) -> int:
    """The next token, for settled settings. `read` is the prompt, `written` what came of it."""
    logits = _weighed(logits, sampling, read, written)
    if not sampling.temperature:
        return int(logits.argmax())
    order, shares = chances(logits, sampling)
    return int(chance.choice(order, p=shares))


def chances(logits: Any, sampling: Sampling) -> tuple[Any, Any]:
    """Tokens that may be drawn, the likeliest first, and the chance of each."""
    import numpy

    raised = numpy.exp((logits - logits.max()) / sampling.temperature)
    order = numpy.argsort(-raised, kind="stable")[: sampling.top_k or None]
    shares = raised[order] / raised[order].sum()
    likely = (numpy.cumsum(shares) - shares < (sampling.top_p or 1)) & (shares >= (sampling.min_p or 0) * shares[0])
    likely[0] = True
    return order[likely], shares[likely] / shares[likely].sum()


def _weighed(logits: Any, sampling: Sampling, read: Sequence[int], written: Sequence[int]) -> Any:
    """Less for what was said before: by a factor for any of it, by a number for what was written."""
    import numpy

    if sampling.repeat_penalty and sampling.repeat_penalty != 1:
        said = numpy.unique([*read, *written])
        logits = logits.copy()
        logits[said] *= numpy.where(logits[said] < 0, sampling.repeat_penalty, 1 / sampling.repeat_penalty)
    if written and (sampling.frequency_penalty or sampling.presence_penalty):
        said, times = numpy.unique(written, return_counts=True)
        logits = logits.copy()
        logits[said] -= (sampling.frequency_penalty or 0) * times + (sampling.presence_penalty or 0)
    return logits
