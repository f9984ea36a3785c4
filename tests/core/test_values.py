"""Values are frozen, and a Saying survives a trip through another process."""

from __future__ import annotations

import pickle

import pytest

from weigh.core.saying import Saying


def test_a_saying_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Saying("a").key = "b"


def test_a_saying_survives_a_process_boundary() -> None:
    saying = Saying("claim.size", said="7B", found=7)
    assert pickle.loads(pickle.dumps(saying)) == saying
    assert hash(pickle.loads(pickle.dumps(saying))) == hash(saying)
