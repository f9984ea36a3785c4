"""Names taken apart: cases as lines, and what holds for any text."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import weigh
from weigh.knowledge.naming import naming_families, suffixes
from weigh.names import decode as module
from weigh.names.decode import decode
from weigh.text import say

CASES = Path(__file__).with_name("cases.jsonl").read_text("utf-8").splitlines()
FIELDS = (
    *("family", "version", "size", "tier", "function", "quant", "format", "context_tokens", "date", "training"),
    *("language", "shard", "kind"),
)


@pytest.mark.parametrize("line", CASES, ids=lambda line: json.loads(line)["name"])
def test_a_name_says(line: str) -> None:
    expected = json.loads(line)
    said = json.loads(msgspec.json.encode(decode(expected["name"]), enc_hook=repr))
    assert {"name": said["name"], **{field: said[field] for field in FIELDS if field in said}} == expected


CONFUSING = """
Falcon3-7B-Instruct-1.58bit             size.total_b=7 quant.scheme=1.58bit quant.bits=1.58
Beyonder-4x7b-v3                        size.experts=4 size.expert_b=7 version=3
gemma-3n-E2B-it-qat                     version=3n size.effective_b=2
command-r7b-arabic-02-2025              size.total_b=7 date=2025-02
Yi-6B-200K                              size.total_b=6 context_tokens=200000
Qwen2.5-14B-Instruct-1M                 size.total_b=14 context_tokens=1000000
TinyStories-1M                          size.total_b=0.001
OLMoE-1B-7B-0125                        size.total_b=7 size.active_b=1 date=2025-01
gpt-4o-2024-08-06                       version=4o date=2024-08-06 kind=multimodal
Llama-4-Scout-17B-16E-Instruct-FP8      size.active_b=17 size.experts=16 quant.scheme=FP8
MiniMax-M1-40k                          version=M1
Qwen1_8B-Chat                           version=1 size.total_b=8
Qwen-1_8B-Chat                          size.total_b=1.8
llama-3-8b-NVFP4-FP8                    quant.scheme=NVFP4-FP8 quant.bits=4
foo-7b-i1-IQ3_XXS.gguf                  quant.scheme=IQ3_XXS quant.bits=3 format=gguf
foo-7b-UD-IQ2_M.gguf                    quant.scheme=UD-IQ2_M
foo-7b-Q3_K_P.gguf                      quant.scheme=Q3_K_P quant.bits=3
foo-7b-4_0bpw-exl2                      quant.scheme=4.0bpw quant.bits=4 quant.method=EXL2
foo-7b-4bit-gs64-mlx                    quant.method=MLX quant.scheme=4bit quant.group=64
foo-7b_4bitgs64_hqq                     quant.method=HQQ quant.scheme=4bit quant.bits=4 quant.group=64
Llama-3.2-8X3B-MOE-Zorg-18.4B           size.experts=8 size.expert_b=3 size.total_b=18.4
Qwen3-Coder-30B-int4-mixed-AutoRound    quant.method=AutoRound quant.scheme=Int4-mixed quant.bits=4
foo-7b-W8A8                             quant.scheme=W8A8 quant.bits=8
foo-7b-bnb-nf4                          quant.method=BNB quant.scheme=NF4 quant.bits=4
foo-7b-HQQ-2bit                         quant.method=HQQ quant.bits=2
foo-7b-MXFP4_MOE.gguf                   quant.method=GGUF quant.scheme=MXFP4_MOE
foo-7b-TQ1_0.gguf                       quant.scheme=TQ1_0 quant.bits=1
foo-7b-f16.gguf                         quant.method=GGUF quant.scheme=F16 quant.bits=16
foo-7b-fp16                             quant.method=none quant.scheme=FP16
foo-7b-10IQ1_S-90Q2_K.gguf              quant.scheme=10IQ1_S-90Q2_K quant.bits=1
foo-7b-GPTQ-Int4-g128                   quant.method=GPTQ quant.scheme=Int4 quant.group=128
ms-marco-MiniLM-L-6-v2                  version=2 kind=rerank
Llama-3.1-8B-Zorg-Uncensored-V2         family=Zorg version=2 size.total_b=8
"""


@pytest.mark.parametrize("line", CONFUSING.strip().splitlines())
def test_a_confusing_name_says(line: str) -> None:
    text, *expected = line.split()
    said = msgspec.to_builtins(decode(text), enc_hook=repr)
    for pair in expected:
        field, _, value = pair.partition("=")
        outer, _, inner = field.partition(".")
        found = said.get(outer) if not inner else said.get(outer, {}).get(inner)
        assert str(found) == value, field


@given(st.text())
def test_the_parts_cover_the_text(text: str) -> None:
    assert "".join(part.text for part in decode(text).parts) == text


@given(st.text(st.characters(categories=["Cs", "Cc", "Cf", "Nd", "Lo"]), max_size=40))
def test_the_parts_cover_strange_text(text: str) -> None:
    assert "".join(part.text for part in decode(text).parts) == text


PIECES = [
    *(
        "Qwen",
        "3",
        "30B",
        "-",
        "_",
        "Q4_K_M",
        ".gguf",
        "A3B",
        "/",
        ":",
        "128k",
        "00001-of-00002",
        "通义千问",
        "v",
        "ud",
    ),
    *("MiniMax", "M1", "1m", "80k", "thinking", "base", "bge", "ar", "Int4", "mixed", "16E", "a3b", "whisper", "16k"),
    *("2507", "12-2024", "exl2", "4.0bpw", "GPTQ", "l", "step", "Llama", "Hermes", "sdxl", "o1", " ", "mix", "07Q8_0"),
]


@given(st.lists(st.sampled_from(PIECES)))
def test_the_parts_cover_what_looks_like_a_name(words: list[str]) -> None:
    text = "".join(words)
    name = decode(text)
    assert "".join(part.text for part in name.parts) == text
    assert decode(text) == name
    assert all(say(part.why, "zh") for part in (*name.parts, *name.other_readings) if part.why is not None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "asdf",
        "🙂🙂",
        "a" * 10_000,
        "\x1b[m",
        "-" * 9000,
        "١٢٣",
        "סלם",
        "\ud800",
        "\u202eabc",
        "٣b",
        "²k",
        "İ" * 50,
    ],
)
def test_nonsense_is_unknown(text: str) -> None:
    name = decode(text)
    assert name.kind == "unknown"
    assert not name.confidence
    assert "".join(part.text for part in name.parts) == text


@pytest.mark.parametrize(
    "text",
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256-15b8061be3b0c44298fc1c149afbf4c8996fb924",
        "550e8400-e29b-41d4-a716-446655440000",
        "7b3d8061b",
    ],
)
def test_a_digest_yields_no_size(text: str) -> None:
    assert decode(text).size is None


def steps(text: str) -> int:
    """Lines of our own that run while a name is taken apart."""
    count = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        decode(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "piece",
    ["a", "-", "/", "7b-", "Qwen", "Q4_", "1_", "ud-", "v1-", "00001-of-", "of-", "2024-", "千", "Aa", "1x", "f0"],
)
def test_the_work_grows_with_the_length_alone(piece: str) -> None:
    short = piece * (1000 // len(piece))
    steps(short), steps(short * 2)
    assert steps(short * 2) < 3 * steps(short) + 500


def test_a_longer_text_costs_no_more_than_the_longest() -> None:
    steps("a-" * module.MOST)
    assert steps("a-" * module.MOST) <= steps("a-" * (module.MOST // 2)) + 100


ANSWERS = re.compile(r"\d(?:\.\d+)?[bm]$|\d{4}|^i?q\d_|int[48]|fp8|\d+bit|gguf$", re.IGNORECASE)


def test_the_lexicon_holds_no_answers() -> None:
    """Outside the table of quantisations no word carries a size, a quantisation or a date."""
    families = [
        word
        for row in naming_families()
        for word in (row.name, *row.aliases, *(row.fused or ()), *(row.words or ()), *(row.lines or ()))
    ]
    words = [word for row in suffixes() if row.kind != "format" for word in row.words]
    assert [word for word in (*families, *words) if ANSWERS.search(word)] == []


def test_a_source_is_a_page_of_its_own() -> None:
    assert [row.id for row in (*naming_families(), *suffixes()) if "search=" in row.source] == []


def test_what_a_brand_says_of_its_words_is_known() -> None:
    """Each is `kind:value` of a suffix, a release or a kind of model."""
    known = {f"{row.kind}:{row.value}" for row in suffixes()}
    said = {
        one
        for row in naming_families()
        for table in (row.words, row.fused, row.lines)
        for value in (table or {}).values()
        for one in value.split(",")
    }
    loose = {"word", "version", "kind"}
    assert sorted(one for one in said if one not in known and one.partition(":")[0] not in loose and one) == []


def test_the_decoder_reads_no_catalogue() -> None:
    """Its knowledge is three tables: families, suffixes, quantisations; and of a family, never the id."""
    folder = Path(module.__file__).parent
    for path in folder.glob("*.py"):
        imports = re.findall(r"weigh\.knowledge(?:\.\w+)?", path.read_text("utf-8"))
        assert set(imports) <= {"weigh.knowledge.naming"}, path.name
        assert "family.id" not in path.read_text("utf-8")


def test_a_name_in_two_readings_keeps_the_second() -> None:
    assert [(part.kind, part.value) for part in decode("MiniMax-M1-1m").other_readings] == [("context", "1000000")]
    assert [part.kind for part in decode("llama-3b-105B").other_readings] == ["size"]
    assert decode("bge-base-en-v1.5").other_readings[0].kind == "function"


def test_a_sure_name_is_surer_than_a_doubtful_one() -> None:
    sure, doubtful, nothing = decode("Qwen3-8B"), decode("Qwen3-8B-zxcv-qwerty"), decode("zxcv-qwerty")
    assert (sure.confidence or 0) > 0.9 > (doubtful.confidence or 0) > (nothing.confidence or 0) == 0


def test_the_package_offers_names() -> None:
    assert weigh.name("Qwen3-8B").size == weigh.Size(total_b=8)
    assert "name" in dir(weigh)
    with pytest.raises(AttributeError, match="nonsense"):
        weigh.nonsense  # noqa: B018
