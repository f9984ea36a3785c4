"""joblib's and skops' files: arrays between opcodes, every pickle followed, every class named."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.formats.reading import header_of, seen_in
from weigh.core.errors import FormatError, OverBudget, Truncated

SAMPLES = Path(__file__).parents[1] / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def test_the_class_of_the_object_is_told() -> None:
    assert header_of(sample("joblib/line.joblib")).metadata["class"] == (
        "sklearn.linear_model._logistic.LogisticRegression"
    )


def test_elements_stand_where_we_say() -> None:
    data = sample("joblib/mixed.joblib")
    places = {one.name: (one.offset, one.nbytes) for one in header_of(data).tensors}
    offset, nbytes = places["list.0"]
    assert offset is not None and nbytes == 48
    assert data[offset : offset + nbytes] == b"\0\0\0\0\0\0\xf0?" * 6


def test_compression_is_told_and_offsets_in_it_are_not() -> None:
    for name in ("zlib", "gzip", "bz2", "lzma", "xz", "lz4"):
        header = header_of(sample(f"joblib/{name}.joblib"))
        assert header.metadata["compression"] == {"bz2": "bzip2"}.get(name, name)
        assert {one.offset for one in header.tensors} == {None}


@pytest.mark.parametrize("space", [b"", b" "], ids=["Python 3", "Python 2"])
def test_the_stream_behind_its_length_that_early_versions_wrote_is_read(space: bytes) -> None:
    bare = zlib.decompress(sample("joblib/zlib.joblib"))
    data = b"ZF" + hex(len(bare)).encode().ljust(19) + space + zlib.compress(bare)
    header = header_of(data)
    assert header.metadata["compression"] == "zfile"
    assert header.tensors == header_of(sample("joblib/zlib.joblib")).tensors


def test_nothing_breaks_off_in_a_sound_file() -> None:
    for path in (SAMPLES / "joblib").glob("*.joblib"):
        assert {one.kind for one in seen_in(path.read_bytes())} <= {"import", "call"}, path.name


class Harmless:
    """Names what it would call."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("called",)


def calls(data: bytes) -> bool:
    return "builtins print" in [one.value for one in seen_in(data) if one.kind == "import"]


def test_an_array_of_objects_in_the_middle_is_followed() -> None:
    data = sample("joblib/mixed.joblib")
    (objects,) = [one for one in header_of(data).tensors if one.dtype == "OBJECT"]
    assert objects.offset is not None and objects.nbytes is not None
    changed = data[: objects.offset] + pickle.dumps(Harmless()) + data[objects.offset + objects.nbytes :]
    assert calls(changed)
    assert [one.name for one in header_of(changed).tensors][-1] == "fields"


def test_opcodes_in_the_place_of_elements_are_seen_as_a_plain_loader_would_run_them() -> None:
    """Without an alignment, what a loader that knows nothing of joblib meets next is the array itself."""
    data = sample("joblib/mixed.joblib")
    key, number = b"numpy_array_alignment_bytes", b"K\x10"
    at = data.index(key) + len(key) + 1
    assert data[at : at + 2] == number
    (first,) = [one for one in header_of(data).tensors if one.name == "a"]
    assert first.offset is not None
    evil = b"cbuiltins\nprint\n(tR0"
    changed = bytearray(data[:at] + b"N" + data[at + 2 :])
    start = changed.index(b"ub", at) + 2
    del changed[start : first.offset - 1]
    changed[start : start + len(evil)] = evil
    assert calls(bytes(changed))


def test_what_follows_the_first_pickle_is_followed_too() -> None:
    assert calls(sample("joblib/line.joblib") + pickle.dumps(Harmless()))


def test_a_compressed_stream_cut_short_is_truncated() -> None:
    with pytest.raises(Truncated):
        header_of(sample("joblib/zlib.joblib")[:-30])


def test_a_stream_that_unpacks_without_end_is_over_the_budget() -> None:
    packed = zlib.compressobj(9)
    data = packed.compress(b"\x80\x04" + b"N0" * 500_000)
    for _ in range(80):
        data += packed.compress(bytes(1 << 20))
    data += packed.flush()
    with pytest.raises(FormatError):
        header_of(data)


def test_a_file_kept_beside_the_pickle_is_a_path_outside() -> None:
    """As joblib wrote arrays before its version 0.10: by the name of a file."""
    wrapper = b"cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}(X\x08\x00\x00\x00filenameX\x0c\x00\x00\x00../array.npyub."
    assert [one.value for one in seen_in(b"\x80\x02" + wrapper) if one.kind == "external_path"] == ["../array.npy"]


def test_a_stream_as_joblib_packed_it_at_first_is_unpacked() -> None:
    """Two letters, the length in hexadecimal padded to nineteen places, then zlib."""
    inner = pickle.dumps({"a": 1}, protocol=2)
    header = header_of(b"ZF" + hex(len(inner)).encode().ljust(19) + zlib.compress(inner))
    assert (header.format, header.metadata["compression"]) == ("joblib", "zfile")


def test_a_shape_that_cannot_be_is_refused() -> None:
    data = sample("joblib/line.joblib")
    at = data.index(b"shape") + 6
    with pytest.raises(FormatError):
        header_of(data[:at] + b"J\xff\xff\xff\xff\x85" + data[at + 3 :])


def test_a_plain_pickle_stays_one_though_it_speaks_of_joblib() -> None:
    data = pickle.dumps({"joblib": [1, 2, 3]})
    assert header_of(data).format == "pickle"


def test_arrays_in_a_plain_pickle_are_listed_too() -> None:
    import numpy as np

    tensors = header_of(pickle.dumps({"w": np.zeros((2, 3), "f4")}, protocol=4)).tensors
    assert [(one.name, one.dtype, one.shape) for one in tensors] == [("w", "F32", (2, 3))]


# skops


def test_every_class_that_loading_would_build_is_named() -> None:
    seen = seen_in(sample("skops/tree.skops"))
    imported = {one.value for one in seen if one.kind == "import"}
    assert {"sklearn.ensemble._forest RandomForestClassifier", "sklearn.tree._tree Tree"} <= imported
    assert {"ObjectNode", "NdArrayNode"} <= {one.value for one in seen if one.kind == "operator"}


def test_a_function_named_in_a_schema_is_seen() -> None:
    node = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "_skops_version": "0.16.0"}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", json.dumps(node))
    assert [one.value for one in seen_in(file.getvalue()) if one.kind == "import"] == ["os system"]


def test_a_schema_of_endless_nests_is_over_the_budget() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", '{"__loader__": ' + "[" * 200 + "]" * 200 + "}")
    with pytest.raises(OverBudget):
        header_of(file.getvalue())
