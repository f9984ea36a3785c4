"""Clean files, each written by the library whose format it is and read back by that library."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

GROUPS = (
    "standard", "arrays", "checkpoints", "optimizers", "modules", "trainers", "estimators", "graphs", "tensors",
    "chats", "folders", "archives",
)  # fmt: skip
STACK_GROUPS = ("boosters", "keras_models", "saved_models")  # of libraries in environments of their own


class Honest(NamedTuple):
    """`write` gives the file or folder it wrote; `read` opens it with the reference library, else it is told by suffix.

    `verdict` is what weigh should say; `suspicious` where classes are nobody's but the writer's.
    """

    name: str
    write: Callable[[Path], Path]
    read: Callable[[Path], object] | None = None
    verdict: str = "clean"


def honest_files(groups: tuple[str, ...] = GROUPS) -> Iterator[Honest]:
    """Every case of the groups whose libraries are here."""
    for group in groups:
        try:
            module = importlib.import_module(f"tools.honest.{group}")
        except ImportError:
            if group in GROUPS:
                raise
            continue
        yield from (case._replace(name=f"{group} {case.name}") for case in module.CASES)


def pickled(name: str, make: Callable[[], object], *, protocol: int = 4, verdict: str = "clean") -> Honest:
    """A file that Python's own pickle writes."""

    def write(folder: Path) -> Path:
        path = folder / f"{name.replace(' ', '_').replace('.', '_')}.pkl"
        path.write_bytes(pickle.dumps(make(), protocol=protocol))
        return path

    return Honest(f"{name} by pickle {protocol}", write, verdict=verdict)


def saved(name: str, make: Callable[[], object], *, verdict: str = "clean", **options: object) -> Honest:
    """A file that torch.save writes."""

    def write(folder: Path) -> Path:
        import torch

        torch.save(make(), folder / name, **options)
        return folder / name

    return Honest(name, write, verdict=verdict)


def dumped(name: str, make: Callable[[], object], compress: object = 0, *, suffix: str = ".joblib") -> Honest:
    """A file that joblib writes."""

    def write(folder: Path) -> Path:
        import joblib

        path = folder / f"{name}{suffix}"
        joblib.dump(make(), path, compress=compress)
        return path

    return Honest(f"{name}{suffix} by joblib {compress}", write)
