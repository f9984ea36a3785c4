"""Every estimator of scikit-learn, fitted where a few numbers will do, by pickle and by joblib."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import functools
import warnings
from collections.abc import Callable

import numpy as np
import sklearn
from sklearn import (
    calibration,
    cluster,
    compose,
    datasets,
    decomposition,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    kernel_approximation,
    linear_model,
    metrics,
    model_selection,
    multiclass,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.gaussian_process import kernels
from sklearn.utils import all_estimators

from tools.honest import Honest, dumped, pickled

X, Y = (lambda many: (np.abs(many[0][::5]), many[1][::5]))(datasets.load_iris(return_X_y=True))
WORDS = ["a model is weighed", "before it is loaded", "a scale for models", "weights and biases"]
_TRIES: tuple[Callable[[type], object], ...] = (
    lambda kind: kind(),
    lambda kind: kind(linear_model.LogisticRegression(max_iter=5)),
    lambda kind: kind([("a", linear_model.Ridge()), ("b", linear_model.LinearRegression())]),
    lambda kind: kind([("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier())]),
    lambda kind: kind([("a", preprocessing.StandardScaler(), [0, 1])]),
    lambda kind: kind(linear_model.Ridge(), {"alpha": [0.1, 1.0]}),
    lambda kind: kind(np.eye(4)),
    lambda kind: kind(X[:3]),
)


def fitted(kind: type) -> object:
    """One of the kind: fitted to numbers, to words, or as it is made."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = [one for build in _TRIES if (one := _tried(functools.partial(build, kind))) is not None]
        for one in made:
            if hasattr(one, "max_iter"):
                one.max_iter = 5
            for data in ((X, Y), (X,), (WORDS,), ([{"a": 1.0}, {"b": 2.0}],), (Y, Y), (X, X), (X[:, 0], Y)):
                if _tried(lambda one=one, data=data: one.fit(*data)) is not None:
                    return one
        return made[0]


def _tried(make: Callable[[], object]) -> object | None:
    try:
        return make()
    except Exception:
        return None


def _forest() -> object:
    return ensemble.RandomForestClassifier(5).fit(X, Y)


def _mixed() -> object:
    columns = compose.ColumnTransformer(
        [
            ("n", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()), [0, 1]),
            ("c", preprocessing.OneHotEncoder(handle_unknown="ignore"), [2]),
            ("k", "passthrough", [3]),
            ("x", preprocessing.FunctionTransformer(np.log1p), [0]),
        ]
    )
    return pipeline.Pipeline([("columns", columns), ("clf", linear_model.LogisticRegression())]).fit(X, Y)


def _searched() -> object:
    return model_selection.GridSearchCV(
        svm.SVC(), {"C": [1, 10]}, cv=2, scoring=metrics.make_scorer(metrics.f1_score, average="macro")
    ).fit(X, Y)


def _halved() -> object:
    import scipy.stats

    return model_selection.RandomizedSearchCV(
        linear_model.Ridge(), {"alpha": scipy.stats.loguniform(1e-3, 1)}, n_iter=2, cv=2, random_state=0
    ).fit(X, Y)


