"""NumPy's files: literals and nothing else, objects told, sizes held against the file."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.formats.reading import header_of, seen_in
from weigh.core.errors import FormatError, Malformed
from weigh.formats import detect
from weigh.sources.memory import MemorySource

SAMPLES = Path(__file__).parents[1] / "samples"


def npy(header: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode("latin-1") + body


class Harmless:
    """Names what it would call."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("called",)


def saved(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)  # type: ignore[arg-type]
    return file.getvalue()


@pytest.mark.parametrize("name", ["objects.npy", "objects-in-fields.npy"])
def test_an_array_of_objects_is_said_to_be_a_pickle(name: str) -> None:
    seen = seen_in((SAMPLES / "npy" / name).read_bytes())
    assert [one.value for one in seen if one.kind == "embedded"] == ["pickle"]
    assert any(one.kind == "import" for one in seen)


def test_what_the_pickle_in_an_array_would_call_is_seen_where_it_stands() -> None:
    data = saved(np.array([Harmless()], dtype=object))
    (call,) = [one for one in seen_in(data) if one.kind == "import" and one.value == "builtins print"]
    assert call.offset is not None
    assert data[call.offset] == pickle.STACK_GLOBAL[0] and data[call.offset - 7 : call.offset].endswith(b"print\x94")


def test_arrays_of_objects_in_a_zip_are_named_by_their_member() -> None:
    seen = seen_in((SAMPLES / "npz" / "objects.npz").read_bytes())
    assert {one.where for one in seen} == {"table.npy"}
    assert header_of((SAMPLES / "npz" / "objects.npz").read_bytes()).metadata["objects"] == ("table",)


def test_plain_arrays_have_nothing_to_be_seen() -> None:
    for name in ("npy/plain.npy", "npy/fields.npy", "npz/stored.npz", "npz/deflated.npz"):
        assert seen_in((SAMPLES / name).read_bytes()) == []


def test_arrays_saved_one_behind_another_are_all_listed() -> None:
    data = saved(np.zeros(3)) + saved(np.zeros((2, 2), "u1"))
    assert [(one.name, one.shape) for one in header_of(data).tensors] == [("arr_0", (3,)), ("arr_1", (2, 2))]


def test_the_order_of_columns_is_told() -> None:
    assert header_of((SAMPLES / "npy" / "fortran.npy").read_bytes()).metadata == {"fortran_order": True}


@pytest.mark.parametrize(("change", "kind"), [(-5, "truncated"), (5, "trailing")])
def test_more_or_fewer_bytes_than_the_shape_needs_are_a_problem(change: int, kind: str) -> None:
    data = saved(np.zeros(10))
    data = data[:change] if change < 0 else data + bytes(change)
    assert [problem.kind for problem in header_of(data).problems] == [kind]


def test_a_pickle_called_an_array_is_a_pickle() -> None:
    assert header_of(pickle.dumps({"a": 1})).format == "pickle"


WHOLE = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }"
NOT_HEADERS = {
    "a-call": "{'descr': print('x'), 'fortran_order': False, 'shape': (3,)}",
    "a-name": "{'descr': x, 'fortran_order': False, 'shape': (3,)}",
    "a-sum": "{'descr': '<f4', 'fortran_order': False, 'shape': (1+2,)}",
    "an-endless-number": WHOLE % ("9" * 5000),
    "a-negative-length": WHOLE % "-3,",
    "lengths-beyond-all": WHOLE % ("4611686018427387903," * 2),
    "too-many-dimensions": WHOLE % ("1," * 70),
    "nests": "(" * 30_000,
    "no-shape": "{'descr': '<f4', 'fortran_order': False}",
    "a-list": "[1, 2]",
    "nothing": "",
    "a-type-that-is-none": "{'descr': '<q9', 'fortran_order': False, 'shape': (3,)}",
    "an-open-string": "{'descr': '<f4, 'fortran_order': False, 'shape': (3,)}",
    "signs": "-" * 60_000,
}


@pytest.mark.parametrize("name", list(NOT_HEADERS))
def test_a_header_that_is_no_plain_literal_of_an_array_is_refused(name: str) -> None:
    with pytest.raises(FormatError):
        header_of(npy(NOT_HEADERS[name], bytes(12)))


def test_a_header_as_python_2_wrote_it_is_read() -> None:
    header = header_of(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 1L), }", bytes(12)))
    assert [one.shape for one in header.tensors] == [(3, 1)]


def test_a_header_longer_than_any_is_refused_unread() -> None:
    with pytest.raises(FormatError):
        header_of(b"\x93NUMPY\x02\0" + struct.pack("<I", 0xFFFFFFFF) + b"{" * 100)


def test_a_version_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Malformed, match=r"npy\.version"):
        header_of(b"\x93NUMPY\x09\0" + bytes(100))


def test_a_zip_with_anything_else_in_it_is_no_zip_of_arrays() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", saved(np.zeros(2)))
        archive.writestr("readme.txt", "words")
    source = MemorySource(file.getvalue(), path="model.dat")
    assert detect(source).name != "npz"


def test_a_member_that_inflates_to_far_more_is_read_by_its_head() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", npy(WHOLE % "50000000,") + bytes(200_000_000))
    (tensor,) = header_of(file.getvalue()).tensors
    assert (tensor.name, tensor.shape, tensor.nbytes) == ("a", (50_000_000,), 200_000_000)
