"""scikit-learn's models by joblib and skops: `python -m tools.samples.sklearn OUT`, into OUT/joblib and OUT/skops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tools.samples.numpy_arrays import dtype_of
from tools.samples.oracles import Tensor, main, note


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    by_joblib, by_skops = folder / "joblib", folder / "skops"
    by_joblib.mkdir(parents=True, exist_ok=True)
    by_skops.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(1)
    x = chance.random((40, 4))
    y = (x[:, 0] > 0.5).astype(int)
    line = LogisticRegression().fit(x, y)
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    forest = RandomForestClassifier(3, max_depth=2, random_state=1).fit(x, y)
    mixed = {
        "a": np.zeros((3, 4), "f4"),
        "objects": np.array([{"x": 1}], dtype=object),
        "list": [np.asfortranarray(np.ones((2, 3))), np.zeros(0, ">i2")],
        "fields": np.zeros(2, dtype=[("a", "<i4"), ("b", "<f8")]),
        "last": "text",
    }
    keep(by_joblib / "line.joblib", line)
    keep(by_joblib / "forest.joblib", forest)
    keep(by_joblib / "mixed.joblib", mixed)
    for method in ("zlib", "gzip", "bz2", "lzma", "xz", "lz4"):
        keep(by_joblib / f"{method}.joblib", pipe, compress=(method, 3))
    tree = RandomForestClassifier(1, max_depth=1, random_state=1).fit(x, y)
    for name, model in (("line", line), ("tree", tree)):
        path = by_skops / f"{name}.skops"
        skops.io.dump(model, path)
        note(path, "skops", shapes_of(model, (np.ndarray, np.generic)), unknown=skops.io.get_untrusted_types(file=path))


def keep(path: Path, value: Any, **how: Any) -> None:
    joblib.dump(value, path, **how)
    note(path, "joblib", shapes_of(joblib.load(path), np.ndarray))


def shapes_of(value: Any, kind: Any) -> list[Tensor]:
    """The arrays that loading gives, by the names that lead to them; skops keeps scalars as arrays too."""
    found: list[Tensor] = []
    pending = [("", value)]
    seen: dict[int, Any] = {}  # the values too, lest another takes the place of one that is gone
    while pending:
        name, one = pending.pop()
        if id(one) in seen:
            continue
        seen[id(one)] = one
        if isinstance(one, kind):
            found.append((name, dtype_of(one.dtype), list(one.shape)))
        for key, below in below_of(one):
            pending.append((f"{name}.{key}" if name else str(key), below))
    return found


def below_of(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if type(value).__name__ == "Tree":  # built with arguments, which are written as well
        _, arguments, state = value.__reduce__()
        return [*enumerate(arguments), *state.items()]
    if type(value).__module__.startswith("sklearn"):
        state = value.__getstate__() if hasattr(value, "__getstate__") else vars(value)
        return list(state.items()) if isinstance(state, dict) else []
    return []


if __name__ == "__main__":
    main(write)