COMPOSED: dict[str, Callable[[], object]] = {
    "mixed": _mixed,
    "searched": _searched,
    "random_searched": _halved,
    "union": lambda: pipeline.make_union(decomposition.PCA(2), feature_selection.SelectKBest(k=1)).fit(X, Y),
    "text": lambda: pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2)), linear_model.SGDClassifier()).fit(WORDS, [0, 1, 0, 1]),
    "counts": lambda: feature_extraction.text.CountVectorizer(stop_words="english", tokenizer=str.split, token_pattern=None).fit(WORDS),
    "hashing": lambda: feature_extraction.text.HashingVectorizer(n_features=16),
    "patches": lambda: feature_extraction.image.PatchExtractor(),
    "calibrated": lambda: calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=2).fit(X, Y),
    "voting": lambda: ensemble.VotingClassifier([("a", _forest()), ("b", linear_model.LogisticRegression())]).fit(X, Y),
    "stacking": lambda: ensemble.StackingClassifier([("a", tree.DecisionTreeClassifier()), ("b", neighbors.KNeighborsClassifier(3))], cv=2).fit(X, Y),
    "boosted": lambda: ensemble.HistGradientBoostingClassifier(max_iter=3, categorical_features=[2]).fit(X, Y),
    "boosted_losses": lambda: [ensemble.HistGradientBoostingRegressor(loss=loss, max_iter=2, quantile=0.5).fit(X, Y + 1) for loss in ("squared_error", "absolute_error", "gamma", "poisson", "quantile")],
    "gradients": lambda: [ensemble.GradientBoostingRegressor(loss=loss, n_estimators=2).fit(X, Y) for loss in ("squared_error", "absolute_error", "huber", "quantile")],
    "sgd_losses": lambda: [linear_model.SGDClassifier(loss=loss, max_iter=5, tol=None).fit(X, Y) for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "huber", "epsilon_insensitive", "squared_error")],
    "glm": lambda: [linear_model.PoissonRegressor().fit(X, Y), linear_model.GammaRegressor().fit(X, Y + 1), linear_model.TweedieRegressor(power=1.5).fit(X, Y + 1)],
    "neighbours": lambda: [neighbors.KNeighborsClassifier(3, algorithm=kind, metric=metric).fit(X, Y) for kind in ("ball_tree", "kd_tree", "brute") for metric in ("euclidean", "manhattan", "chebyshev", "minkowski")],
    "densities": lambda: [neighbors.KernelDensity(kernel=kind).fit(X) for kind in ("gaussian", "tophat", "epanechnikov")],
    "kernels": lambda: gaussian_process.GaussianProcessRegressor(kernels.ConstantKernel() * kernels.RBF() + kernels.WhiteKernel() + kernels.Matern() * kernels.RationalQuadratic() + kernels.ExpSineSquared() + kernels.DotProduct() ** 2 + kernels.PairwiseKernel(), optimizer=None),
    "networks": lambda: [neural_network.MLPClassifier((4,), solver=solver, max_iter=3).fit(X, Y) for solver in ("adam", "sgd", "lbfgs")],
    "one_vs_rest": lambda: multiclass.OneVsRestClassifier(linear_model.LogisticRegression()).fit(X, Y),
    "functions": lambda: [preprocessing.FunctionTransformer(one, inverse) for one, inverse in ((np.log1p, np.expm1), (np.sqrt, np.square), (np.exp, np.log), (None, None))],
    "kernel_svm": lambda: [svm.SVC(kernel=kind, probability=False).fit(X, Y) for kind in ("rbf", "linear", "poly", "sigmoid")],
    "nystroem": lambda: pipeline.make_pipeline(kernel_approximation.Nystroem(n_components=3), linear_model.RidgeClassifier()).fit(X, Y),
    "clusters": lambda: [cluster.KMeans(2).fit(X), cluster.DBSCAN().fit(X), cluster.AgglomerativeClustering().fit(X), cluster.Birch().fit(X)],
    "outliers": lambda: ensemble.IsolationForest(n_estimators=3).fit(X),
    "bunch": lambda: datasets.load_iris(),
    "splitters": lambda: [model_selection.KFold(3), model_selection.StratifiedKFold(3), model_selection.GroupKFold(2), model_selection.TimeSeriesSplit(2), model_selection.ShuffleSplit(2), model_selection.LeaveOneOut(), model_selection.RepeatedKFold(), model_selection.PredefinedSplit([0, 1])],
    "scorers": lambda: [metrics.get_scorer(name) for name in metrics.get_scorer_names()],
    "selected": lambda: [feature_selection.SelectKBest(score).fit(X, Y) for score in (feature_selection.f_classif, feature_selection.chi2, feature_selection.mutual_info_classif, feature_selection.f_regression)],
    "bundle": lambda: {"model": _forest(), "scaler": preprocessing.StandardScaler().fit(X), "labels": preprocessing.LabelEncoder().fit(["a", "b"]), "features": ["w", "h"], "version": sklearn.__version__, "threshold": np.float64(0.3)},
}  # fmt: skip

KINDS = dict(all_estimators())
_SQUEEZED = (("zlib", ".z"), ("gzip", ".gz"), ("bz2", ".bz2"), ("xz", ".xz"), ("lzma", ".lzma"))

CASES: tuple[Honest, ...] = (
    *(pickled(name, lambda kind=kind: fitted(kind)) for name, kind in KINDS.items()),
    *(pickled(name, make) for name, make in COMPOSED.items()),
    *(dumped(name, make) for name, make in COMPOSED.items()),
    *(pickled("forest", _forest, protocol=protocol) for protocol in (2, 3, 5)),
    *(dumped("forest", _forest, compress=(kind, 3), suffix=f".joblib{suffix}") for kind, suffix in _SQUEEZED),
    *(dumped(f"mixed_{kind}", _mixed, compress=(kind, 3)) for kind, _ in _SQUEEZED),
    dumped("forest_3", _forest, compress=3),
    dumped("forest_named_pkl", _forest, suffix=".joblib"),
)  # fmt: skip
