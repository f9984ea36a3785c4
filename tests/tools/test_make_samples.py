"""The files that `make try` writes with the standard library are what the reference libraries take them for."""

from __future__ import annotations

import ast
import pickle
import pickletools
import sys
from collections import Counter
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from gguf.quants import dequantize
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from tools import make_samples

MIXED, LYING = "tiny-llama-Q4_K_M.gguf", "Nova-7B-Instruct-Q8_0.gguf"


def test_only_the_standard_library_is_needed() -> None:
    tree = ast.parse(Path(make_samples.__file__).read_text("utf-8"))
    named = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    named += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names


def test_two_runs_write_the_same_bytes(samples: Path, tmp_path: Path) -> None:
    make_samples.write(tmp_path)
    different = [
        path.name
        for path in tmp_path.rglob("*")
        if path.suffix in (".gguf", ".safetensors", ".json")
        and path.read_bytes() != (samples / path.relative_to(tmp_path)).read_bytes()
    ]
    assert different == []


def test_transformers_loads_the_folder_without_a_missing_weight_and_runs_it(samples: Path) -> None:
    folder = samples / "tiny-llama-chat"
    config = AutoConfig.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert config.model_type == "llama"
    assert not any(info.values()), info
    ids = torch.tensor([tokenizer("hello world")["input_ids"]])
    logits = model(ids).logits
    assert logits.shape == (1, 2, config.vocab_size)
    assert torch.isfinite(logits).all()
    asked = tokenizer.apply_chat_template([{"role": "user", "content": "hello"}], tokenize=False)
    assert asked == "<s>user: hello</s>"


def test_torch_loads_the_same_weights_from_the_bin_as_safetensors_from_the_folder(samples: Path) -> None:
    ours = torch.load(samples / "pytorch_model.bin", weights_only=True)
    theirs = load_file(samples / "tiny-llama-chat/model.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize(("name", "types"), [(MIXED, {"Q4_K", "Q6_K", "F32"}), (LYING, {"F16", "F32"})])
def test_gguf_reads_the_types_and_every_block_is_of_finite_numbers(samples: Path, name: str, types: set[str]) -> None:
    reader = gguf.GGUFReader(samples / name)
    assert {tensor.tensor_type.name for tensor in reader.tensors} == types
    for tensor in reader.tensors:
        assert np.isfinite(dequantize(tensor.data, tensor.tensor_type)).all(), tensor.name


def test_the_mixed_gguf_holds_most_bytes_in_what_its_name_says(samples: Path) -> None:
    nbytes: Counter[str] = Counter()
    for tensor in gguf.GGUFReader(samples / MIXED).tensors:
        nbytes[tensor.tensor_type.name] += int(tensor.n_bytes)
    assert nbytes.most_common(1)[0][0] == "Q4_K"
    file_type = gguf.GGUFReader(samples / MIXED).get_field("general.file_type")
    assert file_type is not None
    assert file_type.contents() == gguf.LlamaFileType.MOSTLY_Q4_K_M


def test_a_gguf_has_a_token_and_a_type_for_every_row_of_its_embedding(samples: Path) -> None:
    reader = gguf.GGUFReader(samples / MIXED)
    rows = next(int(tensor.shape[1]) for tensor in reader.tensors if tensor.name == "token_embd.weight")
    tokens, types = (reader.get_field(f"tokenizer.ggml.{key}") for key in ("tokens", "token_type"))
    assert tokens is not None and types is not None
    assert len(tokens.contents()) == len(types.contents()) == rows
    assert {gguf.TokenType(kind) for kind in types.contents()} == {
        gguf.TokenType.UNKNOWN,
        gguf.TokenType.CONTROL,
        gguf.TokenType.BYTE,
        gguf.TokenType.NORMAL,
    }


def test_the_lying_file_holds_a_thousandth_of_what_its_name_says(samples: Path) -> None:
    counted = sum(int(tensor.n_elements) for tensor in gguf.GGUFReader(samples / LYING).tensors)
    assert counted < 7e9 / 1000


def test_the_hostile_pickle_asks_for_a_command_that_would_only_print(samples: Path) -> None:
    opcodes = [(opcode.name, value) for opcode, value, _ in pickletools.genops((samples / "hostile.bin").read_bytes())]
    assert opcodes == [
        ("PROTO", 2),
        ("GLOBAL", "posix system"),
        ("BINUNICODE", "echo this would have run"),
        ("TUPLE1", None),
        ("REDUCE", None),
        ("STOP", None),
    ]


def test_torch_refuses_the_hostile_pickle(samples: Path) -> None:
    with pytest.raises(pickle.UnpicklingError):
        torch.load(samples / "hostile.bin", weights_only=True)


def test_the_pointer_is_one_by_the_specification(samples: Path) -> None:
    lines = (samples / "pointer.safetensors").read_text("utf-8").splitlines()
    assert lines[0] == "version https://git-lfs.github.com/spec/v1"
    assert [line.partition(" ")[0] for line in lines[1:]] == ["oid", "size"]
    assert len(lines[1].removeprefix("oid sha256:")) == 64


@pytest.mark.parametrize("name", ["cut-short.safetensors", "pointer.safetensors"])
def test_safetensors_refuses_what_is_not_whole(samples: Path, name: str) -> None:
    with pytest.raises(SafetensorError), safe_open(samples / name, "pt"):
        pass


def test_gguf_refuses_the_error_page(samples: Path) -> None:
    with pytest.raises(ValueError, match="magic"):
        gguf.GGUFReader(samples / "error-page.gguf")
