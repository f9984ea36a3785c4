"""Arrays, tables and distributions of numpy and scipy."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.interpolate
import scipy.optimize
import scipy.sparse
import scipy.spatial
import scipy.stats

from tools.honest import Honest, dumped, pickled

DTYPES = "?bBhHiIqQefdgFDGSUVMm"


def _npy(name: str, value: np.ndarray) -> Honest:
    def write(folder: Path) -> Path:
        np.save(folder / f"{name}.npy", value, allow_pickle=True)
        return folder / f"{name}.npy"

    return Honest(f"{name}.npy", write)


def _npz(name: str, *, packed: bool, **arrays: object) -> Honest:
    def write(folder: Path) -> Path:
        (np.savez_compressed if packed else np.savez)(folder / f"{name}.npz", **arrays)
        return folder / f"{name}.npz"

    return Honest(f"{name}.npz", write)


def _sparse_npz(folder: Path) -> Path:
    scipy.sparse.save_npz(folder / "sparse.npz", scipy.sparse.eye(4).tocsr())
    return folder / "sparse.npz"


RECORDS = np.array([(1, 2.0, "a")], dtype=[("i", "<i4"), ("f", ">f8"), ("s", "U3")])
VALUES: dict[str, object] = {
    "scalars": [np.float16(1), np.float32(1), np.float64(1), np.int8(1), np.int64(1), np.uint16(1), np.bool_(True), np.complex64(1), np.str_("x"), np.bytes_(b"x"), np.longdouble(1), np.datetime64("2026-01-01"), np.timedelta64(1, "D")],
    "dtypes": [np.dtype(code) for code in DTYPES] + [RECORDS.dtype, np.dtype("3f4"), np.dtype(object)],
    "classes": [np.float32, np.int64, np.ndarray, np.bool_, np.generic, np.dtype, np.floating],
    "arrays": {code: np.zeros(3, dtype=code if code not in "SUV" else f"{code}3") for code in DTYPES},
    "objects": np.array([None, "a", 1, [1], {"a": np.ones(2)}], dtype=object),
    "records": RECORDS,
    "recarray": np.rec.array(RECORDS),
    "masked": np.ma.masked_array([1.0, 2.0], mask=[0, 1]),
    "masked constant": np.ma.masked,
    "matrix": np.asmatrix(np.eye(2)),
    "fortran": np.asfortranarray(np.ones((3, 4))),
    "polynomials": [np.poly1d([1, 2]), np.polynomial.Polynomial([1, 2]), np.polynomial.Chebyshev([1, 2]), np.polynomial.Legendre([1])],
    "ufuncs": [np.add, np.log1p, np.expm1, np.sqrt, np.exp, np.maximum, np.tanh, np.square],
    "functions": [np.mean, np.sum, np.median, np.argmax, np.linalg.norm, np.zeros, np.array, np.where, np.concatenate, np.nan_to_num],
    "legacy random": np.random.RandomState(3),
    "random": [np.random.default_rng(1), *(np.random.Generator(kind(1)) for kind in (np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)), np.random.SeedSequence(3)],
    "random state": np.random.get_state(),
    "histogram": np.histogram(np.arange(9.0)),
    "char": np.char.array(["a", "b"]),
    "strings": np.array(["a", "bc"], dtype=np.dtypes.StringDType()),
    "vectorised": np.vectorize(abs),
    "errors": [np.linalg.LinAlgError("singular"), np.exceptions.ComplexWarning("x")],
    "finfo": [np.finfo(np.float32).dtype, np.ndindex, np.s_[1:2, ...]],
    **{f"sparse {kind}": getattr(scipy.sparse, kind)(np.eye(3)) for kind in ("csr_matrix", "csc_matrix", "coo_matrix", "bsr_matrix", "dia_matrix", "lil_matrix", "dok_matrix", "csr_array", "csc_array", "coo_array", "bsr_array", "dia_array", "lil_array", "dok_array")},
    "frozen distributions": [scipy.stats.norm(0, 1), scipy.stats.uniform(0, 1), scipy.stats.loguniform(1e-4, 1), scipy.stats.randint(1, 5), scipy.stats.beta(1, 2), scipy.stats.multivariate_normal([0, 0])],
    "density": scipy.stats.gaussian_kde(np.random.default_rng(0).normal(size=20)),
    "interpolations": [scipy.interpolate.interp1d([0, 1], [0, 1]), scipy.interpolate.CubicSpline([0, 1, 2], [0, 1, 4]), scipy.interpolate.UnivariateSpline([0, 1, 2, 3, 4], [0, 1, 4, 9, 16]), scipy.interpolate.RegularGridInterpolator(([0, 1],), np.array([1.0, 2])), scipy.interpolate.PchipInterpolator([0, 1, 2], [0, 1, 4]), scipy.interpolate.BSpline(np.arange(8.0), np.arange(4.0), 3)],
    "trees": [scipy.spatial.KDTree(np.eye(3)), scipy.spatial.cKDTree(np.eye(3)), scipy.spatial.transform.Rotation.identity()],
    "optimum": [scipy.optimize.minimize(lambda x: (x**2).sum(), [1.0]), scipy.optimize.Bounds(0, 1)],
}  # fmt: skip

CASES: tuple[Honest, ...] = (
    *(pickled(name, lambda value=value: value, protocol=protocol) for name, value in VALUES.items() for protocol in (2, 4)),
    *(pickled("arrays", lambda: VALUES["arrays"], protocol=protocol) for protocol in (0, 3, 5)),
    *(dumped(name.replace(" ", "_"), lambda name=name: VALUES[name]) for name in ("arrays", "objects", "records", "masked", "fortran", "sparse csr_matrix")),
    *(_npy(f"kind_{ord(code)}", np.zeros((2, 3), dtype=code if code not in "SUV" else f"{code}3")) for code in DTYPES),
    _npy("objects", VALUES["objects"]),
    _npy("records", RECORDS),
    _npy("fortran", VALUES["fortran"]),
    _npy("empty", np.zeros((0, 4))),
    _npy("scalar", np.array(3.0)),
    _npy("dictionary", np.array({"weights": np.ones(3), "epoch": 2}, dtype=object)),
    _npz("plain", packed=False, a=np.ones(3), b=np.zeros((2, 2))),
    _npz("packed", packed=True, a=np.ones(300), b=np.array(["x"])),
    _npz("with_objects", packed=True, a=np.array([None, {"a": 1}], dtype=object), labels=np.array(["x", "y"])),
    _npz("slashes", packed=False, **{"layer/kernel:0": np.ones(3), "layer/bias": np.zeros(3)}),
    Honest("sparse.npz", _sparse_npz),
)  # fmt: skip
