"""The package's own functions."""

from __future__ import annotations

import pickle
from pathlib import Path

import weigh


def test_each_public_name_is_there() -> None:
    assert [name for name in weigh.__all__ if not hasattr(weigh, name)] == []


def test_a_model_is_weighed_inspected_and_checked(samples: Path, tmp_path: Path) -> None:
    gguf = next(samples.rglob("*.gguf"))
    model = weigh.inspect(str(gguf))
    assert model is not None and model.num_parameters is not None
    assert weigh.weigh(str(gguf)).verdict == "clean"
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(_Evil()))
    assert weigh.check(str(tmp_path / "evil.pkl")).verdict == "malicious"
    assert weigh.check(str(tmp_path / "evil.pkl"), allow=["builtins.eval"]).verdict == "clean"


class _Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (eval, ("1",))
