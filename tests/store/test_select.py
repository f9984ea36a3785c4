"""What a reference asks for of a repository's files."""

from __future__ import annotations

import pytest

from weigh.core.errors import SourceError
from weigh.store.quants import quants_of
from weigh.store.select import Selection, select

BERT = """.gitattributes README.md config.json model.safetensors pytorch_model.bin tf_model.h5 flax_model.msgpack rust_model.ot
    onnx/model.onnx onnx/config.json coreml/model.mlpackage/Data/weights.bin openvino/openvino_model.bin tokenizer.json
    1_Pooling/config.json 2_Dense/model.safetensors 2_Dense/pytorch_model.bin training_args.bin voices/one.pt"""
DIFFUSERS = """model_index.json v1-5.safetensors v1-5.ckpt unet/diffusion_pytorch_model.safetensors other.ckpt
    unet/diffusion_pytorch_model.bin vae/diffusion_pytorch_model.bin"""
LLAMA = """config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json
    original/consolidated.00.pth original/params.json tokenizer.json"""
GGUF = """README.md config.json m-Q2_K.gguf m-Q4_K_M.gguf m-Q8_0.gguf mmproj-F16.gguf mmproj-F32.gguf imatrix.gguf
    m-BF16/m-BF16-00001-of-00003.gguf m-BF16/m-BF16-00002-of-00003.gguf m-BF16/m-BF16-00003-of-00003.gguf
    m-BF16/mmproj-BF16.gguf mtp-m-Q4_K_M.gguf"""


def chosen(files: str, asked: str | None = None, include: str = "", exclude: str = "") -> Selection:
    return select(dict.fromkeys(files.split(), 1), asked, include.split(), exclude.split())


def left(files: str, asked: str | None = None, include: str = "", exclude: str = "") -> str:
    return " ".join(one.path for one in chosen(files, asked, include, exclude).left)


def test_each_weight_is_taken_once() -> None:
    assert left(BERT) == (
        "2_Dense/pytorch_model.bin coreml/model.mlpackage/Data/weights.bin flax_model.msgpack onnx/config.json "
        "onnx/model.onnx openvino/openvino_model.bin pytorch_model.bin rust_model.ot tf_model.h5"
    )


def test_a_pickle_is_a_double_only_where_safetensors_lie_beside_it() -> None:
    assert left(DIFFUSERS) == "unet/diffusion_pytorch_model.bin v1-5.ckpt"


def test_weights_as_their_makers_first_wrote_them_are_doubles() -> None:
    assert left(LLAMA) == "original/consolidated.00.pth original/params.json"
    assert left("original/consolidated.00.pth params.json") == ""


@pytest.mark.parametrize(
    "files", ["onnx/model.onnx config.json", "tf_model.h5 config.json", "model.tflite", "README.md"]
)
def test_where_nothing_else_is_all_is_taken(files: str) -> None:
    assert left(files) == ""


def test_a_pickle_is_taken_where_there_is_nothing_safer() -> None:
    assert left("config.json pytorch_model.bin tf_model.h5") == "tf_model.h5"


# tag: the files that are taken
TAGS = """
Q4_K_M  README.md config.json m-Q4_K_M.gguf mmproj-F16.gguf
q4_k_m  README.md config.json m-Q4_K_M.gguf mmproj-F16.gguf
BF16    README.md config.json m-BF16/m-BF16-00001-of-00003.gguf m-BF16/m-BF16-00002-of-00003.gguf m-BF16/m-BF16-00003-of-00003.gguf m-BF16/mmproj-BF16.gguf
"""


@pytest.mark.parametrize("line", TAGS.strip().splitlines())
def test_a_quantisation_comes_with_its_shards_its_projector_and_its_tokenizer(line: str) -> None:
    tag, *files = line.split()
    found = chosen(GGUF, tag)
    assert (list(found.paths), found.tag) == (files, tag)


def test_of_many_quantisations_one_is_taken() -> None:
    assert chosen(GGUF).tag == "Q4_K_M"
    assert chosen("a-Q2_K.gguf a-Q8_0.gguf").paths == ("a-Q8_0.gguf",)
    assert chosen("a-Q2_K.gguf a-Q3_K_S.gguf").paths == ("a-Q2_K.gguf",)
    assert chosen("a-Q2_K.gguf readme.txt").paths == ("a-Q2_K.gguf", "readme.txt")


def test_labels_are_read_as_they_are_written() -> None:
    names = "a-Q4_K_M.gguf a.Q5_0.gguf A-UD-IQ1_S-00001-of-00002.gguf b-bf16.gguf c-MXFP4_MOE.gguf mmproj-F16.gguf"
    assert quants_of(names.split()) == ("bf16", "MXFP4_MOE", "Q4_K_M", "Q5_0", "UD-IQ1_S")


# what is behind the colon: the files that are taken
ASKED = """
m-Q8_0.gguf     m-Q8_0.gguf
m-BF16          m-BF16/m-BF16-00001-of-00003.gguf m-BF16/m-BF16-00002-of-00003.gguf m-BF16/m-BF16-00003-of-00003.gguf m-BF16/mmproj-BF16.gguf
m-BF16/         m-BF16/m-BF16-00001-of-00003.gguf m-BF16/m-BF16-00002-of-00003.gguf m-BF16/m-BF16-00003-of-00003.gguf m-BF16/mmproj-BF16.gguf
m-Q[28]*.gguf   m-Q2_K.gguf m-Q8_0.gguf
*.json          config.json
"""


@pytest.mark.parametrize("line", ASKED.strip().splitlines())
def test_a_file_a_folder_and_a_pattern_are_what_they_say(line: str) -> None:
    asked, *files = line.split()
    assert list(chosen(GGUF, asked).paths) == files


def test_patterns_that_include_take_what_would_be_left_out_and_nothing_else() -> None:
    assert chosen(BERT, include="*.onnx tf_*").paths == ("onnx/model.onnx", "tf_model.h5")
    assert chosen(BERT, include="onnx/*", exclude="*.json").paths == ("onnx/model.onnx",)


def test_what_no_check_looks_into_is_never_taken() -> None:
    files = "config.json .git/config __pycache__/a.pyc a/.cache/b.bin .gitattributes"
    found = chosen(files, include="*")
    assert found.paths == (".gitattributes", "config.json")
    assert {one.why for one in found.left} == {"tool"}


@pytest.mark.parametrize(("asked", "key"), [("Q5_K_M", "store.no_quant"), ("*.bin", "store.no_quant")])
def test_what_is_not_there_is_said_with_what_is(asked: str, key: str) -> None:
    with pytest.raises(SourceError) as raised:
        chosen(GGUF, asked)
    assert raised.value.saying.key == f"error.{key}"
    assert raised.value.saying.values["tags"] == "BF16, Q2_K, Q4_K_M, Q8_0"


def test_a_pattern_without_a_file_is_an_error() -> None:
    with pytest.raises(SourceError) as raised:
        chosen(BERT, "nothing.txt")
    assert raised.value.saying.key == "error.store.no_match"
