"""PyTorch's other files: the tar of 2016, programs of torch.export, TorchScript for servers and for phones."""

from __future__ import annotations

import io
import json
import random
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from weigh.core.errors import FormatError
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.formats import detect
from weigh.sources.file import FileSource
from weigh.sources.memory import MemorySource

TAR = Path(__file__).parents[1] / "samples" / "pytorch-tar" / "tiny.tar"


def whole(source: Source) -> tuple[Header, list[Observation]]:
    format = detect(source)
    header = format.read(source)
    return header, list(format.examine(source, header))


def read(path: Path) -> tuple[Header, list[Observation]]:
    with FileSource(path) as source:
        return whole(source)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.first(x))


def test_the_tar_of_2016_is_read_as_torch_reads_it(tmp_path: Path) -> None:
    oracle = json.loads(TAR.with_name("tiny.tar.json").read_text("utf-8"))
    header, seen = read(Path(shutil.copy(TAR, tmp_path / "model.dat")))
    assert header.format == "pytorch-tar"
    assert sorted([tensor.name, tensor.dtype, list(tensor.shape)] for tensor in header.tensors) == oracle["tensors"]
    assert header.metadata["keys"] == {"state": "OrderedDict", "epoch": "int"}
    assert header.problems == ()
    assert "torch FloatStorage" in {one.value for one in seen if one.kind == "import"}
    loaded = torch.load(TAR, weights_only=False)["state"]
    data = TAR.read_bytes()
    for tensor in header.tensors:
        theirs = loaded[tensor.name.removeprefix("state.")].contiguous().numpy().tobytes()
        assert tensor.offset is not None and data[tensor.offset : tensor.offset + len(theirs)] == theirs


# What Python 2 wrote of OrderedDict([("weight", a tensor of 2 x 3)]), the storage's id written out.
PYTHON_2 = (
    b"\x80\x02ccollections\nOrderedDict\n(](U\x06weightctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\n"
    b"FloatStorage\nU\x010U\x03cpuK\x06tK\0(K\x02K\x03t(K\x03K\x01t\x89ccollections\nOrderedDict\n(]tRtRtatR."
)


