"""TensorFlow's files: what is served, what is computed, what is hidden in strings, and files made to harm."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from weigh.codecs import snappy, sstable
from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.formats import FOLDER_FORMATS, detect
from weigh.sources.folder import Folder
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples"
GRAPHS = [
    path for name in ("tf-savedmodel", "tf-graphdef", "tf-metagraph") for path in sorted((ROOT / name).glob("*[!n]"))
]


def read(data: bytes) -> Header:
    source = MemorySource(data, path="model.dat")
    return detect(source).read(source)


def seen(data: bytes) -> list[Observation]:
    source = MemorySource(data, path="model.dat")
    format = detect(source)
    return list(format.examine(source, format.read(source)))


def sample(name: str) -> bytes:
    return (ROOT / name).read_bytes()


def said(name: str) -> dict[str, list[object]]:
    oracle: dict[str, list[object]] = json.loads((ROOT / f"{name}.json").read_text("utf-8"))
    return oracle


def varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


@pytest.mark.parametrize(
    "path",
    [path for path in GRAPHS if "operators" in said(f"{path.parent.name}/{path.name}")],
    ids=lambda path: path.name,
)
def test_every_operation_of_graph_and_functions_is_counted_and_observed(path: Path) -> None:
    theirs = set(said(f"{path.parent.name}/{path.name}")["operators"])
    assert set(read(path.read_bytes()).metadata["operators"]) == theirs  # type: ignore[arg-type]
    assert {one.value for one in seen(path.read_bytes()) if one.kind == "operator"} >= theirs


@pytest.mark.parametrize(("name", "generation"), [("first", 1), ("second", 2)])
def test_a_saved_model_tells_its_tags_and_signatures(name: str, generation: int) -> None:
    header = read(sample(f"tf-savedmodel/{name}.pb"))
    theirs = said(f"tf-savedmodel/{name}.pb")
    [graph] = header.metadata["meta_graphs"]  # type: ignore[misc]
    assert header.metadata["generation"] == generation
    assert [list(graph["tags"])] == theirs["tags"]
    assert sorted(graph["signatures"]) == theirs["signatures"]


def test_a_signature_has_its_inputs_with_shapes() -> None:
    [graph] = read(sample("tf-savedmodel/second.pb")).metadata["meta_graphs"]  # type: ignore[misc]
    inputs = graph["signatures"]["serving_default"]["inputs"]
    assert (inputs["x"]["dtype"], inputs["x"]["shape"]) == ("F32", ("?", 4))
    assert graph["variables"] == 2


def test_a_graph_in_a_string_is_looked_into() -> None:
    found = seen(sample("tf-graphdef/nested.pb"))
    assert [one.where for one in found if one.kind == "embedded"] == ["inner"]
    where = {one.value: one.where for one in found if one.kind == "operator"}
    assert where["MatMul"].startswith("inner/")  # type: ignore[union-attr]
    assert "ReadFile" in where


def test_a_lambda_of_keras_is_a_layer_with_code() -> None:
    found = {(one.kind, one.value, one.where) for one in seen(sample("tf-savedmodel/keras_metadata.pb"))}
    assert ("layer", "Lambda", "root.layer-1") in found
    assert ("code", "Lambda lambda", "root.layer-1") in found


@pytest.mark.parametrize(
    ("name", "version", "storage"), [("variables.index", "2", "data-00000-of-00001"), ("old.ckpt", "1", None)]
)
def test_a_checkpoint_names_the_shard_of_each_tensor(name: str, version: str, storage: str | None) -> None:
    header = read(sample(f"tf-checkpoint/{name}"))
    assert header.version == version
    assert {one.storage for one in header.tensors} == {storage}


def test_a_saved_model_folder_is_one_thing_and_misses_its_shards(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    shutil.copy(ROOT / "tf-savedmodel" / "second.pb", tmp_path / "saved_model.pb")
    shutil.copy(ROOT / "tf-checkpoint" / "variables.index", tmp_path / "variables" / "variables.index")
    format = next(one for one in FOLDER_FORMATS if one.matches(Folder(tmp_path)))
    assert format.name == "tf-savedmodel"
    assert [one.kind for one in format.read(Folder(tmp_path)).problems] == ["missing-shard"]
    (tmp_path / "variables" / "variables.data-00000-of-00001").write_bytes(bytes(100))
    assert format.read(Folder(tmp_path)).problems == ()


def test_a_table_of_another_program_is_not_claimed() -> None:
    assert detect(MemorySource(table([(b"key", b"value")]), path="000005.ldb")).name == "other"


def table(rows: list[tuple[bytes, bytes]], *, packed: bool = False) -> bytes:
    """A table of one block, its content as one literal of snappy if packed."""

    def block(rows: list[tuple[bytes, bytes]]) -> bytes:
        body = b"".join(b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in rows)
        return body + bytes(4) + b"\1\0\0\0"

    data = block(rows)
    stored = varint(len(data)) + b"\xf4" + (len(data) - 1).to_bytes(2, "little") + data if packed else data
    stored += (b"\1" if packed else b"\0") + bytes(4)
    index = block([(b"\xff", varint(0) + varint(len(stored) - 5))])
    footer = varint(0) + varint(0) + varint(len(stored)) + varint(len(index))
    return stored + index + bytes(5) + footer.ljust(40, b"\0") + sstable.MAGIC


def test_blocks_packed_by_snappy_are_read() -> None:
    rows = list(sstable.entries(MemorySource(sample("tf-checkpoint/variables.index"), path="x")))
    again = MemorySource(table(rows, packed=True), path="x")
    assert list(sstable.entries(again)) == rows
    assert read(table(rows, packed=True)).tensors == read(sample("tf-checkpoint/variables.index")).tensors


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (b"\x05\x10hello", b"hello"),
        (b"\x0a\x04ab\x1e\x02\x00", b"ababababab"),
        (b"\x08\x0cabcd\x01\x04", b"abcdabcd"),
        (b"\x08\x0cabcd\x0f\x04\x00\x00\x00", b"abcdabcd"),
    ],
)
def test_snappy_unpacks_literals_and_copies(packed: bytes, plain: bytes) -> None:
    assert snappy.unpack(packed, path="x", offset=0) == plain


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\xff\xff\xff\xff\xff",
        b"\x05\x10hell",
        b"\x05\x02\x00\x00",
        b"\x05\x00a\x02\x09\x00",
        b"\x02\x10hello",
        b"\x05\x00a",
    ],
)
def test_what_is_no_snappy_is_refused(packed: bytes) -> None:
    with pytest.raises(Malformed):
        snappy.unpack(packed, path="x", offset=0)


def test_a_block_that_unpacks_to_gigabytes_is_refused() -> None:
    with pytest.raises(OverBudget):
        snappy.unpack(varint(1 << 31) + b"\x00a", path="x", offset=0)


def test_a_checkpoint_that_was_cut_is_told_as_cut() -> None:
    with pytest.raises(Truncated):
        read(sample("tf-checkpoint/variables.index")[:-20])


NODE = field(1, b"n") + field(2, b"Const")


@pytest.mark.parametrize(
    "shape",
    [field(2, b"\x08" + varint(1 << 33)) * 3, field(2, b"\x08" + varint((1 << 64) - 1)), field(2, b"\x08\x01") * 300],
    ids=["dimensions-beyond-all", "a-negative-dimension", "three-hundred-dimensions"],
)
def test_shapes_that_cannot_be_are_refused(shape: bytes) -> None:
    value = field(1, b"value") + field(2, field(8, b"\x08\x01" + field(2, shape)))
    with pytest.raises(FormatError):
        read(field(1, NODE + field(5, value)))


def test_graphs_in_strings_in_strings_end_at_a_depth() -> None:
    graph = field(1, NODE)
    for _ in range(40):
        graph = field(1, NODE + field(5, field(1, b"value") + field(2, field(2, graph))))
    assert len([one for one in seen(graph) if one.kind == "embedded"]) == 9


@pytest.mark.parametrize(
    "content", [b"\n\x04text" * 50, b"\n\n\n\n" * 10, b"\x0a\x06\x0a\x01a\x12\x01\xff", b"\x12\x00" * 9, b"\x0a\x00"]
)
def test_what_is_no_graph_is_not_claimed(content: bytes) -> None:
    assert detect(MemorySource(content, path="graph.pb")).name in ("unknown", "text")
