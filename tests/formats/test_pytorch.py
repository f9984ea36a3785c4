"""Checkpoints of torch, with torch as the oracle and torch.load as what must not be led elsewhere than we are."""

from __future__ import annotations

import io
import os
import pickle
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from weigh.app.examine import examine
from weigh.core.finding import Finding
from weigh.core.header import Header
from weigh.core.rule import Evidence, Examined
from weigh.knowledge.dtypes import dtypes
from weigh.rules import judge
from weigh.sources.memory import MemorySource

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
    "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool, "U16": torch.uint16, "U32": torch.uint32, "U64": torch.uint64,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu, "C64": torch.complex64, "C128": torch.complex128,
}  # fmt: skip


class Evil:
    """Calls on os.system where it is loaded."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


class Loads:
    """Says so where it is loaded, in place of doing harm."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("loaded",)


def saved(value: Any, *, zipped: bool = True) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(value, out, _use_new_zipfile_serialization=zipped)
    return out.getvalue()


def examined(data: bytes) -> Examined:
    return examine(MemorySource(data, path="model.bin"))


def header(data: bytes) -> Header:
    found = examined(data).header
    assert found is not None
    return found


def findings(data: bytes) -> tuple[Finding, ...]:
    return judge(Evidence(files=(examined(data),)))[0]


def verdicts(data: bytes) -> set[str | None]:
    return {finding.verdict for finding in findings(data)}


def rewritten(data: bytes, change: Callable[[str, bytes], Iterator[tuple[str, bytes]]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            for new_name, content in change(name, old.read(name)):
                new.writestr(new_name, content)
    return out.getvalue()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", list(DTYPES))
def test_every_dtype_is_called_and_measured_as_torch_measures_it(name: str, zipped: bool) -> None:
    tensor = torch.zeros(3, 2, dtype=DTYPES[name])
    (found,) = header(saved({"x": tensor}, zipped=zipped)).tensors
    assert (found.dtype, found.shape, found.nbytes) == (name, (3, 2), tensor.nbytes)
    assert dtypes()[name].block_bytes == tensor.itemsize


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_whole_module_has_the_names_of_its_state_dict(zipped: bool) -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.TransformerEncoderLayer(4, 2))
    found = header(saved(module, zipped=zipped)).tensors
    assert {one.name: one.shape for one in found} == {
        name: tuple(one.shape) for name, one in module.state_dict().items()
    }


@pytest.mark.filterwarnings("ignore")
def test_parts_of_sparse_and_quantised_tensors_are_listed() -> None:
    sparse = torch.sparse_coo_tensor(torch.tensor([[0, 1], [1, 0]]), torch.tensor([1.0, 2.0]), (2, 2))
    quantised = torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8)
    found = header(saved({"s": sparse, "q": quantised})).tensors
    assert [(one.name, one.dtype) for one in found] == [("s.0", "I64"), ("s.1", "F32"), ("q", "QI8")]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_tensors_of_one_storage_name_it(zipped: bool) -> None:
    weight = torch.randn(4, 6)
    found = header(saved({"a": weight, "b": weight[1:], "c": torch.ones(1)}, zipped=zipped)).tensors
    a, b, c = (one.storage for one in found)
    assert a == b != c
    assert found[1].offset == (found[0].offset or 0) + 24


def test_a_parameter_of_the_meta_device_has_no_place() -> None:
    (found,) = header(saved({"x": torch.empty(2, 3, device="meta")})).tensors
    assert (found.shape, found.offset, found.storage) == ((2, 3), None, None)


def test_big_endian_is_told() -> None:
    data = rewritten(
        saved({"x": torch.ones(2)}), lambda name, content: iter([(name, b"big" if "byteorder" in name else content)])
    )
    assert header(data).byte_order == "big"


def test_a_shifted_case_is_the_same_checkpoint() -> None:
    """Torch looks members up without regard to case."""
    data = rewritten(saved({"x": torch.ones(2)}), lambda name, content: iter([(name.upper(), content)]))
    torch.load(io.BytesIO(data), weights_only=True)
    assert [one.name for one in header(data).tensors] == ["x"]
    assert verdicts(data) == set()


