"""Every pickle that is called malicious reaches its global in CPython's own unpickler, where it is recorded and refused."""

from __future__ import annotations

import io
import pickle
from typing import Any

import pytest

from tests.cases.safety import Case
from tests.cases.safety.archives import EVIL
from tests.cases.safety.pickles import CASES

MALICIOUS = [case for case in CASES if case.verdict == "malicious"]


class Inert:
    """Stands for whatever was asked for; does nothing."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None: ...
    def __new__(cls, *arguments: Any, **keywords: Any) -> Inert:
        return object.__new__(cls)

    def __call__(self, *arguments: Any) -> Inert:
        return Inert()

    def __setstate__(self, state: Any) -> None: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def append(self, value: Any) -> None: ...
    def extend(self, values: Any) -> None: ...


class Recording(pickle.Unpickler):
    """The C unpickler, asked for names and giving none."""

    def __init__(self, data: io.BytesIO) -> None:
        super().__init__(data, fix_imports=False)
        self.reached: list[str] = []

    def find_class(self, module: str, name: str) -> Any:
        self.reached.append(f"{module}.{name}")
        return Inert

    def persistent_load(self, pid: Any) -> Any:
        return None


def reached(data: bytes) -> list[str]:
    """The names that loading it, one stream after the other, asks for."""
    stream = io.BytesIO(data)
    names: list[str] = []
    for _ in range(10):
        unpickler = Recording(stream)
        try:
            unpickler.load()
        except Exception:
            names += unpickler.reached
            return names
        names += unpickler.reached
    return names


@pytest.mark.parametrize("case", MALICIOUS, ids=lambda case: case.name)
def test_a_malicious_pickle_reaches_its_global(case: Case) -> None:
    (data,) = case.files().values()
    names = reached(data)
    assert names or case.name in ("pickle name that is no text",)
    wanted = case.name.removeprefix("pickle ")
    if "." in wanted and " " not in wanted:
        assert names == [wanted]


def test_the_one_hidden_in_archives_reaches_its_global() -> None:
    assert reached(EVIL) == ["posix.system"]


def test_an_ordinary_pickle_reaches_none() -> None:
    assert reached(pickle.dumps({"a": [1, 2]})) == []
