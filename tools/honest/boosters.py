"""Boosted trees, tables and skops: by pickle, by joblib and in their own formats."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import functools
import pickle
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import catboost
import joblib
import lightgbm
import numpy as np
import pandas
import skops.io
import xgboost
from sklearn import ensemble, linear_model, pipeline, preprocessing

from tools.honest import Honest

X = np.arange(80.0).reshape(20, 4) % 7
Y = (np.arange(20) % 2).astype(int)
TABLE = pandas.DataFrame({"w": X[:, 0], "h": X[:, 1], "kind": pandas.Categorical(["a", "b"] * 10), "name": ["x"] * 20, "day": pandas.date_range("2026-01-01", periods=20)})  # fmt: skip


def _fitted() -> dict[str, Callable[[], object]]:
    cat = functools.partial(dict, iterations=2, verbose=0, allow_writing_files=False)
    pool = lightgbm.Dataset(X, Y)
    return {
        "XGBClassifier": lambda: xgboost.XGBClassifier(n_estimators=2).fit(X, Y),
        "XGBRegressor": lambda: xgboost.XGBRegressor(n_estimators=2, objective="reg:squarederror").fit(X, Y),
        "XGBRanker": lambda: xgboost.XGBRanker(n_estimators=2).fit(X, Y, group=[10, 10]),
        "XGBRFClassifier": lambda: xgboost.XGBRFClassifier(n_estimators=2).fit(X, Y),
        "xgboost_booster": lambda: xgboost.train({}, xgboost.DMatrix(X, Y), 2),
        "LGBMClassifier": lambda: lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(X, Y),
        "LGBMRegressor": lambda: lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(X, Y),
        "LGBMRanker": lambda: lightgbm.LGBMRanker(n_estimators=2, verbose=-1).fit(X, Y, group=[10, 10]),
        "lightgbm_booster": lambda: lightgbm.train({"verbose": -1}, pool, 2),
        "CatBoostClassifier": lambda: catboost.CatBoostClassifier(**cat()).fit(X, Y),
        "CatBoostRegressor": lambda: catboost.CatBoostRegressor(**cat()).fit(X, Y),
        "CatBoostRanker": lambda: catboost.CatBoostRanker(**cat()).fit(X, Y, group_id=Y.cumsum()),
        "pipeline": lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), xgboost.XGBClassifier(n_estimators=2)).fit(X, Y),
        "voting": lambda: ensemble.VotingClassifier([("x", xgboost.XGBClassifier(n_estimators=2)), ("l", lightgbm.LGBMClassifier(n_estimators=2, verbose=-1))]).fit(X, Y),
        "table": lambda: TABLE,
        "indexed": lambda: TABLE.set_index(["kind", "name"]),
        "series": lambda: TABLE["w"],
        "indexes": lambda: [TABLE.index, TABLE.columns, pandas.RangeIndex(3), pandas.date_range("2026", periods=2, tz="UTC"), pandas.interval_range(0, 3), pandas.period_range("2026-01", periods=2, freq="M"), pandas.timedelta_range("1D", periods=2), pandas.MultiIndex.from_tuples([("a", 1)])],
        "pandas_scalars": lambda: [pandas.Timestamp("2026-01-01"), pandas.Timedelta("1D"), pandas.Interval(0, 1), pandas.Period("2026-01"), pandas.NaT, pandas.NA],
        "nullable": lambda: pandas.DataFrame({"i": pandas.array([1, None], dtype="Int64"), "b": pandas.array([True, None], dtype="boolean"), "f": pandas.array([1.0, None], dtype="Float32"), "s": pandas.array(["a", None], dtype="string")}),
        "sparse_table": lambda: pandas.DataFrame({"s": pandas.arrays.SparseArray([0, 0, 1])}),
        "dummies": lambda: pandas.get_dummies(TABLE[["kind", "w"]]),
        "offsets": lambda: [pandas.offsets.Day(1), pandas.offsets.MonthEnd(1), pandas.offsets.BDay(1)],
        "on_table": lambda: linear_model.LinearRegression().fit(TABLE[["w", "h"]], Y),
    }  # fmt: skip


def _write(folder: Path, *, name: str, make: Callable[[], object], by: str) -> Path:
    path = folder / f"{name}.{'pkl' if by == 'pickle' else by}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = make()
    if by == "joblib":
        joblib.dump(value, path)
    elif by == "skops":
        skops.io.dump(value, path)
    else:
        path.write_bytes(pickle.dumps(value))
    return path


def _read_skops(path: Path) -> object:
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def _own() -> Iterator[Honest]:
    """What their own save functions write."""
    made = _fitted()
    for suffix in ("json", "ubj"):
        yield Honest(
            f"xgboost.{suffix}",
            functools.partial(_saved, make=made["XGBClassifier"], name=f"xgboost.{suffix}"),
            lambda path: xgboost.Booster(model_file=path),
        )
    yield Honest(
        "lightgbm.txt",
        functools.partial(_saved, make=made["lightgbm_booster"], name="lightgbm.txt"),
        lambda path: lightgbm.Booster(model_file=path),
    )
    for suffix in ("cbm", "json"):
        yield Honest(
            f"catboost.{suffix}",
            functools.partial(_saved, make=made["CatBoostRegressor"], name=f"catboost.{suffix}"),
            lambda path: catboost.CatBoostRegressor().load_model(path, format=path.suffix[1:]),
        )
    for name in ("pipeline", "on_table"):
        yield Honest(
            f"{name}.skops",
            functools.partial(_write, name=name, make=made[name], by="skops"),
            _read_skops,
            "clean|suspicious" if name == "pipeline" else "clean",
        )


def _saved(folder: Path, *, make: Callable[[], object], name: str) -> Path:
    model = make()
    options = {"format": "json"} if name == "catboost.json" else {}
    model.save_model(folder / name, **options)
    return folder / name


CASES: tuple[Honest, ...] = (
    *(Honest(f"{name} by {by}", functools.partial(_write, name=name, make=make, by=by)) for name, make in _fitted().items() for by in ("pickle", "joblib")),
    *_own(),
)  # fmt: skip
