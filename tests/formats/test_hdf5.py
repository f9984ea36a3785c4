"""HDF5: every structure as h5py sees it, nothing outside followed, and files made to harm."""

from __future__ import annotations

import json
import pickle
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from weigh.codecs.hdf5_superblock import SIGNATURE, find_superblock
from weigh.core.errors import FormatError, OverBudget
from weigh.core.header import Header, LongArray
from weigh.core.observation import Observation
from weigh.formats import detect
from weigh.sources.file import FileSource
from weigh.sources.memory import MemorySource

SAMPLES = Path(__file__).parents[1] / "samples" / "hdf5"


def read(path: Path) -> Header:
    with FileSource(path) as source:
        return detect(source).read(source)


def seen_in(path: Path) -> list[Observation]:
    with FileSource(path) as source:
        format = detect(source)
        return list(format.examine(source, format.read(source)))


def weigh(data: bytes) -> Header | FormatError:
    source = MemorySource(data, path="model.dat")
    format = detect(source)
    try:
        header = format.read(source)
        list(format.examine(source, header))
    except FormatError as error:
        return error
    return header


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, one: found.update({name: one.shape}) if isinstance(one, h5py.Dataset) else None)
    return found


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_attributes_are_those_that_h5py_reads(path: Path) -> None:
    said = json.loads(path.read_text("utf-8"))["attributes"]
    ours = read(path.with_name(path.stem)).metadata.get("attributes", {})
    assert isinstance(ours, dict)
    for name, table in said.items():
        found = {key: list(one) if isinstance(one, tuple) else one for key, one in ours[f"/{name}"].items()}
        assert {key: one.hex() if isinstance(one, bytes) else one for key, one in found.items()} == table


def test_bytes_of_a_dataset_stand_where_we_say(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    values = np.arange(12, dtype="f4")
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["a"] = values
        file.create_dataset("compact", data=values, dcpl=compact())
    for tensor in read(path).tensors:
        assert tensor.offset is not None and tensor.nbytes == 48
        assert path.read_bytes()[tensor.offset : tensor.offset + 48] == values.tobytes()


def compact() -> Any:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    return plist


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_thousands_of_links_are_found_in_every_kind_of_group(tmp_path: Path, libver: str) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver) as file:
        for number in range(3000):
            file.create_dataset(f"many/{number:04}", (number % 5, 2), "f2")
    assert {tensor.name: tensor.shape for tensor in read(path).tensors} == shapes(path)


def test_an_attribute_too_large_for_its_object_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["names"] = np.array([b"n" * 70] * 1200)
        file.attrs["one"] = np.array([b"z" * 70_000])
    attributes = read(path).metadata["attributes"]
    assert isinstance(attributes, dict)
    assert attributes["/"]["names"] == LongArray(type="STRING", count=1200, first=("n" * 70,) * 16)
    assert attributes["/"]["one"] == ("z" * 70_000,)


def test_packed_chunks_are_counted_as_stored(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.zeros((64, 64)), chunks=(8, 8), compression="gzip")
        stored = file["a"].id.get_storage_size()
    assert [tensor.nbytes for tensor in read(path).tensors] == [stored]


def test_names_that_lead_outside_are_told_and_not_followed() -> None:
    seen = seen_in(SAMPLES / "leads-outside.h5")
    assert sorted((one.value, one.where) for one in seen if one.kind == "external_path") == [
        ("elsewhere.h5", "link"),
        ("raw.bin", "kept"),
        ("source.h5", "virtual"),
    ]


def test_a_soft_link_stays_inside_and_is_no_path_out() -> None:
    header = read(SAMPLES / "first.h5")
    assert header.metadata["links"] == {"by-path": "soft :/group/inner"}
    assert seen_in(SAMPLES / "first.h5") == []


def test_pickles_in_bytes_letters_strings_and_attributes_are_followed() -> None:
    seen = seen_in(SAMPLES / "hides-a-pickle.h5")
    where = {"blob", "letters", "names", "@note"}
    assert {one.where for one in seen if one.kind == "embedded" and one.value == "pickle"} == where
    imported = {(one.where, one.value.split()[1]) for one in seen if one.kind == "import"}
    assert imported == {(place, "print") for place in where}


