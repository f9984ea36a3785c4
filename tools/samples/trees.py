"""Tables of trees from the libraries that grow them: `python -m tools.samples.trees OUT`, a folder for each.

XGBoost's layout before JSON, which it no longer writes, is put together by hand after LearnerModelParamLegacy.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from tools.samples.oracles import main, note

TREES, FEATURES = 5, 4


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    chance = np.random.default_rng(1)
    x = chance.random((60, FEATURES))
    y = (x[:, 0] > 0.5).astype(int)
    for name in ("xgboost", "lightgbm", "catboost"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    by_xgboost(folder / "xgboost", x, y)
    by_lightgbm(folder / "lightgbm", x, y)
    by_catboost(folder / "catboost", x, y)


def by_xgboost(folder: Path, x: Any, y: Any) -> None:
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=TREES, max_depth=2).fit(x, y)
    said = {"num_trees": TREES, "num_features": FEATURES, "objective": "binary:logistic", "booster": "gbtree"}
    for suffix in ("json", "ubj"):
        path = folder / f"model.{suffix}"
        model.save_model(path)
        note(path, "xgboost", metadata=said | {"version": xgboost.__version__})
    param = struct.pack("<fIIiiIIIi", 0.5, FEATURES, 0, 0, 0, 1, 7, 1, 1) + bytes(100)
    names = b"".join(struct.pack("<Q", len(name)) + name for name in (b"binary:logistic", b"gbtree"))
    path = folder / "before-json.model"
    path.write_bytes(b"binf" + param + names + struct.pack("<i", TREES) + bytes(156))
    note(path, "xgboost", metadata=said | {"version": "1.7"})


def by_lightgbm(folder: Path, x: Any, y: Any) -> None:
    import lightgbm

    model = lightgbm.LGBMClassifier(n_estimators=TREES, min_child_samples=2, verbose=-1).fit(x, y).booster_
    model.save_model(folder / "model.txt")
    said = {
        "num_trees": model.num_trees(),
        "num_features": model.num_feature(),
        "feature_names": model.feature_name(),
        "objective": "binary sigmoid:1",
    }
    note(folder / "model.txt", "lightgbm", metadata=said)


def by_catboost(folder: Path, x: Any, y: Any) -> None:
    import catboost

    model = catboost.CatBoostClassifier(iterations=TREES, depth=2, verbose=0, allow_writing_files=False).fit(x, y)
    model.save_model(str(folder / "model.cbm"))
    said = {
        "num_trees": model.tree_count_,
        "num_float_features": len(model.feature_names_),
        "objective": model.get_all_params()["loss_function"],
        "version": catboost.__version__,
    }
    note(folder / "model.cbm", "catboost", metadata=said)


if __name__ == "__main__":
    main(write)
