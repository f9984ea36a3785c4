"""Terms explained: every row of the tables has words in both languages, and a term is found however it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weigh.app.explain import contents, explain, nearest
from weigh.core.explanation import Explanation, Page
from weigh.knowledge.catalog import errata, families, kinds, tasks, trends, vendors
from weigh.knowledge.naming import Need, quantisations, suffixes
from weigh.knowledge.scenarios import scenarios
from weigh.knowledge.terms import shapes, terms
from weigh.text import LANGUAGES, Language, has_words
from weigh.text.pages import document, every_section, paragraphs, section

FORMATS = """
    safetensors gguf ggml pytorch pytorch-legacy pytorch-tar torchscript pickle joblib npy npz onnx onnx-tensor
    tf-savedmodel tf-checkpoint tf-graphdef tf-metagraph keras-h5 hdf5 keras tflite tfjs coreml coreml-package openvino
    ncnn mnn caffe mxnet paddle tensorrt executorch flax-msgpack rknn xgboost sentencepiece tiktoken huggingface diffusers
    jsonl csv parquet git-lfs-pointer unknown pytorch-export skops lightgbm catboost tokenizer-json archive
"""
PAGES: tuple[Page, ...] = get_args(Page)
ROLES = ["is", "how", "cost", "use"]
FORMAT_ROLES = ["is", "runs", "strong", "weak", "safety", "use", "convert"]

# what is asked, the entry that answers
LOOKUPS = """
Q4_K_M        Q4_K_M
q4-k-m        Q4_K_M
q4km          Q4_K_M
AWQ           AWQ
awq-int4      AWQ-Int4
int4          Int4
f16           FP16
bnb           BNB
quip#         QuIP
ud-q4_k_xl    UD-Q4_K_XL
量化           quantisation.quantisation
指令           function.instruct
蒸馏           training.distill
上下文         size.context
参数量         size.parameters
混合专家       training.moe
语音识别       function.asr
base          function.base
tier.base     tier.base
it            function.instruct
Instruct      function.instruct
o             version.o
o1            version.o-series
4o            version.o
K             mix.k
M             mix.m
S             mix.s
B             size.billion
T             size.trillion
VL            function.vision
mmproj        function.projector
Flash         tier.flash
LoRA          training.lora
GRPO          training.grpo
i1            file.imatrix
.gguf         format.gguf
pt            function.base
pth           format.pytorch
h5            format.keras-h5
ckpt          format.pytorch
SavedModel    format.tf-savedmodel
魔搭           format.modelscope
formats       formats
格式           formats
A3B           active
A22B          active
30B           size
0.6b          size
70亿           size
1万亿          size
PTQ           quantisation.ptq
1T            trillion
8x22B         mixture
4e1t          epochs
16E           experts
E4B           effective
128K          context
1M            context
2507          date
20241022      date
2024-07-18    date
0324          day
5.0bpw        bpw
W4A8          W4A8
W5A7          widths
g128          group
v2.5          version
00001-of-00005 shard
"""


def everything() -> Iterator[Explanation]:
    asked = [row.id for row in quantisations()] + list(terms()) + ["formats"]
    for term in asked:
        found = explain(term)
        assert found is not None, term
        yield found


def test_every_quantisation_is_explained_by_its_own_words() -> None:
    for label in quantisations():
        found = explain(label.id)
        assert found is not None and (found.page, found.entry) == ("quantisations", label.id)
        for language in LANGUAGES:
            assert list(paragraphs(found, language)) == ROLES, label.id


def test_every_spelling_of_a_quantisation_is_known() -> None:
    assert [word for label in quantisations() for word in label.words if explain(word) is None] == []


def test_every_suffix_is_explained() -> None:
    told = ("function", "tier", "training", "format", "language")
    words = [(suffix.id, word) for suffix in suffixes() if suffix.kind in told for word in suffix.words]
    assert [(id, word) for id, word in words if explain(word) is None] == []


def test_every_term_has_its_words_and_no_words_are_without_a_term() -> None:
    for language in LANGUAGES:
        assert set(every_section("quantisations", language)) == {row.id for row in quantisations()}
        told = set(every_section("suffixes", language)) | set(every_section("formats", language))
        assert told == set(terms())
        assert set(every_section("grammar", language)) == set(shapes())
        assert set(every_section("kinds", language)) == set(kinds())
        assert set(every_section("tasks", language)) == set(tasks())
        assert set(every_section("errata", language)) == set(errata())
        assert set(every_section("trends", language)) == set(trends())
        assert set(every_section("scenarios", language)) == {row.id for row in scenarios()} | {"formats"}


@pytest.mark.parametrize("name", FORMATS.split())
def test_a_format_is_told_from_use_to_conversion(name: str) -> None:
    found = explain(name)
    assert found is not None and found.entry == f"format.{name}"
    for language in LANGUAGES:
        assert list(paragraphs(found, language)) == FORMAT_ROLES


def test_the_formats_that_are_read_are_told() -> None:
    from weigh import formats

    models = [format.name for format in formats.FORMATS if format.is_model]
    models += [format.name for format in formats.folder_formats()]
    assert [name for name in models if f"format.{name}" not in terms()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_explanations_share_a_sentence(language: Language) -> None:
    owner: dict[str, str] = {}
    shared = []
    for page in PAGES:
        for entry, words in every_section(page, language).items():
            for sentence in sentences(words):
                if owner.setdefault(sentence, f"{page} {entry}") != f"{page} {entry}":
                    shared.append((sentence, owner[sentence], entry))
    assert len(owner) > 1000
    assert shared == []


def sentences(words: dict[str, str]) -> list[str]:
    whole = "\n".join(words.values())
    parts = re.split(r"(?<=[.!?])\s+|(?<=[。！？])|\n", whole)
    return [part.strip().lower() for part in parts if part.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cost_has_a_figure(language: Language) -> None:
    figure = re.compile(r"\d|[一二三四五六七八九十两百千万]" if language == "zh" else r"\d")
    words = every_section("quantisations", language) | every_section("suffixes", language)
    assert [entry for entry in words if not figure.search(words[entry]["cost"])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_two_languages_do_not_mix(language: Language) -> None:
    for page in PAGES:
        stretch = 2 if (page, language) == ("errata", "zh") else 6  # errata are full of names
        for entry, words in every_section(page, language).items():
            chinese = [role for role, text in words.items() if re.search(rf"[\u4e00-\u9fff]{{{stretch},}}", text)]
            assert (chinese == []) == (language == "en"), (page, entry)


def test_every_source_is_an_address() -> None:
    address = re.compile(r"https://[^\s]+\.[^\s]+")
    for found in everything():
        assert found.sources and all(address.fullmatch(source) for source in found.sources), found.term
    assert all(address.fullmatch(shape.source) for shape in shapes().values())


def test_what_is_named_as_related_can_be_asked_for() -> None:
    related = {other for found in everything() for other in found.see_also}
    related |= {other for shape in shapes().values() for other in shape.see}
    assert sorted(other for other in related if explain(other) is None) == []


@pytest.mark.parametrize("line", LOOKUPS.strip().splitlines())
def test_a_term_is_found(line: str) -> None:
    asked, entry = line.split()
    found = explain(asked)
    assert found is not None and found.entry == entry


@pytest.mark.parametrize(
    "asked", ["", " ", "-", "xyzzy-nothing", "g00", "w0a0", "00003-of-00002", "\u202e", "🦥", "a" * 10_000]
)
def test_what_nobody_knows_is_not_explained(asked: str) -> None:
    assert explain(asked) is None


@given(st.text(max_size=40))
def test_any_text_is_explained_or_not_without_an_error(asked: str) -> None:
    found = explain(asked)
    if found is not None:
        document(found)
    else:
        assert len(nearest(asked)) <= 5


def test_a_slip_is_led_back_to_near_terms() -> None:
    assert "Q4_K_M" in nearest("Q4_K_N")
    assert "instruct" in nearest("instrcut")


def test_figures_of_a_shape_stand_in_the_text() -> None:
    cases = {
        "A22B": ("22 billion", "220 亿"),
        "4e1t": ("4 epochs", "4 遍"),
        "8x22B": ("176B", "176B"),
        "30B": ("18.3 GB", "18.3 GB"),
    }
    for asked, (english, chinese) in cases.items():
        found = explain(asked)
        assert found is not None
        text = document(found)["text"]
        assert isinstance(text, dict) and english in text["en"] and chinese in text["zh"]


def test_the_document_has_exactly_its_fields() -> None:
    for found in everything():
        plain = json.loads(json.dumps(document(found)))
        assert list(plain) == ["schema", "term", "kind", "text", "facts", "sources"]
        assert set(plain["text"]) == {"en", "zh"} and all(plain["text"].values())


def test_every_entry_of_the_catalogue_is_explained_in_both_languages() -> None:
    sorts = {"kind": kinds(), "task": tasks(), "vendor": vendors(), "family": families()}
    for sort, table in sorts.items():
        for id, row in table.items():
            found = explain(f"{sort}.{id}")
            assert found is not None and found.kind == sort
            text = document(found)["text"]
            assert isinstance(text, dict) and all(text.values()), id
            if sort in ("vendor", "family"):
                assert row.names.en in text["en"] and row.names.zh in text["zh"], id
            assert [other for other in found.see_also if explain(other) is None] == []


def test_whatever_the_table_of_contents_lists_of_the_catalogue_can_be_asked_for() -> None:
    for chinese in (False, True):
        told = contents(chinese=chinese)
        assert list(told)[:2] == ["kind", "task"]
        listed = [name for sort in ("kind", "task", "vendor", "family") for name in told[sort]]
        assert len(listed) > 500
        assert [name for name in listed if explain(name) is None] == []


def test_a_name_that_is_also_a_kind_leads_there() -> None:
    found = explain("embedding")
    assert found is not None and found.kind == "function" and "kind.embedding" in found.see_also


@pytest.mark.parametrize("asked", ["GPT-4o-Max", "DBRX-32B", "慧医大模型", "Llama-3-Chat"])
def test_a_name_of_nothing_is_told_to_be_one(asked: str) -> None:
    found = explain(asked)
    assert found is not None and found.kind == "erratum"


def test_facts_kinds_and_needs_have_names() -> None:
    told = [*everything(), *filter(None, map(explain, ("llm", "task.ocr", "qwen3", "gpt-4o", "通义", "DBRX-32B")))]
    facts = {name for found in told if found.page not in ("grammar", "scenarios") for name in found.facts}
    sorts = {found.kind for found in told} | set(contents())
    for language in LANGUAGES:
        assert [name for name in facts - {"block_bytes"} if not has_words(f"explain.fact.{name}", language)] == []
        assert [sort for sort in sorts if not has_words(f"explain.kind.{sort}", language)] == []
        assert [need for need in get_args(Need) if not has_words(f"explain.need.{need}", language)] == []
        assert [role for role in FORMAT_ROLES + ROLES if not has_words(f"explain.role.{role}", language)] == []


def test_a_section_is_read_alone_as_it_is_read_with_all() -> None:
    for page in PAGES:
        for language in LANGUAGES:
            for entry, words in every_section(page, language).items():
                assert section(page, entry, language) == words


def test_scenarios_name_known_formats_and_quantisations() -> None:
    for row in scenarios():
        assert [name for name in row.formats if f"format.{name}" not in terms()] == []
        assert [name for name in row.quantisations if explain(name) is None] == []


def test_bits_per_weight_follow_from_the_block_where_the_label_is_a_block() -> None:
    for label in quantisations():
        if label.block and label.block_bytes and label.bits_per_weight and label.bits:
            of_block = label.block_bytes * 8 / label.block
            assert label.bits <= of_block + 0.5 and of_block <= label.bits_per_weight + 0.15, label.id
