"""States of tokens made one vector a text, as a repository of sentence-transformers says."""

from __future__ import annotations

from typing import Any

from weigh.core.engine import Failed
from weigh.core.work import Fault

# What settings of before called each way.
_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


def pooled(states: Any, mask: Any, says: dict[str, Any]) -> Any:
    """`says` is 1_Pooling/config.json; the mean where nothing says more. Several ways stand beside each other.

    `states` has shape (texts, tokens, hidden), `mask` is 1 for tokens that count. Raises Failed for an unknown way.
    """
    import numpy

    asked = says.get("pooling_mode") or [way for flag, way in _FLAGS.items() if says.get(flag)] or ["mean"]
    ways = [asked] if isinstance(asked, str) else asked
    return numpy.concatenate([_one(way, states, mask.astype(states.dtype)) for way in ways], axis=1)


def _one(way: str, states: Any, mask: Any) -> Any:
    import numpy

    texts = numpy.arange(len(states))
    weight = mask[:, :, None]
    match way:
        case "cls":
            return states[texts, mask.argmax(axis=1)]
        case "lasttoken":
            return states[texts, mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)]
        case "max":
            return numpy.where(weight > 0, states, -numpy.inf).max(axis=1)
        case "mean":
            return (states * weight).sum(axis=1) / weight.sum(axis=1)
        case "mean_sqrt_len_tokens":
            return (states * weight).sum(axis=1) / weight.sum(axis=1) ** 0.5
        case "weightedmean":
            rising = weight * numpy.arange(1, mask.shape[1] + 1, dtype=states.dtype)[None, :, None]
            return (states * rising).sum(axis=1) / rising.sum(axis=1)
        case _:
            raise Failed(Fault(kind="unsupported", detail=f"it pools by {way}: use --work compute"))