@pytest.mark.parametrize("maxshape", [(4,), (None,)], ids=["contiguous", "chunked"])
def test_pickles_in_lists_of_bytes_are_followed_as_pandas_would_load_them(
    tmp_path: Path, maxshape: tuple[int | None, ...]
) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        rows = file.create_dataset("rows", (4,), dtype=h5py.vlen_dtype("u1"), maxshape=maxshape)
        rows[2] = np.frombuffer(pickle.dumps(print, protocol=4), "u1")
    seen = seen_in(path)
    assert [(one.kind, one.value, one.where) for one in seen] == [
        ("embedded", "pickle", "rows"),
        ("import", "builtins print", "rows"),
    ]


def test_thousands_of_pickles_share_one_budget(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    endless = b"\x80\x04" + b"N0" * 9000 + b"."
    with h5py.File(path, "w") as file:
        file["rows"] = np.array([endless], dtype="S20000")
        held = file.create_dataset("lists", (400,), dtype=h5py.vlen_dtype("u1"))
        for number in range(400):
            held[number] = np.frombuffer(endless, "u1")
    with pytest.raises(OverBudget):
        seen_in(path)


def test_a_user_block_is_told_and_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["a"] = np.zeros(2)
    with path.open("r+b") as raw:
        raw.write(b"\x7fELF" + bytes(60))
    assert [(one.kind, one.value) for one in seen_in(path)] == [("gap", "user_block"), ("embedded", "elf")]


class Far(MemorySource):
    """Notes where it is read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, path="https://example.com/model.dat")
        self.asked: list[int] = []

    @property
    def distant(self) -> Far:
        return self

    def at_hand(self, offset: int) -> int:
        return self.size - offset

    def read(self, offset: int, length: int) -> bytes:
        self.asked.append(offset + length)
        return super().read(offset, length)


def test_a_file_far_away_is_not_searched_for_a_user_block_by_many_requests() -> None:
    far = Far(bytes(1 << 22))
    assert find_superblock(far) is None
    assert max(far.asked) < 1 << 16
    near = bytearray(1 << 17) + SIGNATURE
    assert find_superblock(MemorySource(bytes(near), path="model.dat")) == 1 << 17


def test_an_archive_that_holds_hdf5_at_a_round_offset_is_an_archive(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("p" * (512 - 30), (SAMPLES / "matlab-7.3.mat").read_bytes()[512:])
    assert path.read_bytes()[512:516] == b"\x89HDF"
    with FileSource(path) as source:
        assert detect(source).name not in ("hdf5", "keras-h5")


def test_a_file_cut_behind_its_lists_still_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.zeros(100_000)
    data = path.read_bytes()
    cut = weigh(data[: len(data) // 2])
    assert isinstance(cut, Header)
    assert [problem.kind for problem in cut.problems] == ["truncated"]


# Files made to harm: each changes one field of a sound file, found by its signature.


def sound(libver: str = "earliest") -> bytearray:
    """Two groups and a dataset."""
    import io

    file = io.BytesIO()
    with h5py.File(file, "w", libver=libver) as held:
        held["g/inner/d"] = np.zeros((2, 3), "f4")
        held.attrs["note"] = np.arange(3)
    return bytearray(file.getvalue())


def node_that_is_its_own_child() -> bytes:
    data = sound()
    at = data.index(b"TREE")
    data[at + 5] = 1
    struct.pack_into("<Q", data, at + 24 + 8, at)
    return bytes(data)


def tree_of_two_that_lead_to_each_other() -> bytes:
    data = sound()
    first = data.index(b"TREE")
    second = data.index(b"TREE", first + 4)
    data[first + 5], data[second + 5] = 2, 1
    struct.pack_into("<Q", data, first + 32, second)
    struct.pack_into("<Q", data, second + 32, first)
    return bytes(data)


def header_that_goes_on_in_itself() -> bytes:
    data = sound()
    root = struct.unpack_from("<Q", data, 64)[0]
    struct.pack_into("<HHB3xQQ", data, root + 16, 16, 16, 0, root + 16, 64)
    return bytes(data)


def heap_beyond_the_file() -> bytes:
    data = sound()
    struct.pack_into("<Q", data, data.index(b"HEAP") + 24, 1 << 40)
    return bytes(data)


def heap_of_an_exabyte() -> bytes:
    data = sound()
    struct.pack_into("<Q", data, data.index(b"HEAP") + 8, 1 << 60)
    return bytes(data)


def dimensions_beyond_all() -> bytes:
    data = sound()
    at = data.index(struct.pack("<QQ", 2, 3))
    struct.pack_into("<QQ", data, at, 1 << 62, 1 << 62)
    return bytes(data)


def attribute_of_an_exabyte() -> bytes:
    data = sound()
    at = data.index(struct.pack("<Q", 3), data.index(b"note"))
    struct.pack_into("<Q", data, at, 1 << 60)
    return bytes(data)


def group_that_holds_the_root() -> bytes:
    data = sound()
    root = struct.unpack_from("<Q", data, 64)[0]
    at = data.index(b"SNOD")
    struct.pack_into("<Q", data, at + 16, root)
    return bytes(data)


def offsets_of_three_bytes() -> bytes:
    data = sound()
    data[13] = 3
    return bytes(data)


def node_of_sixty_thousand_entries() -> bytes:
    data = sound()
    struct.pack_into("<H", data, data.index(b"TREE") + 6, 0xFFFF)
    return bytes(data)


def superblock_alone() -> bytes:
    return b"\x89HDF\r\n\x1a\n" + b"\0" * 8 + b"\xff" * 80


def chunk_of_a_header_beyond_all() -> bytes:
    data = sound("latest")
    at = data.index(b"OHDR")
    data[at + 5] |= 3
    data[at + 6 : at + 40] = b"\xff" * 34
    return bytes(data)


RUINS: list[Callable[[], bytes]] = [
    node_that_is_its_own_child,
    tree_of_two_that_lead_to_each_other,
    header_that_goes_on_in_itself,
    heap_beyond_the_file,
    heap_of_an_exabyte,
    offsets_of_three_bytes,
    node_of_sixty_thousand_entries,
    superblock_alone,
    chunk_of_a_header_beyond_all,
]


@pytest.mark.parametrize("ruin", RUINS, ids=lambda ruin: ruin.__name__)
def test_a_file_whose_root_is_made_to_harm_is_refused(ruin: Callable[[], bytes]) -> None:
    assert isinstance(weigh(ruin()), FormatError)


@pytest.mark.parametrize("ruin", [dimensions_beyond_all, attribute_of_an_exabyte], ids=lambda ruin: ruin.__name__)
def test_what_is_made_to_harm_below_the_root_is_a_problem(ruin: Callable[[], bytes]) -> None:
    answer = weigh(ruin())
    assert isinstance(answer, Header)
    assert [problem.kind for problem in answer.problems] == ["malformed"]


def test_a_group_inside_itself_is_met_once() -> None:
    answer = weigh(group_that_holds_the_root())
    assert isinstance(answer, Header)
    assert answer.tensors == ()


def test_a_tree_whose_leaves_are_all_the_same_costs_little() -> None:
    """A file of a few kilobytes in which every path leads to a fresh copy of the same names would never end."""
    data = sound()
    tree = data.index(b"TREE")
    leaf = data.index(b"SNOD")
    for number in range(30):
        struct.pack_into("<Q", data, tree + 24 + 8 + 16 * number, leaf)
    struct.pack_into("<H", data, tree + 6, 30)
    started = time.process_time()
    weigh(bytes(data))
    assert time.process_time() - started < 20


def test_more_objects_than_are_walked_are_over_the_budget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        for number in range(50):
            file.create_group(f"g{number}")
    monkeypatch.setattr("weigh.codecs.hdf5_file.MOST_STRUCTURES", 100)
    with pytest.raises(OverBudget):
        read(path)
