"""Our headers equal what the reference libraries say of the same files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFEndian, GGUFReader, GGUFWriter, quants
from safetensors import safe_open
from safetensors.torch import save_file

from weigh.core.header import Header, LongArray
from weigh.formats import detect
from weigh.sources.file import FileSource


def header(path: Path) -> Header:
    with FileSource(path) as source:
        return detect(source).read(source)


def tensors() -> dict[str, torch.Tensor]:
    return {
        "a.weight": torch.randn(3, 4),
        "b": torch.randn(5).bfloat16(),
        "c": torch.zeros(2, 0, 3, dtype=torch.float16),
        "scalar": torch.tensor(7),
        "flag": torch.tensor([True, False]),
        "eight": torch.randn(4).to(torch.float8_e4m3fn),
    }


def test_safetensors_are_read_as_the_library_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "model.dat"
    save_file(tensors(), path, metadata={"format": "pt"})
    ours = header(path)
    with safe_open(path, "pt") as theirs:
        assert ours.metadata == theirs.metadata()
        for tensor in ours.tensors:
            view = theirs.get_slice(tensor.name)
            assert (list(tensor.shape), tensor.dtype) == (view.get_shape(), view.get_dtype())
        assert {tensor.name for tensor in ours.tensors} == set(theirs.keys())
    assert ours.problems == ()


def write_gguf(path: Path, *, big: bool = False) -> None:
    writer = GGUFWriter(path, "llama", endianess=GGUFEndian.BIG if big else GGUFEndian.LITTLE)
    writer.add_context_length(2048)
    writer.add_chat_template("{{ messages }}")
    writer.add_array("tokenizer.ggml.tokens", [f"token {number} {'x' * (number % 90)}" for number in range(9000)])
    writer.add_array("tokenizer.ggml.scores", [float(number) for number in range(9000)])
    writer.add_array("short", [1, 2, 3])
    writer.add_bool("flag", True)
    data = np.random.default_rng(1).standard_normal((8, 256)).astype(np.float32)
    writer.add_tensor("plain", data)
    writer.add_tensor("half", data.astype(np.float16))
    if not big:
        for kind in ("Q8_0", "Q4_0", "Q5_1", "BF16"):
            quant = GGMLQuantizationType[kind]
            writer.add_tensor(kind.lower(), quants.quantize(data, quant), raw_dtype=quant)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("big", [False, True])
def test_gguf_is_read_as_the_library_reads_it(tmp_path: Path, big: bool) -> None:
    path = tmp_path / "model.dat"
    write_gguf(path, big=big)
    ours, theirs = header(path), GGUFReader(path)
    assert ours.byte_order == ("big" if big else None)
    for tensor, theirs_one in zip(ours.tensors, theirs.tensors, strict=True):
        assert tensor.name == theirs_one.name
        assert tensor.dtype == theirs_one.tensor_type.name
        assert list(reversed(tensor.shape)) == [int(length) for length in theirs_one.shape]
        assert (tensor.offset, tensor.nbytes) == (theirs_one.data_offset, theirs_one.n_bytes)
    tokens = ours.metadata["tokenizer.ggml.tokens"]
    assert isinstance(tokens, LongArray)
    assert (tokens.count, tokens.first[1]) == (9000, "token 1 x")
    assert ours.metadata["tokenizer.chat_template"] == "{{ messages }}"
    assert ours.metadata["short"] == (1, 2, 3)
    assert ours.problems == ()


NAMES = {"torch.float8_e4m3fn": "F8_E4M3", "torch.bool": "BOOL", "torch.int64": "I64", "torch.bfloat16": "BF16"}
NAMES |= {"torch.float32": "F32", "torch.float16": "F16"}


def flat(value: Any, stem: str = "") -> dict[str, torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return {stem: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    found: dict[str, torch.Tensor] = {}
    for key, item in items:
        found |= flat(item, f"{stem}.{key}" if stem else str(key))
    return found


def checkpoints() -> dict[str, Any]:
    weight = torch.randn(4, 6)
    shared = {"whole": weight, "rows": weight[1:3], "turned": weight.t(), "tied": weight}
    parameter = torch.nn.Parameter(torch.ones(3))
    adam = torch.optim.Adam([parameter])
    parameter.sum().backward()
    adam.step()
    return {
        "state dict": tensors(),
        "shared storages": shared,
        "nested": {"state_dict": tensors(), "epoch": 3, "optimizer": adam.state_dict()},
        "a list": [torch.zeros(2), torch.ones(1)],
        "a lone tensor": torch.zeros(2, 3),
        "a parameter": {"w": parameter},
    }


def without_float8(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: without_float8(item) for key, item in value.items() if key != "eight"}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("case", list(checkpoints()))
def test_torch_checkpoints_are_read_as_torch_reads_them(tmp_path: Path, case: str, zipped: bool) -> None:
    path = tmp_path / "model.dat"
    checkpoint = checkpoints()[case]
    if not zipped:  # the old format has no way to say float8
        checkpoint = without_float8(checkpoint)
    torch.save(checkpoint, path, _use_new_zipfile_serialization=zipped)
    ours = header(path)
    theirs = flat(torch.load(path, weights_only=True))
    assert ours.format == ("pytorch" if zipped else "pytorch-legacy")
    assert ours.problems == ()
    assert {tensor.name: (tensor.shape, tensor.dtype) for tensor in ours.tensors} == {
        name: (tuple(tensor.shape), NAMES[str(tensor.dtype)]) for name, tensor in theirs.items()
    }
    data = path.read_bytes()
    for tensor in ours.tensors:  # the bytes are where we say they are
        there = theirs[tensor.name].detach().contiguous()
        if tensor.offset is not None and tensor.nbytes and theirs[tensor.name].is_contiguous():
            assert data[tensor.offset : tensor.offset + tensor.nbytes] == bytes(
                there.reshape(-1).view(torch.uint8).numpy().tobytes()
            )
        assert tensor.num_elements == math.prod(there.shape)


def test_a_deflated_checkpoint_under_another_root_is_read(tmp_path: Path) -> None:
    import zipfile

    torch.save(tensors(), tmp_path / "model.pt")
    with (
        zipfile.ZipFile(tmp_path / "model.pt") as old,
        zipfile.ZipFile(tmp_path / "new.dat", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename.replace("model/", "any root/"), old.read(info))
    ours = header(tmp_path / "new.dat")
    assert (ours.format, ours.metadata["root"], len(ours.tensors)) == ("pytorch", "any root", 6)


def test_torchscript_is_told_from_a_checkpoint(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "model.dat")  # type: ignore[no-untyped-call]
    with FileSource(tmp_path / "model.dat") as source:
        format = detect(source)
        assert format.name == "torchscript"
        seen = {observation.kind for observation in format.examine(source, format.read(source))}
    assert "code" in seen