def without_storage(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if not name.endswith("data/0"):
        yield name, content


def halved_storage(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, content[: len(content) // 2] if name.endswith("data/0") else content


@pytest.mark.parametrize(
    ("change", "kind"), [(without_storage, "truncated"), (halved_storage, "out-of-bounds")], ids=["missing", "short"]
)
def test_a_storage_that_does_not_hold_its_tensor_is_broken(change: Any, kind: str) -> None:
    data = rewritten(saved({"x": torch.ones(64)}), change)
    assert [problem.kind for problem in header(data).problems] == [kind]
    assert verdicts(data) == {"broken"}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_view_beyond_its_storage_is_broken(zipped: bool) -> None:
    class Beyond:
        def __reduce__(self) -> tuple[object, ...]:
            storage = torch.ones(4).storage()
            return torch._utils._rebuild_tensor_v2, (storage, 0, (1000,), (1,), False, {})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = saved({"x": Beyond()}, zipped=zipped)
    assert [problem.kind for problem in header(data).problems] == ["out-of-bounds"]


def test_a_cut_legacy_file_is_truncated() -> None:
    data = saved({"x": torch.ones(1000)}, zipped=False)
    assert [problem.kind for problem in header(data[:-100]).problems] == ["truncated"]


def with_evil(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, pickle.dumps(Evil(), 2) if name.endswith("data.pkl") else content


def beside(extra: str) -> Callable[[str, bytes], Iterator[tuple[str, bytes]]]:
    def change(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
        yield name, content
        if name.endswith("data.pkl"):
            yield extra, pickle.dumps(Evil(), 0)

    return change


HONEST = saved({"x": torch.ones(4)})


def flagged(data: bytes, flag: int) -> bytes:
    changed = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(mark)
        while at >= 0:
            changed[at + place] |= flag
            at = changed.find(mark, at + 4)
    return bytes(changed)


HOSTILE = {
    "in data.pkl": rewritten(HONEST, with_evil),
    "in another member": rewritten(HONEST, beside("archive/readme.txt")),
    "in another root": rewritten(HONEST, beside("other/data.pkl")),
    "in a storage's place": rewritten(HONEST, beside("archive/data/1")),
    "saved whole": saved(Evil()),
    "saved whole, old format": saved(Evil(), zipped=False),
    "said to be encrypted": flagged(rewritten(HONEST, with_evil), 1),
    "with a strange flag": flagged(rewritten(HONEST, with_evil), 0x20),
    "another name in the local header": rewritten(HONEST, with_evil).replace(b"e/data.pkl", b"e/data.xxx", 1),
    "an old checkpoint before an honest zip": saved(Evil(), zipped=False) + HONEST,
    "a plain pickle before an honest zip": pickle.dumps(Evil()) + HONEST,
    "an honest pickle before a hostile zip": pickle.dumps({"a": 1}) + rewritten(HONEST, with_evil),
    "an honest old checkpoint before a hostile zip": saved({"a": 1}, zipped=False) + rewritten(HONEST, with_evil),
    "an honest zip before a hostile one": HONEST + rewritten(HONEST, with_evil),
    "junk before a hostile zip": b"junk" + rewritten(HONEST, with_evil),
    "a nested storage": pickle.dumps([1, Evil()]),
}


@pytest.mark.parametrize("case", list(HOSTILE))
def test_a_hostile_checkpoint_is_malicious(case: str) -> None:
    assert "malicious" in verdicts(HOSTILE[case])


def test_what_torch_takes_of_a_pickle_and_a_zip_is_what_we_weigh(capsys: pytest.CaptureFixture[str]) -> None:
    """The first bytes decide for torch.load: the old checkpoint is loaded, not the zip behind it."""
    data = saved(Loads(), zipped=False) + HONEST
    torch.load(io.BytesIO(data), weights_only=False)
    assert capsys.readouterr().out == "loaded\n"
    assert examined(data).format == "pytorch-legacy"


def test_many_entries_of_the_same_bytes_are_followed_once() -> None:
    whole = rewritten(HONEST, beside("archive/extra.pkl"))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        place = archive.getinfo("archive/extra.pkl")
    at = whole.index(b"PK\x01\x02")
    directory, end = whole[at : whole.rindex(b"PK\x05\x06")], bytearray(whole[whole.rindex(b"PK\x05\x06") :])
    entry = directory[directory.index(b"archive/extra.pkl") - 46 :][: 46 + len("archive/extra.pkl")]
    assert place.header_offset
    directory += entry * 20_000
    count = 20_000 + int.from_bytes(end[10:12], "little")
    end[8:10] = end[10:12] = count.to_bytes(2, "little")
    end[12:16] = len(directory).to_bytes(4, "little")
    seen = [one.value for one in examined(whole[:at] + directory + bytes(end)).observations]
    assert seen.count("posix system") == 2  # named once and called once


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_plainly_pickled_state_dict_is_clean(protocol: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pickle.dumps({"m": nn.Linear(2, 2).state_dict(), "l": [torch.ones(2)] * 2}, protocol)
    assert (examined(data).format, verdicts(data)) == ("pickle", set())


def honest() -> dict[str, Any]:
    parameter = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    layers = [nn.Conv2d(1, 1, 1), nn.LSTM(2, 2), nn.GELU(), nn.MultiheadAttention(4, 2), nn.Hardtanh(), nn.HuberLoss()]
    return {
        "a training run": {"model": nn.Linear(2, 2).state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": float("inf")},
        "random states": {"torch": torch.get_rng_state(), "python": random.getstate()},
        "an optimizer": optimizer,
        "layers": layers,
        "a transformer": nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, activation=nn.functional.gelu), 1, enable_nested_tensor=False),
        "types": [torch.float32, torch.device("cpu"), torch.Size([1]), torch.strided],
        "an expanded tensor": {"x": torch.ones(1).expand(100, 100), "y": torch.ones(3).t()},
        "a sparse tensor": {"x": torch.ones(2, 3).to_sparse()},
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("case", list(honest()))
def test_an_honest_checkpoint_is_clean(case: str, zipped: bool) -> None:
    assert findings(saved(honest()[case], zipped=zipped)) == ()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_every_truncation_and_mutation_is_answered(zipped: bool) -> None:
    whole = saved({"x": torch.ones(2), "y": {"z": torch.zeros(3).bfloat16()}}, zipped=zipped)
    chance = random.Random(13)
    for length in range(len(whole)):
        findings(whole[:length])
    for _ in range(600):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        findings(bytes(data))