def test_a_tar_without_its_table_of_tensors_is_told_by_its_pickle() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in (("sys_info", b"\x80\x02}."), ("pickle", PYTHON_2), ("storages", b"\x80\x02K\x01.")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    header, _ = whole(MemorySource(file.getvalue(), path="model.dat"))
    assert [(one.name, one.dtype, one.shape) for one in header.tensors] == [("weight", "F32", (2, 3))]
    assert [problem.kind for problem in header.problems] == ["malformed"]


def test_every_truncation_and_many_mutations_of_a_tar_are_answered() -> None:
    data = TAR.read_bytes()
    chance = random.Random(2)
    for length in range(0, len(data), 13):
        answered(data[:length])
    for _ in range(300):
        changed = bytearray(data)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        answered(bytes(changed))


def answered(data: bytes) -> None:
    try:
        whole(MemorySource(data, path="file"))
    except FormatError:
        return


def test_an_exported_program_shows_its_weights_and_operators(tmp_path: Path) -> None:
    net = Net()
    torch.export.save(torch.export.export(net, (torch.ones(1, 4),)), tmp_path / "net.pt2")
    header, seen = read((tmp_path / "net.pt2").rename(tmp_path / "model.dat"))
    assert header.format == "pytorch-export"
    assert {tensor.name: tensor.shape for tensor in header.tensors} == {
        name: tuple(tensor.shape) for name, tensor in net.state_dict().items()
    }
    assert {"torch.ops.aten.linear.default", "torch.ops.aten.relu.default"} <= {one.value for one in seen}
    data = (tmp_path / "model.dat").read_bytes()
    weight = next(tensor for tensor in header.tensors if tensor.name == "first.weight")
    assert weight.offset is not None and weight.nbytes == 32
    assert data[weight.offset : weight.offset + 32] == net.first.weight.detach().numpy().tobytes()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_lists_its_code_and_whether_a_phone_can_run_it(tmp_path: Path) -> None:
    script: Any = torch.jit.script(Net())  # type: ignore[no-untyped-call]
    script.save(tmp_path / "net.pt")
    script._save_for_lite_interpreter(str(tmp_path / "net.ptl"))
    server, phone = read(tmp_path / "net.pt")[0], read(tmp_path / "net.ptl")[0]
    assert (server.format, phone.format) == ("torchscript", "torchscript")
    assert (server.metadata["mobile"], phone.metadata["mobile"]) == (False, True)
    code = server.metadata["code"]
    assert isinstance(code, dict) and all(name.endswith(".py") and nbytes > 0 for name, nbytes in code.items())


def test_the_outermost_keys_of_a_checkpoint_are_kept(tmp_path: Path) -> None:
    checkpoint = {"epoch": 3, "state_dict": Net().state_dict(), "note": "x", "lr": 0.1, "bare": torch.ones(1)}
    torch.save(checkpoint, tmp_path / "a.ckpt")
    torch.save(checkpoint, tmp_path / "b.ckpt", _use_new_zipfile_serialization=False)
    expected = {"epoch": "int", "state_dict": "OrderedDict", "note": "str", "lr": "float"}
    assert read(tmp_path / "a.ckpt")[0].metadata["keys"] == expected
    assert read(tmp_path / "b.ckpt")[0].metadata["keys"] == expected


def old_script(path: Path) -> None:
    """As torch 1.0 wrote it, by hand: no wheel of it runs here."""
    model = {
        "protoVersion": "2",
        "producerName": "pytorch",
        "mainModule": {
            "name": "Net",
            "torchscriptArena": {"key": "code/net.py"},
            "submodules": [{"name": "fc", "parameters": [{"tensorId": "0", "name": "weight"}, {"tensorId": "1", "name": "bias"}]}],
            "parameters": [{"tensorId": "2", "name": "scale"}],
        },
        "tensors": [
            {"dims": ["2", "3"], "offset": "0", "strides": ["3", "1"], "dataType": "FLOAT", "data": {"key": "tensors/0"}},
            {"dims": ["2"], "offset": "6", "strides": ["1"], "dataType": "FLOAT", "data": {"key": "tensors/0"}},
            {"dataType": "INT64", "data": {"key": "tensors/1"}},
        ],
    }  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/version", "1\n")
        archive.writestr("net/code/net.py", "op_version_set = 0\n")
        archive.writestr("net/tensors/0", bytes(range(32)))
        archive.writestr("net/tensors/1", bytes(8))
        archive.writestr("net/model.json", json.dumps(model))


def test_torchscript_before_1_4_is_read_by_its_model_json(tmp_path: Path) -> None:
    old_script(tmp_path / "model.dat")
    header, seen = read(tmp_path / "model.dat")
    assert header.format == "torchscript"
    assert [(tensor.name, tensor.dtype, tensor.shape, tensor.nbytes) for tensor in header.tensors] == [
        ("fc.weight", "F32", (2, 3), 24),
        ("fc.bias", "F32", (2,), 8),
        ("scale", "I64", (), 8),
    ]
    data = (tmp_path / "model.dat").read_bytes()
    bias = header.tensors[1].offset
    assert bias is not None and data[bias : bias + 8] == bytes(range(24, 32))
    assert "net/code/net.py" in {one.value for one in seen if one.kind == "code"}


def test_any_old_torchscript_is_answered(tmp_path: Path) -> None:
    old_script(tmp_path / "model.dat")
    data = (tmp_path / "model.dat").read_bytes()
    chance = random.Random(4)
    for length in range(0, len(data), 3):
        answered(data[:length])
    for _ in range(400):
        changed = bytearray(data)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        answered(bytes(changed))


def test_a_program_exported_before_torch_2_6_is_read(tmp_path: Path) -> None:
    """By hand: the archive that torch 2.1 to 2.5 wrote, its weights a file of torch.save inside."""
    torch.save(Net().state_dict(), tmp_path / "state.pt")
    node = {"target": "torch.ops.aten.relu.default"}
    with zipfile.ZipFile(tmp_path / "model.dat", "w") as archive:
        archive.writestr("serialized_exported_program.json", json.dumps({"graph_module": {"graph": {"nodes": [node]}}}))
        archive.write(tmp_path / "state.pt", "serialized_state_dict.pt")
        archive.writestr("version", "8.2")
    header, seen = read(tmp_path / "model.dat")
    assert header.format == "pytorch-export"
    assert {tensor.name: tensor.shape for tensor in header.tensors} == {"first.weight": (2, 4), "first.bias": (2,)}
    assert "torch.ops.aten.relu.default" in {one.value for one in seen}


def test_compiled_code_in_an_exported_program_is_seen(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.dat", "w") as archive:
        archive.writestr("net/archive_format", "pt2")
        archive.writestr("net/data/aotinductor/model/net.so", b"\x7fELF")
    header, seen = read(tmp_path / "model.dat")
    assert header.metadata["native"] == ("data/aotinductor/model/net.so",)
    assert [one.kind for one in seen] == ["code"]
