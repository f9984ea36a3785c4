"""States of tokens become the vectors that sentence-transformers makes of them."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from weigh.core.engine import Failed
from weigh.engines.pooled import pooled

STATES = numpy.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")
MASK = numpy.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "way", ["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ("cls", "mean")]
)
def test_each_way_is_the_library_s(way: Any) -> None:
    import torch
    from sentence_transformers.sentence_transformer.modules import Pooling

    features = {"token_embeddings": torch.from_numpy(STATES), "attention_mask": torch.from_numpy(MASK)}
    own = Pooling(8, pooling_mode=way)(features)["sentence_embedding"].numpy()
    assert numpy.allclose(pooled(STATES, MASK, {"pooling_mode": way}), own, atol=1e-6)


def test_settings_of_before_are_flags() -> None:
    flags = {"pooling_mode_cls_token": False, "pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True}
    expected = [pooled(STATES, MASK, {"pooling_mode": way}) for way in ("max", "mean")]
    assert numpy.array_equal(pooled(STATES, MASK, flags), numpy.concatenate(expected, axis=1))


def test_a_way_that_nobody_knows_is_told() -> None:
    with pytest.raises(Failed) as caught:
        pooled(STATES, MASK, {"pooling_mode": "median"})
    assert caught.value.fault.kind == "unsupported" and "median" in caught.value.fault.detail
