"""A folder in the Hugging Face layout: what its small files say, and what in them would harm."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from weigh.core.errors import SourceError
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Entry
from weigh.formats.huggingface import FORMAT, MOST_CARD, TABLES
from weigh.sources.folder import Folder
from weigh.sources.memory import MemorySource


class Files:
    """A Listing in memory; a file that is None cannot be read."""

    path = "folder"

    def __init__(self, files: dict[str, bytes | None]) -> None:
        self.files = files

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(Entry(path=path, nbytes=len(data or b"")) for path, data in sorted(self.files.items()))

    def open(self, path: str) -> MemorySource:
        return MemorySource(self.read(path, 1 << 40), path=path)

    def read(self, path: str, most: int) -> bytes:
        data = self.files[path]
        if data is None:
            raise SourceError("cannot_read", path=path, reason="permission denied")
        return data[:most]


def header(**files: Any) -> Header:
    return FORMAT.read(folder(**files))


def folder(**files: Any) -> Files:
    """`config={...}` is config.json; a key with a dot is a whole file name."""
    texts = {
        name if "." in name else f"{name}.json": data if isinstance(data, bytes | None) else json.dumps(data).encode()
        for name, data in files.items()
    }
    return Files(texts)


def seen(**files: Any) -> list[Observation]:
    listing = folder(**files)
    return list(FORMAT.examine(listing, FORMAT.read(listing)))


def test_what_transformers_saves_is_read_back(tmp_path: Path) -> None:
    words = {word: number for number, word in enumerate(["a", "b", "c", "d", "e", "<s>"])}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="a")), bos_token="<s>", eos_token="</s>"
    )
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    tokenizer.save_pretrained(tmp_path)
    config = transformers.LlamaConfig(num_hidden_layers=3, hidden_size=64)
    config.save_pretrained(tmp_path)
    listing = Folder(tmp_path)
    assert FORMAT.matches(listing)
    found = FORMAT.read(listing)
    assert found.problems == ()
    assert found.metadata["tokenizer"] == {"model": "WordLevel", "num_tokens": len(tokenizer)}
    assert found.metadata["chat_template"] == tokenizer.chat_template
    stated = found.metadata["config"]
    assert isinstance(stated, dict) and stated["num_hidden_layers"] == 3


@pytest.mark.parametrize(
    ("paths", "verdict"),
    [
        ("config.json", True),
        ("model.safetensors.index.json", True),
        ("adapter_config.json adapter_model.safetensors", True),
        ("tokenizer.json model.safetensors", True),
        ("tokenizer.json", False),
        ("README.md model.gguf", False),
        ("below/config.json", False),
    ],
)
def test_a_folder_is_known_by_its_files(paths: str, verdict: bool) -> None:
    assert FORMAT.matches(Files(dict.fromkeys(paths.split(), b"{}"))) is verdict


@pytest.mark.parametrize(
    ("tokenizer", "number"),
    [
        (
            {
                "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}},
                "added_tokens": [{"content": "b"}, {"content": "<s>"}],
            },
            3,
        ),
        ({"model": {"type": "Unigram", "vocab": [["a", -1.5], ["b", -2]]}, "added_tokens": [{"content": "a"}]}, 2),
        ({"model": {"vocab": {"a": 0}}}, 1),
        ({"model": {"type": "BPE", "vocab": "none"}}, None),
    ],
)
def test_tokens_are_counted_with_those_added(tokenizer: dict[str, Any], number: int | None) -> None:
    found = header(config={}, tokenizer=tokenizer).metadata["tokenizer"]
    assert isinstance(found, dict) and found["num_tokens"] == number


def test_shards_an_index_names_must_be_there() -> None:
    index = {
        "metadata": {"total_size": 100, "total_parameters": 50},
        "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors", "c": "model-00001-of-00002.safetensors"},
    }  # fmt: skip
    found = header(**{"model.safetensors.index.json": index, "model-00001-of-00002.safetensors": b""})
    assert found.metadata["index"] == {
        "path": "model.safetensors.index.json",
        "files": ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
        "num_tensors": 3,
        "total_size": 100,
        "total_parameters": 50,
    }
    (problem,) = found.problems
    assert problem.kind == "missing-shard"
    assert dict(problem.detail.values) == {"names": "model-00002-of-00002.safetensors", "count": 1, "all": 2}


def test_names_of_shards_are_read_with_their_escapes() -> None:
    index = b'{"weight_map": {"a\\"b:": "m\\u006fdel\\u0020\\"x\\".safetensors" , "c":"model \\"x\\".safetensors"}}'
    found = header(**{"model.safetensors.index.json": index}).metadata["index"]
    assert isinstance(found, dict) and found["files"] == ('model "x".safetensors',)
    assert found["num_tensors"] == 2


@pytest.mark.parametrize(
    "path", ["../other/model.safetensors", "/etc/passwd", "..\\x.bin", "C:\\x.bin", "a/../../b", "file:x"]
)
def test_a_shard_outside_the_folder_is_observed(path: str) -> None:
    found = seen(**{"model.safetensors.index.json": {"weight_map": {"a": path}}})
    assert [(one.kind, one.value) for one in found] == [("external_path", path)]


def test_every_chat_template_is_observed_and_the_default_is_taken() -> None:
    named = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]
    files = {
        "config": {},
        "tokenizer_config": {"chat_template": named},
        "additional_chat_templates/rag.jinja": b"more",
    }
    assert header(**files).metadata["chat_template"] == "plain"
    assert {one.value for one in seen(**files) if one.kind == "template"} == {"tools", "plain", "more"}
    files["chat_template.jinja"] = b"newer"
    assert header(**files).metadata["chat_template"] == "newer"
    assert {one.value for one in seen(**files) if one.kind == "template"} == {"newer", "tools", "plain", "more"}


def test_code_that_a_loader_would_import_is_observed() -> None:
    found = seen(
        config={"auto_map": {"AutoConfig": "configuration_x.XConfig"}},
        tokenizer_config={"auto_map": {"AutoTokenizer": ["tokenization_x.XTokenizer", None]}},
    )
    assert [(one.kind, one.value, one.where) for one in found] == [
        ("code", "auto_map configuration_x.XConfig", "config.json AutoConfig"),
        ("code", "auto_map tokenization_x.XTokenizer", "tokenizer_config.json AutoTokenizer"),
    ]


CARD = """---
license: apache-2.0  # the licence
base_model:
- nova/Nova-7B
- nova/Nova-7B-Instruct
language: [en, zh]
pipeline_tag: 'text-generation'
secret: of no interest
---
# Nova
license: mit
"""


@pytest.mark.parametrize("before", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_card_says_a_few_things(before: str, end: str) -> None:
    card = (before + CARD.replace("\n", end)).encode()
    assert header(config={}, **{"README.md": card}).metadata["card"] == {
        "license": "apache-2.0",
        "base_model": "nova/Nova-7B",
        "language": "en, zh",
        "pipeline_tag": "text-generation",
    }


@pytest.mark.parametrize(
    "card", [b"# no front matter", b"---\nlicense: mit\n", b"---\n" + b"a: b\n" * MOST_CARD, b"\xff\xfe---"]
)
def test_a_card_without_front_matter_says_nothing(card: bytes) -> None:
    assert header(config={}, **{"README.md": card}).metadata["card"] == {}


@pytest.mark.parametrize("path", [*TABLES, "tokenizer.json", "model.safetensors.index.json", "README.md"])
def test_a_file_that_cannot_be_read_does_not_hide_the_others(path: str) -> None:
    files: dict[str, Any] = {"config": {"model_type": "llama"}, "generation_config": {"top_k": 5}, path: None}
    if path in ("config.json", "generation_config.json"):
        del files[path.removesuffix(".json")]
    found = header(**files)
    assert [problem.kind for problem in found.problems] == ["unreadable"]
    assert {"config", "generation_config"} - {path.removesuffix(".json")} <= set(found.metadata)


HARMFUL = {
    "nested": b"[" * 500_000,
    "nested objects": b'{"model":' * 200_000,
    "not UTF-8": b'{"model": {"type": "\xff"}}',
    "cut short": b'{"model": {"vocab": {"a"',
    "another shape": b'{"model": 3, "weight_map": 4, "metadata": [], "auto_map": 5, "chat_template": {}}',
    "a list": b"[1, 2]",
    "nothing": b"",
    "zeros": bytes(64),
    "endless digits": b'{"model": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("ruin", list(HARMFUL))
def test_a_damaged_file_is_answered(ruin: str) -> None:
    paths = [*TABLES, "tokenizer.json", "model.safetensors.index.json", "chat_template.json", "README.md"]
    found = seen(**dict.fromkeys(paths, HARMFUL[ruin]))
    assert all(one.kind in ("template", "code", "external_path") for one in found)


def test_more_than_fits_is_left_and_said() -> None:
    found = header(config=b" " * (3 << 20))
    assert [problem.kind for problem in found.problems] == ["over-budget"]


def whole() -> dict[str, bytes]:
    vocabulary = {"type": "BPE", "vocab": {"a": 0, "b": 1}}
    files: dict[str, Any] = {
        "config.json": {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "auto_map": {"AutoModel": "x.Y"}},
        "tokenizer.json": {"model": vocabulary, "added_tokens": [{"content": "<s>"}]},
        "tokenizer_config.json": {"chat_template": [{"name": "default", "template": "{{ x }}"}]},
        "model.safetensors.index.json": {"metadata": {"total_size": 1}, "weight_map": {"a": "../b", "c": "d"}},
    }
    return {path: json.dumps(table).encode() for path, table in files.items()} | {"README.md": CARD.encode()}


@pytest.mark.parametrize("path", list(whole()))
def test_every_truncation_is_answered(path: str) -> None:
    data = whole()[path]
    for length in range(len(data)):
        seen(**whole() | {path: data[:length]})


@pytest.mark.parametrize("path", list(whole()))
def test_mutations_are_answered(path: str) -> None:
    chance = random.Random(5)
    for _ in range(300):
        changed = bytearray(whole()[path])
        for _ in range(chance.randint(1, 5)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        seen(**whole() | {path: bytes(changed)})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["model", "vocab", "type", "added_tokens", "content", "weight_map", "metadata", "total_size", "chat_template", "auto_map", "name", "template"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(
    JSON, st.sampled_from(["config", "tokenizer", "tokenizer_config", "model.safetensors.index.json", "chat_template"])
)
def test_any_json_is_answered(table: Any, where: str) -> None:
    seen(**{"config": {}, where: table})
