"""Each figure of a model comes from the most trusted who says it, and each set of weights is counted once."""

from __future__ import annotations

from typing import Any

import pytest

from weigh.core.facts import Fact, Origin
from weigh.core.header import Header, LongArray
from weigh.core.model import Model, ModelFile
from weigh.core.tensors import TensorInfo
from weigh.describe.merge import merge


def file(path: str, *names: str, format: str = "safetensors", nbytes: int = 64, **metadata: Any) -> ModelFile:
    tensors = tuple(TensorInfo(name=name, dtype="F16", shape=(4, 8), nbytes=64) for name in names)
    return ModelFile(
        path=path, format=format, nbytes=nbytes, header=Header(format=format, tensors=tensors, metadata=metadata)
    )


def merged(*files: ModelFile, **folder: Any) -> Model:
    return merge(files, Header(format="huggingface", metadata=folder) if folder else None, None)


CONFIG = {"config": {"model_type": "llama", "max_position_embeddings": 4096}}
INDEX = {"index": {"path": "model.safetensors.index.json", "files": ("a.safetensors", "b.safetensors")}}
# Files with a tensor each, and how many of them are the model.
SETS: dict[str, tuple[list[ModelFile], dict[str, Any], int]] = {
    "shards": ([file(f"model-0000{n}-of-00003.safetensors", f"t{n}") for n in (1, 2, 3)], CONFIG, 3),
    "files of an index": ([file("a.safetensors", "a"), file("b.safetensors", "b"), file("c.safetensors", "c")], CONFIG | INDEX, 2),
    "both formats": ([file("model.safetensors", "a"), file("pytorch_model.bin", "a", format="pytorch")], CONFIG, 1),
    "the maker's own copy": ([file("model.safetensors", "a"), file("consolidated.safetensors", "a'")], CONFIG, 1),
    "quantisations side by side": ([file("x-Q4_K_M.gguf", "a", format="gguf"), file("x-Q8_0.gguf", "a", format="gguf", nbytes=99)], {}, 1),
    "a split GGUF": ([file(f"x-0000{n}-of-00002.gguf", f"t{n}", format="gguf") for n in (1, 2)], {}, 2),
    "two ways of splitting": (
        [file("x-00001-of-00002.gguf", "a", format="gguf", nbytes=99), file("x-00002-of-00002.gguf", "b", format="gguf"), file("x-00001-of-00005.gguf", "c", format="gguf")],
        {},
        2,
    ),
    "a projector beside a model": (
        [file("mmproj.gguf", "v.a", format="gguf", nbytes=999, **{"general.architecture": "clip"}), file("x.gguf", "a", format="gguf")],
        {},
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(SETS))
def test_one_set_of_weights_is_counted(case: str) -> None:
    files, folder, number = SETS[case]
    assert merged(*files, **folder).num_tensors == Fact(
        number, Origin.COUNTED, merged(*files, **folder).num_tensors.where
    )  # type: ignore[union-attr]
    assert merged(*files, **folder).num_parameters.value == 32 * number  # type: ignore[union-attr]


GGUF = {
    "general.architecture": "qwen2",
    "general.license": "mit",
    "qwen2.context_length": 32768,
    "tokenizer.chat_template": "from the header",
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": LongArray(type="string", count=151936),
}


def test_a_header_is_trusted_over_a_configuration_and_a_card_on_its_licence() -> None:
    found = merged(
        file("x.gguf", "a", format="gguf", **GGUF),
        **CONFIG, chat_template="from the folder", card={"license": "apache-2.0"}, tokenizer={"model": "BPE", "num_tokens": 9},
    )  # fmt: skip
    assert found.context_length == Fact(32768, Origin.HEADER)
    assert found.chat_template == Fact("from the header", Origin.HEADER)
    assert found.model_type == Fact("qwen2", Origin.HEADER)
    assert found.tokenizer is not None and found.tokenizer.value.num_tokens == 151936
    assert found.licence == Fact("apache-2.0", Origin.CARD, "README.md")


def test_a_configuration_speaks_where_no_header_does() -> None:
    found = merged(
        file("model.safetensors", "a"),
        **CONFIG,
        chat_template="{{ x }}",
        adapter_config={"base_model_name_or_path": "nova/Nova"},
    )
    assert found.context_length == Fact(4096, Origin.CONFIG, "config.json")
    assert found.base_model == Fact("nova/Nova", Origin.CONFIG, "adapter_config.json")
    assert found.licence is None


def test_a_licence_of_the_makers_own_goes_by_its_name() -> None:
    found = merged(file("model.safetensors", "a"), card={"license": "other", "license_name": "nova-community"})
    assert found.licence == Fact("nova-community", Origin.CARD, "README.md")


@pytest.mark.parametrize(
    ("stated", "scheme"), [(15, "Q4_K_M"), (14, "Q4_K_S"), (7, "Q4_K"), (1, "Q4_K"), ("15", "Q4_K"), (999, "Q4_K")]
)
def test_a_stated_file_type_is_believed_where_the_tensors_bear_it_out(stated: Any, scheme: str) -> None:
    tensors = (TensorInfo(name="blk.0.ffn_up.weight", dtype="Q4_K", shape=(16, 256), nbytes=2304),)
    header = Header(
        format="gguf", tensors=tensors, metadata={"general.architecture": "llama", "general.file_type": stated}
    )
    found = merged(ModelFile(path="x.gguf", format="gguf", nbytes=2304, header=header)).quantisation
    assert found is not None and (found.value.scheme, found.origin) == (scheme, Origin.COUNTED)


def test_bits_a_weight_and_dtypes_are_by_bytes() -> None:
    tensors = (
        TensorInfo(name="blk.0.ffn_up.weight", dtype="Q4_K", shape=(16, 256), nbytes=2304),
        TensorInfo(name="blk.0.norm.weight", dtype="F32", shape=(256,), nbytes=1024),
    )
    found = merged(ModelFile(path="x.gguf", format="gguf", nbytes=9000, header=Header(format="gguf", tensors=tensors)))
    assert found.dtypes is not None and list(found.dtypes.value.items()) == [("Q4_K", 2304), ("F32", 1024)]
    assert found.bits_per_weight is not None and found.bits_per_weight.value == round(3328 * 8 / 4352, 3)
    assert found.weight_nbytes is not None and found.weight_nbytes.value == 3328
    assert found.nbytes is not None and found.nbytes.value == 9000


def test_nothing_said_is_none() -> None:
    assert merge((), None, None) == Model()


def test_odd_values_in_configurations_raise_nothing() -> None:
    odd: Any
    for odd in (None, 3, "x", (), {}, (1, "a"), {"a": {"b": ()}}, True, -1.5):
        merged(
            file("model.safetensors", "a"),
            config=odd,
            card=odd,
            tokenizer=odd,
            index=odd,
            quantize_config=odd,
            adapter_config=odd,
            chat_template=odd,
        )
        merged(
            file("model.safetensors", "a"),
            config={"model_type": odd, "quantization_config": odd, "text_config": odd, "architectures": odd},
        )
        merged(file("x.gguf", "a", format="gguf", **dict.fromkeys(GGUF, odd)))
